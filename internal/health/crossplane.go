package health

// Crossplane's providers bring hundreds of kinds; all managed resources and composites report alike.
func crossplanePatterns() []pattern {
	return []pattern{
		{group: "pkg.crossplane.io", check: crossplanePackage()},
		{group: "apiextensions.crossplane.io", check: withStatus(crossplaneDefinition())},
		{group: "*.crossplane.io", check: managedResource},
		{group: "*.upbound.io", check: managedResource},
	}
}

// crossplane are the kinds that say nothing of their own well-being, for which existing is all there is.
func crossplane() map[string]check {
	none := func(map[string]any) (Result, bool) { return Result{}, false }
	return merged(
		each("apiextensions.crossplane.io", none, "Composition", "CompositionRevision", "EnvironmentConfig"),
		each("pkg.crossplane.io", none, "ControllerConfig", "DeploymentRuntimeConfig", "ImageConfig", "Lock"),
	)
}

// configuration are the kinds of providers that hold settings and report nothing but their use.
var configuration = []string{"ProviderConfig", "ProviderConfigUsage", "ClusterProviderConfig", "StoreConfig"}

func managedResource(obj map[string]any) (Result, bool) {
	if contains(configuration, text(obj, "kind")) {
		if users, ok := number(obj, "status", "users"); ok {
			return say(Healthy, "In use by "+count(users, "resource")), true
		}
		return Result{}, false
	}
	return byConditions("The external resource has not been made yet",
		isFalse("LastAsyncOperation", Degraded),
		isFalse("Synced", Suspended).because("ReconcilePaused"),
		isFalse("Synced", Degraded),
		isFalse("Ready", Progressing).because("Creating"),
		isFalse("Ready", Progressing).because("Deleting"),
		isFalse("Ready", Degraded).because("Unavailable"),
		isFalse("Ready", Progressing),
		isFalse("Healthy", Degraded),
		isTrue("Ready", Healthy),
		isTrue("Healthy", Healthy),
	)(obj)
}

func crossplanePackage() check {
	return byConditions("The package has not been installed yet",
		isFalse("Installed", Degraded).because("UnpackFailed", "InactivePackageRevision", "BadPackage"),
		isFalse("Installed", Progressing),
		isFalse("Verified", Degraded),
		isFalse("Healthy", Degraded), isFalse("RevisionHealthy", Degraded), isFalse("RuntimeHealthy", Degraded),
		isUnknown("Healthy"),
		isTrue("Healthy", Healthy), isTrue("RevisionHealthy", Healthy),
	)
}

func crossplaneDefinition() check {
	return byConditions("The definition has not been established yet",
		isFalse("Established", Progressing), isFalse("Offered", Progressing), isFalse("ValidPipeline", Degraded),
		isTrue("Established", Healthy), isTrue("ValidPipeline", Healthy), isTrue("Healthy", Healthy))
}
