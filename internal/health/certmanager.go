package health

func certManager() map[string]check {
	return merged(
		each("cert-manager.io", byConditions("The certificate has not been issued yet",
			isTrue("Issuing", Progressing), isFalse("Ready", Degraded), isTrue("Ready", Healthy)), "Certificate"),
		each("cert-manager.io", ready("The issuer has not been set up yet"), "Issuer", "ClusterIssuer"),
		each("cert-manager.io", byConditions("The request has not been approved yet",
			isTrue("Denied", Degraded), isTrue("InvalidRequest", Degraded),
			isFalse("Ready", Progressing).because("Pending"), isFalse("Ready", Degraded), isTrue("Ready", Healthy)), "CertificateRequest"),
		each("acme.cert-manager.io", acme("The certificate authority has not taken the order yet"), "Order"),
		each("acme.cert-manager.io", acme("The challenge has not been presented yet"), "Challenge"),
		each("certmanager.k8s.io", ready("The certificate has not been issued yet"), "Certificate", "Issuer", "ClusterIssuer"),
		each("trust.cert-manager.io", byConditions("The bundle has not been written yet", isFalse("Synced", Degraded), isTrue("Synced", Healthy)), "Bundle"),
	)
}

// acme reads the state of RFC 8555.
func acme(waiting string) check {
	return byField(words{
		field: []string{"status", "state"}, message: []string{"status", "reason"}, waiting: waiting, otherwise: Unknown,
		meaning: either(phases(Healthy, "valid", "ready"), phases(Progressing, "pending", "processing", "unknown"),
			phases(Degraded, "invalid", "expired", "errored")),
	})
}
