package health

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func argo() map[string]check {
	return map[string]check{
		"argoproj.io/Workflow":     always(workflow),
		"argoproj.io/Rollout":      always(rollout),
		"argoproj.io/AnalysisRun":  byField(analysis("The analysis has not started yet")),
		"argoproj.io/Experiment":   byField(analysis("The experiment has not started yet")),
		"argoproj.io/CronWorkflow": always(cronWorkflow),
		"argoproj.io/ApplicationSet": byConditions("The status has not been reported yet",
			isTrue("ErrorOccurred", Degraded), isTrue("RolloutProgressing", Progressing),
			isTrue("ResourcesUpToDate", Healthy), isFalse("ResourcesUpToDate", Progressing)),
		"promoter.argoproj.io/PromotionStrategy":    ready("The promotion has not been looked at yet"),
		"promoter.argoproj.io/ChangeTransferPolicy": ready("The policy has not been looked at yet"),
	}
}

func analysis(waiting string) words {
	return words{
		field: []string{"status", "phase"}, message: []string{"status", "message"}, waiting: waiting, otherwise: Unknown,
		meaning: either(phases(Progressing, "Pending", "Running"), phases(Healthy, "Successful"),
			phases(Degraded, "Failed", "Error"), phases(Unknown, "Inconclusive")),
	}
}

// rollout follows the phase, which Argo Rollouts computes itself since 1.0; the generation in its status is a text.
func rollout(obj map[string]any) Result {
	if seen, err := strconv.ParseInt(text(obj, "status", "observedGeneration"), 10, 64); err == nil && seen < amount(obj, "metadata", "generation") {
		return unseen("The new spec has not been observed by the rollout controller yet")
	}
	for _, c := range conditions(obj) {
		if c.kind == "InvalidSpec" && c.status != "False" {
			return say(Degraded, because("The spec is not valid", c.message)).from(c.since)
		}
	}
	message := text(obj, "status", "message")
	switch text(obj, "status", "phase") {
	case "Healthy":
		return say(Healthy, message)
	case "Progressing":
		return say(Progressing, message)
	case "Paused":
		return say(Suspended, orElse(message, "The rollout is paused"))
	case "Degraded":
		return say(Degraded, message)
	}
	return oldRollout(obj)
}

// oldRollout reads a rollout whose controller writes no phase.
func oldRollout(obj map[string]any) Result {
	if flag(obj, "spec", "paused") || flag(obj, "status", "controllerPause") {
		return say(Suspended, "The rollout is paused")
	}
	if result, ok := firstOf(obj, conditions(obj), []when{
		isFalse("Progressing", Degraded).because("RolloutAborted", "ProgressDeadlineExceeded"),
	}); ok {
		return result
	}
	want, wanted := number(obj, "spec", "replicas")
	updated, available, all := amount(obj, "status", "updatedReplicas"), amount(obj, "status", "availableReplicas"), amount(obj, "status", "replicas")
	switch {
	case text(obj, "status", "currentPodHash") == "":
		return say(Progressing, "The rollout has not been observed by its controller yet")
	case wanted && updated < want:
		return say(Progressing, fmt.Sprintf("%d of %d replicas run the new version", updated, want))
	case all > updated:
		return say(Progressing, count(all-updated, "old replica")+" still to be terminated")
	case available < updated:
		return say(Progressing, fmt.Sprintf("%d of %d updated replicas are available", available, updated))
	default:
		return Result{Status: Healthy}
	}
}

func cronWorkflow(obj map[string]any) Result {
	list := conditions(obj)
	if result, ok := firstOf(obj, list, []when{isTrue("SubmissionError", Degraded), isTrue("SpecError", Degraded)}); ok {
		return result
	}
	if flag(obj, "spec", "suspend") {
		return say(Healthy, "The schedule is suspended")
	}
	return say(Healthy, "The schedule is in force")
}

func argoEvents() map[string]check {
	return merged(
		each("argoproj.io", deployed, "EventBus", "EventSource", "Sensor"),
	)
}

// deployed reads objects of Argo Events: each condition is a step, and one that is false has failed.
func deployed(obj map[string]any) (Result, bool) {
	if outdated(obj) {
		return unseen(unobserved), true
	}
	list := conditions(obj)
	for _, c := range list {
		if c.status == "False" {
			return say(Degraded, because(c.kind+" is False", c.why())).from(c.since), true
		}
	}
	if len(list) == 0 {
		return say(Progressing, "It has not been deployed yet"), true
	}
	for _, c := range list {
		if c.status != "True" {
			return say(Progressing, because(c.kind+" is "+c.status, c.why())).from(c.since), true
		}
	}
	return say(Healthy, list[0].message), true
}

// OfApplication is the health that an Application below another says it has; false for other objects, and before it has
// said anything. It is there to be shown. It decides nothing, as in Argo CD, unless the operator's own check says so.
func OfApplication(obj *unstructured.Unstructured) (Result, bool) {
	if obj == nil || text(obj.Object, "kind") != "Application" || groupOf(text(obj.Object, "apiVersion")) != "argoproj.io" {
		return Result{}, false
	}
	status := Status(text(obj.Object, "status", "health", "status"))
	switch status {
	case Healthy, Suspended, Progressing, Missing, Degraded, Unknown:
		return Result{Status: status, Message: text(obj.Object, "status", "health", "message")}, true
	}
	return Result{}, false
}
