package health

func keda() map[string]check {
	scaled := byConditions("It has not been observed by the operator yet",
		isTrue("Paused", Suspended), isFalse("Ready", Degraded), isTrue("Fallback", Degraded), isUnknown("Ready"), isTrue("Ready", Healthy))
	return merged(
		each("keda.sh", scaled, "ScaledObject", "ScaledJob"),
		each("keda.sh", withStatus(generic), "TriggerAuthentication", "ClusterTriggerAuthentication"),
		each("http.keda.sh", withStatus(generic), "HTTPScaledObject"),
	)
}
