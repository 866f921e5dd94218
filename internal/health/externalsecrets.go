package health

func externalSecrets() map[string]check {
	return merged(
		each("external-secrets.io", ready("The secret has not been read from its store yet"), "ExternalSecret"),
		each("external-secrets.io", ready("The store has not been reached yet"), "SecretStore", "ClusterSecretStore"),
		each("external-secrets.io", ready("The secret has not been pushed yet"), "PushSecret"),
		each("external-secrets.io", byConditions("The secrets have not been made yet",
			isFalse("Ready", Degraded), isTrue("NotReady", Degraded), isTrue("PartiallyReady", Degraded), isTrue("Ready", Healthy)),
			"ClusterExternalSecret", "ClusterPushSecret"),
		each("bitnami.com", byConditions("The secret has not been decrypted yet", isFalse("Synced", Degraded), isTrue("Synced", Healthy)), "SealedSecret"),
		each("secrets.infisical.com", withStatus(generic), "InfisicalSecret"),
		each("secrets.hashicorp.com", withStatus(generic), "VaultAuth", "VaultConnection", "VaultDynamicSecret", "VaultPKISecret", "VaultStaticSecret"),
	)
}
