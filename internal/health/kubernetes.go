package health

func kubernetes() map[string]check {
	return map[string]check{
		"apps/Deployment":                     always(deployment),
		"apps/StatefulSet":                    always(statefulSet),
		"apps/DaemonSet":                      always(daemonSet),
		"apps/ReplicaSet":                     always(replicaSet),
		"batch/Job":                           always(job),
		"batch/CronJob":                       always(cronJob),
		"/Pod":                                always(pod),
		"/Service":                            always(service),
		"/PersistentVolumeClaim":              always(persistentVolumeClaim),
		"networking.k8s.io/Ingress":           always(ingress),
		"extensions/Ingress":                  always(ingress),
		"autoscaling/HorizontalPodAutoscaler": always(horizontalPodAutoscaler),
		"policy/PodDisruptionBudget":          always(podDisruptionBudget),
		"apiregistration.k8s.io/APIService":   always(apiService),
		"apiextensions.k8s.io/CustomResourceDefinition":    always(customResourceDefinition),
		"snapshot.storage.k8s.io/VolumeSnapshot":           always(volumeSnapshot),
		"groupsnapshot.storage.k8s.io/VolumeGroupSnapshot": always(volumeSnapshot),
	}
}

func volumeSnapshot(obj map[string]any) Result {
	switch {
	case text(obj, "status", "error", "message") != "":
		return say(Degraded, text(obj, "status", "error", "message")).from(text(obj, "status", "error", "time"))
	case flag(obj, "status", "readyToUse"):
		return say(Healthy, "The snapshot is ready to use")
	default:
		return say(Progressing, "The snapshot is being taken")
	}
}

// ownGroups are the groups of Kubernetes' own API. Their kinds have the health that is written here or none: what such
// an object reports in its status is not about its well-being in general.
var ownGroups = phases(Healthy,
	"", "apps", "batch", "autoscaling", "policy", "extensions", "events.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
	"flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
	"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io",
	"certificates.k8s.io", "internal.apiserver.k8s.io", "resource.k8s.io", "storagemigration.k8s.io", "metrics.k8s.io",
)

// withoutHealth tells the kinds that the generic reading leaves alone. An Application is one of them as in Argo CD: its
// health would put every application that contains it on hold (see [OfApplication]). The documentation has the script that gives it back.
func withoutHealth(group, kind string) bool {
	_, own := ownGroups[group]
	return own || group == "argoproj.io" && (kind == "Application" || kind == "AppProject")
}
