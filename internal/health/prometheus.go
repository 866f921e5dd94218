package health

func prometheus() map[string]check {
	available := byConditions("It has not been observed by the operator yet",
		isFalse("Reconciled", Degraded), isFalse("Available", Degraded),
		isTrue("Available", Healthy),
		when{kind: "Available", status: "Degraded", word: Progressing}.because("SomePodsNotReady"),
		when{kind: "Available", status: "Degraded", word: Degraded},
		isUnknown("Reconciled"), isUnknown("Available"))
	return merged(
		each("monitoring.coreos.com", suspended("The deployment is paused", available, "spec", "paused"),
			"Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"),
		each("monitoring.coreos.com", accepted, "ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig", "PrometheusRule", "AlertmanagerConfig"),
		each("opentelemetry.io", withStatus(generic), "OpenTelemetryCollector", "Instrumentation"),
		each("jaegertracing.io", byField(words{
			field: []string{"status", "phase"}, waiting: "It has not been observed by the operator yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Running"), phases(Degraded, "Failed")),
		}), "Jaeger"),
		each("loki.grafana.com", byConditions("It has not been observed by the operator yet",
			isTrue("Failed", Degraded), isTrue("Degraded", Degraded), isTrue("Pending", Progressing), isTrue("Ready", Healthy)), "LokiStack"),
		each("grafana.integreatly.org", grafana, "Grafana", "GrafanaDashboard", "GrafanaDatasource", "GrafanaFolder", "GrafanaAlertRuleGroup", "GrafanaContactPoint", "GrafanaNotificationPolicy"),
	)
}

// accepted reads configuration that says for each workload using it whether it was taken. Most say nothing.
func accepted(obj map[string]any) (Result, bool) {
	bindings := items(obj, "status", "bindings")
	if len(bindings) == 0 {
		return Result{}, false
	}
	for _, binding := range bindings {
		if result, ok := firstOf(obj, conditionsAt(binding, "conditions"), []when{isFalse("Accepted", Degraded)}); ok {
			result.Message = because("Not accepted by "+text(binding, "resource")+" "+text(binding, "name"), result.Message)
			return result, true
		}
	}
	return Result{Status: Healthy}, true
}

// grafana reads conditions whose types end in Synchronized, one for each kind.
func grafana(obj map[string]any) (Result, bool) {
	if outdated(obj) {
		return unseen(unobserved), true
	}
	for _, c := range conditions(obj) {
		switch {
		case c.kind == "InvalidSpec" && c.status == "True", hasSuffix(c.kind, "Synchronized") && c.status == "False", c.kind == "GrafanaReady" && c.status == "False":
			return say(Degraded, c.why()).from(c.since), true
		case hasSuffix(c.kind, "Synchronized") && c.status == "True", c.kind == "GrafanaReady" && c.status == "True":
			return say(Healthy, c.why()).from(c.since), true
		}
	}
	switch text(obj, "status", "stageStatus") {
	case "failed":
		return say(Degraded, orElse(text(obj, "status", "lastMessage"), "A stage failed")), true
	case "success":
		return Result{Status: Healthy}, true
	case "":
		return Result{}, false
	default:
		return say(Progressing, "The stage "+text(obj, "status", "stage")+" is under way"), true
	}
}
