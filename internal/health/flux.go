package health

func flux() map[string]check {
	of := func(waiting string) check {
		return suspended("The reconciliation is suspended", byConditions(waiting,
			isTrue("Stalled", Degraded),
			isFalse("Ready", Progressing).because("Progressing", "ProgressingWithRetry", "DependencyNotReady", "ArtifactFailed"),
			isFalse("Ready", Degraded),
			isTrue("Reconciling", Progressing), isUnknown("Ready"),
			isTrue("Ready", Healthy)), "spec", "suspend")
	}
	return merged(
		each("source.toolkit.fluxcd.io", of("The source has not been fetched yet"), "GitRepository", "Bucket", "OCIRepository", "HelmChart", "ExternalArtifact"),
		// A repository of OCI artifacts is only an address, and has no status.
		each("source.toolkit.fluxcd.io", helmRepository(of("The index has not been fetched yet")), "HelmRepository"),
		each("kustomize.toolkit.fluxcd.io", of("It has not been applied yet"), "Kustomization"),
		each("helm.toolkit.fluxcd.io", of("The release has not been installed yet"), "HelmRelease"),
		each("image.toolkit.fluxcd.io", of("The images have not been looked at yet"), "ImageRepository", "ImagePolicy", "ImageUpdateAutomation"),
		each("notification.toolkit.fluxcd.io", of("The receiver has no address yet"), "Receiver"),
		each("notification.toolkit.fluxcd.io", suspended("It is suspended", withStatus(generic), "spec", "suspend"), "Alert", "Provider"),
		each("fluxcd.controlplane.io", of("It has not been applied yet"), "FluxInstance", "ResourceSet", "ResourceSetInputProvider"),
		each("infra.contrib.fluxcd.io", of("The plan has not been made yet"), "Terraform"),
		each("flagger.app", byField(words{
			field: []string{"status", "phase"}, waiting: "The canary has not been initialized yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Initialized", "Succeeded"), phases(Degraded, "Failed"), phases(Suspended, "WaitingPromotion", "Waiting")),
		}), "Canary"),
	)
}

func helmRepository(next check) check {
	return func(obj map[string]any) (Result, bool) {
		if text(obj, "spec", "type") == "oci" && !flag(obj, "spec", "suspend") && len(conditions(obj)) == 0 {
			return say(Healthy, "The repository is an address of OCI artifacts"), true
		}
		return next(obj)
	}
}
