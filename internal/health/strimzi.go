package health

import "fmt"

func strimzi() map[string]check {
	operated := byConditions("It has not been observed by the operator yet",
		isTrue("ReconciliationPaused", Suspended),
		isTrue("NotReady", Progressing).because("Creating"), isTrue("NotReady", Degraded),
		isFalse("Ready", Degraded), isTrue("Ready", Healthy))
	return merged(
		each("kafka.strimzi.io", operated, "Kafka", "KafkaConnect", "KafkaConnector", "KafkaBridge", "KafkaMirrorMaker", "KafkaMirrorMaker2", "KafkaTopic", "KafkaUser", "KafkaAccess"),
		each("kafka.strimzi.io", byConditions("The rebalance has not been looked at yet",
			isTrue("ReconciliationPaused", Suspended), isTrue("NotReady", Degraded),
			isTrue("PendingProposal", Progressing), isTrue("Rebalancing", Progressing),
			isTrue("ProposalReady", Suspended), isTrue("Stopped", Suspended), isTrue("Ready", Healthy)), "KafkaRebalance"),
		each("kafka.strimzi.io", withStatus(nodePool), "KafkaNodePool"),
		each("core.strimzi.io", always(podSet), "StrimziPodSet"),
	)
}

// nodePool says nothing of its own health beyond a warning; the Kafka it belongs to does.
func nodePool(obj map[string]any) (Result, bool) {
	if outdated(obj) {
		return unseen(unobserved), true
	}
	return say(Healthy, count(amount(obj, "status", "replicas"), "replica")), true
}

func podSet(obj map[string]any) Result {
	if outdated(obj) {
		return unseen(unobserved)
	}
	pods, current, ready := amount(obj, "status", "pods"), amount(obj, "status", "currentPods"), amount(obj, "status", "readyPods")
	switch {
	case pods == 0 && len(items(obj, "spec", "pods")) > 0:
		return say(Progressing, "No pod has been made yet")
	case current < pods:
		return say(Progressing, fmt.Sprintf("%d of %d pods run the new version", current, pods))
	case ready < pods:
		return say(Progressing, fmt.Sprintf("%d of %d pods are ready", ready, pods))
	default:
		return Result{Status: Healthy}
	}
}
