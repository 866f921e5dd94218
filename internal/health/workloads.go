package health

import "fmt"

// stale tells whether the controller has not looked at the current spec yet, so that its status speaks of an older one.
func stale(obj map[string]any) bool {
	return amount(obj, "metadata", "generation") > amount(obj, "status", "observedGeneration")
}

func deployment(obj map[string]any) Result {
	if flag(obj, "spec", "paused") {
		return say(Suspended, "The rollout is paused")
	}
	if stale(obj) {
		return unseen("The new spec has not been observed by the deployment controller yet")
	}
	for _, c := range conditions(obj) {
		if c.kind == "Progressing" && c.reason == "ProgressDeadlineExceeded" {
			return say(Degraded, because("The rollout exceeded its progress deadline", c.message)).from(c.since)
		}
	}
	updated := amount(obj, "status", "updatedReplicas")
	replicas := amount(obj, "status", "replicas")
	available := amount(obj, "status", "availableReplicas")
	if want, ok := number(obj, "spec", "replicas"); ok && updated < want {
		return say(Progressing, fmt.Sprintf("%d of %d replicas run the new version", updated, want))
	}
	if replicas > updated {
		return say(Progressing, count(replicas-updated, "old replica")+" still to be terminated")
	}
	if available < updated {
		return say(Progressing, fmt.Sprintf("%d of %d updated replicas are available", available, updated))
	}
	return Result{Status: Healthy}
}

func replicaSet(obj map[string]any) Result {
	if stale(obj) {
		return unseen("The new spec has not been observed by the replica set controller yet")
	}
	for _, c := range conditions(obj) {
		if c.kind == "ReplicaFailure" && c.status == "True" {
			return say(Degraded, because("Pods cannot be created", c.message)).from(c.since)
		}
	}
	available := amount(obj, "status", "availableReplicas")
	if want, ok := number(obj, "spec", "replicas"); ok && available < want {
		return say(Progressing, fmt.Sprintf("%d of %d replicas are available", available, want))
	}
	return Result{Status: Healthy}
}

func daemonSet(obj map[string]any) Result {
	if stale(obj) {
		return unseen("The new spec has not been observed by the daemon set controller yet")
	}
	want := amount(obj, "status", "desiredNumberScheduled")
	updated := amount(obj, "status", "updatedNumberScheduled")
	available := amount(obj, "status", "numberAvailable")
	if text(obj, "spec", "updateStrategy", "type") == "OnDelete" {
		return say(Healthy, fmt.Sprintf("%d of %d pods run the new version; the others follow when they are deleted", updated, want))
	}
	if updated < want {
		return say(Progressing, fmt.Sprintf("%d of %d pods run the new version", updated, want))
	}
	if available < want {
		return say(Progressing, fmt.Sprintf("%d of %d pods are available", available, want))
	}
	return Result{Status: Healthy}
}

func statefulSet(obj map[string]any) Result {
	if amount(obj, "status", "observedGeneration") == 0 || stale(obj) {
		return unseen("The new spec has not been observed by the stateful set controller yet")
	}
	want, wanted := number(obj, "spec", "replicas")
	ready := amount(obj, "status", "readyReplicas")
	updated := amount(obj, "status", "updatedReplicas")
	if wanted && ready < want {
		return say(Progressing, fmt.Sprintf("%d of %d pods are ready", ready, want))
	}
	switch text(obj, "spec", "updateStrategy", "type") {
	case "OnDelete":
		return say(Healthy, count(ready, "pod")+" ready; each takes the new version when it is deleted")
	case "RollingUpdate":
		// A rolling update block, even an empty one, means that the update may stop at a partition on purpose, so
		// that revisions may differ for good.
		if _, ok := at(obj, "spec", "updateStrategy", "rollingUpdate").(map[string]any); ok {
			partition, ok := number(obj, "spec", "updateStrategy", "rollingUpdate", "partition")
			if wanted && ok && updated < want-partition {
				return say(Progressing, fmt.Sprintf("%d of %d pods above the partition run the new version", updated, want-partition))
			}
			return Result{Status: Healthy}
		}
	}
	update := text(obj, "status", "updateRevision")
	if update != text(obj, "status", "currentRevision") {
		return say(Progressing, fmt.Sprintf("%s at the new revision %s, the rolling update goes on", count(updated, "pod"), update))
	}
	return Result{Status: Healthy}
}
