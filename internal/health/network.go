package health

func service(obj map[string]any) Result {
	if text(obj, "spec", "type") != "LoadBalancer" || hasAddress(obj) {
		return Result{Status: Healthy}
	}
	return say(Progressing, "The load balancer has no address yet")
}

func ingress(obj map[string]any) Result {
	if hasAddress(obj) {
		return Result{Status: Healthy}
	}
	return say(Progressing, "The ingress has no address yet")
}

// hasAddress follows Argo CD: a controller that lists an entry has done its part, whatever the entry holds.
func hasAddress(obj map[string]any) bool {
	list, _ := at(obj, "status", "loadBalancer", "ingress").([]any)
	return len(list) > 0
}

func persistentVolumeClaim(obj map[string]any) Result {
	switch phase := text(obj, "status", "phase"); phase {
	case "Bound":
		return Result{Status: Healthy}
	case "Pending":
		return say(Progressing, "The claim has no volume yet")
	case "Lost":
		return say(Degraded, "The claim has lost its volume "+text(obj, "spec", "volumeName"))
	case "":
		return say(Unknown, "The claim has no phase yet")
	default:
		return say(Unknown, "The claim has the unknown phase "+phase)
	}
}
