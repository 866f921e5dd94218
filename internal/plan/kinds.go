package plan

// ranks orders the kinds that others of the same wave build on. Kinds that are
// not named come between those and the ones in lateRanks. The order of kinds
// is the one that Argo CD and Helm document for installation; kinds that do
// not refer to each other share a rank, so that they are written at once.
var ranks = rankOf([][]string{
	{"/Namespace"},
	{"/ResourceQuota", "/LimitRange", "networking.k8s.io/NetworkPolicy", "policy/PodDisruptionBudget", "scheduling.k8s.io/PriorityClass"},
	{"apiextensions.k8s.io/CustomResourceDefinition"},
	{"/ServiceAccount", "/Secret", "/ConfigMap", "storage.k8s.io/StorageClass", "/PersistentVolume", "rbac.authorization.k8s.io/ClusterRole", "rbac.authorization.k8s.io/Role"},
	{"/PersistentVolumeClaim", "rbac.authorization.k8s.io/ClusterRoleBinding", "rbac.authorization.k8s.io/RoleBinding"},
	{"/Service"},
	{"apps/DaemonSet", "/Pod", "/ReplicationController", "apps/ReplicaSet", "apps/Deployment", "apps/StatefulSet", "batch/Job", "batch/CronJob"},
	{"autoscaling/HorizontalPodAutoscaler", "networking.k8s.io/IngressClass", "networking.k8s.io/Ingress"},
})

// lateRanks are kinds that take effect on other requests as soon as they
// exist, and so must not exist before what they call.
var lateRanks = rankOf([][]string{
	{"apiregistration.k8s.io/APIService"},
	{"admissionregistration.k8s.io/MutatingWebhookConfiguration", "admissionregistration.k8s.io/ValidatingWebhookConfiguration"},
})

func rankOf(groups [][]string) map[string]int {
	ranks := make(map[string]int)
	for rank, kinds := range groups {
		for _, kind := range kinds {
			ranks[kind] = rank
		}
	}
	return ranks
}

func kindRank(group, kind string) int {
	const unnamed = 100
	key := group + "/" + kind
	if rank, ok := ranks[key]; ok {
		return rank
	}
	if rank, ok := lateRanks[key]; ok {
		return unnamed + 1 + rank
	}
	return unnamed
}
