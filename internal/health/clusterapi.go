package health

func clusterAPI() map[string]check {
	paused := func(next check) check { return suspended("The reconciliation is paused", next, "spec", "paused") }
	return merged(
		each("cluster.x-k8s.io", paused(bySeverity(machines("Provisioned"))), "Cluster"),
		each("cluster.x-k8s.io", bySeverity(machines("Running")), "Machine", "MachinePool", "MachineDeployment"),
		each("cluster.x-k8s.io", withStatus(bySeverity(generic)), "MachineSet", "MachineHealthCheck", "ClusterClass"),
		each("controlplane.cluster.x-k8s.io", withStatus(bySeverity(generic)), "KubeadmControlPlane", "AWSManagedControlPlane", "RKE2ControlPlane", "TalosControlPlane"),
		each("addons.cluster.x-k8s.io", byConditions("The resources have not been applied yet",
			isFalse("ResourcesApplied", Degraded), isTrue("ResourcesApplied", Healthy)), "ClusterResourceSet"),
		each("addons.cluster.x-k8s.io", ready("The release has not been installed yet"), "HelmChartProxy", "HelmReleaseProxy"),
	)
}

// bySeverity puts failures that Cluster API calls errors first: a condition that is false may mean anything else.
func bySeverity(next check) check {
	return func(obj map[string]any) (Result, bool) {
		if outdated(obj) {
			return unseen(unobserved), true
		}
		if message := orElse(text(obj, "status", "failureMessage"), text(obj, "status", "failureReason")); message != "" {
			return say(Degraded, message), true
		}
		for _, c := range conditions(obj) {
			if c.status == "False" && c.severity == "Error" {
				return say(Degraded, because(c.kind+" is False", c.why())).from(c.since), true
			}
		}
		return next(obj)
	}
}

// machines reads the phase, and then what the conditions say of an object that has reached its last one.
func machines(last string) check {
	phase := byField(words{
		field: []string{"status", "phase"}, waiting: "It has not been observed by its controller yet", otherwise: Progressing,
		meaning: either(phases(Healthy, last), phases(Degraded, "Failed"), phases(Unknown, "Unknown")),
	})
	return func(obj map[string]any) (Result, bool) {
		result, ok := phase(obj)
		if !ok || result.Status != Healthy {
			return result, ok
		}
		for _, kind := range []string{"Ready", "Available", "ControlPlaneReady", "InfrastructureReady"} {
			for _, c := range conditions(obj) {
				if c.kind == kind && c.status == "False" {
					return say(Progressing, because(c.kind+" is False", c.why())).from(c.since), true
				}
			}
		}
		return result, ok
	}
}
