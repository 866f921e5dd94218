package health

// platform are further kinds that many clusters have.
func platform() map[string]check {
	return merged(
		each("operators.coreos.com", byField(words{
			field: []string{"status", "phase"}, message: []string{"status", "message"}, waiting: "The version has not been looked at yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Succeeded"), phases(Degraded, "Failed"), phases(Unknown, "Unknown")),
		}), "ClusterServiceVersion"),
		each("operators.coreos.com", byField(words{
			field: []string{"status", "phase"}, waiting: "The plan has not been looked at yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Complete"), phases(Degraded, "Failed"), phases(Suspended, "RequiresApproval")),
		}), "InstallPlan"),
		each("operators.coreos.com", byConditions("The subscription has not been resolved yet",
			isTrue("CatalogSourcesUnhealthy", Degraded), isTrue("InstallPlanFailed", Degraded), isTrue("ResolutionFailed", Degraded),
			isTrue("InstallPlanMissing", Progressing), isTrue("InstallPlanPending", Suspended).because("RequiresApproval"),
			isTrue("InstallPlanPending", Progressing), isFalse("CatalogSourcesUnhealthy", Healthy)), "Subscription"),
		each("operators.coreos.com", byField(words{
			field: []string{"status", "connectionState", "lastObservedState"}, waiting: "The catalog has not been reached yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "READY"), phases(Degraded, "TRANSIENT_FAILURE", "SHUTDOWN")),
		}), "CatalogSource"),
		each("kyverno.io", ready("The policy has not been looked at yet"), "ClusterPolicy", "Policy"),
		each("kubevirt.io", byConditions("The machine has not been looked at yet",
			isTrue("Paused", Suspended), isFalse("Synchronized", Degraded), isTrue("Failure", Degraded),
			isFalse("Ready", Suspended).because("VMNotRunning"), isFalse("Ready", Progressing), isTrue("Ready", Healthy)), "VirtualMachine", "VirtualMachineInstance"),
		each("cdi.kubevirt.io", byField(words{
			field: []string{"status", "phase"}, waiting: "The import has not started yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Succeeded"), phases(Degraded, "Failed", "Unknown"), phases(Suspended, "Paused", "WaitForFirstConsumer")),
		}), "DataVolume"),
		each("longhorn.io", byField(words{
			field: []string{"status", "robustness"}, waiting: "The volume has not been looked at yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "healthy", "unknown"), phases(Degraded, "degraded", "faulted")),
		}), "Volume"),
		each("velero.io", byField(words{
			field: []string{"status", "phase"}, message: []string{"status", "failureReason"}, waiting: "It has not been looked at yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "Completed", "Available", "Enabled"), phases(Degraded, "Failed", "PartiallyFailed", "FailedValidation", "Unavailable")),
		}), "Backup", "Restore", "BackupStorageLocation", "Schedule"),
		each("projectcontour.io", byField(words{
			field: []string{"status", "currentStatus"}, message: []string{"status", "description"}, waiting: "The proxy has not been looked at yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "valid"), phases(Degraded, "invalid", "orphaned")),
		}), "HTTPProxy"),
		each("sparkoperator.k8s.io", byField(words{
			field: []string{"status", "applicationState", "state"}, message: []string{"status", "applicationState", "errorMessage"},
			waiting: "The application has not been submitted yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "COMPLETED", "RUNNING"), phases(Degraded, "FAILED", "SUBMISSION_FAILED", "FAILING", "INVALIDATING"), phases(Unknown, "UNKNOWN")),
		}), "SparkApplication"),
		each("flink.apache.org", byField(words{
			field: []string{"status", "jobStatus", "state"}, message: []string{"status", "error"}, waiting: "The job has not been submitted yet", otherwise: Progressing,
			meaning: either(phases(Healthy, "RUNNING", "FINISHED"), phases(Degraded, "FAILED"), phases(Suspended, "SUSPENDED")),
		}), "FlinkDeployment", "FlinkSessionJob"),
		each("k8s.keycloak.org", byConditions("It has not been observed by the operator yet",
			isTrue("HasErrors", Degraded), isTrue("Ready", Healthy), isTrue("Done", Healthy), isFalse("Ready", Progressing), isFalse("Done", Progressing)), "Keycloak", "KeycloakRealmImport"),
		each("apps.kruise.io", always(deployment), "CloneSet"),
		each("apps.kruise.io", always(statefulSet), "StatefulSet"),
		each("apps.kruise.io", always(daemonSet), "DaemonSet"),
		each("apps.openshift.io", byConditions("The deployment has not been observed by its controller yet",
			isFalse("Progressing", Degraded).because("ProgressDeadlineExceeded", "FailedCreate"), isFalse("Available", Progressing), isTrue("Available", Healthy)), "DeploymentConfig"),
		each("route.openshift.io", always(openshiftRoute), "Route"),
	)
}

// platformPatterns are Google's Config Connector, whose kinds all report alike.
func platformPatterns() []pattern {
	return []pattern{{group: "*.cnrm.cloud.google.com", check: byConditions("The resource has not been looked at yet",
		isFalse("Ready", Degraded).because("UpdateFailed", "DependencyNotFound", "DependencyInvalid", "DeleteFailed", "ManagementConflict", "PreActuationTransformFailed"),
		isFalse("Ready", Progressing), isTrue("Ready", Healthy))}}
}

func openshiftRoute(obj map[string]any) Result {
	routers := items(obj, "status", "ingress")
	if len(routers) == 0 {
		return say(Progressing, "No router has taken the route yet")
	}
	for _, router := range routers {
		if result, ok := firstOf(obj, conditionsAt(router, "conditions"), []when{isFalse("Admitted", Degraded)}); ok {
			result.Message = because("Router "+text(router, "routerName"), result.Message)
			return result
		}
	}
	return Result{Status: Healthy}
}
