package health

import (
	"fmt"
	"slices"
	"strings"
)

func pod(obj map[string]any) Result {
	result := podNow(obj)
	for _, c := range conditions(obj) {
		if c.kind == "Ready" && c.status != "True" {
			return result.from(c.since)
		}
	}
	return result
}

func podNow(obj map[string]any) Result {
	longRunning := runsForever(obj)
	if longRunning {
		if message := stuck(obj); message != "" {
			return say(Degraded, message)
		}
	}
	message := text(obj, "status", "message")
	switch text(obj, "status", "phase") {
	case "Pending":
		return say(Progressing, orElse(message, waitsFor(obj)))
	case "Succeeded":
		return say(Healthy, message)
	case "Failed":
		return say(Degraded, orElse(orElse(message, failure(obj)), "The pod failed"))
	case "Running":
		if !longRunning {
			// A pod that is to end is usually a hook; it is done when it has succeeded, not when it is ready.
			return say(Progressing, orElse(message, "The pod runs and has not completed yet"))
		}
		return running(obj, message)
	default:
		return say(Unknown, orElse(message, "The pod has no known phase"))
	}
}

// runsForever tells whether a pod counts as healthy when it is ready, and not only once it has completed.
func runsForever(obj map[string]any) bool {
	switch text(obj, "spec", "restartPolicy") {
	case "Always":
		return true
	case "OnFailure", "Never":
		return annotation(obj, AnnotationIgnoreRestartPolicy) == "true" && !isHook(obj)
	default:
		return false
	}
}

func isHook(obj map[string]any) bool {
	return annotation(obj, annotationHook) != "" || annotation(obj, annotationHelmHook) != ""
}

func running(obj map[string]any, message string) Result {
	for _, c := range conditions(obj) {
		if c.kind == "Ready" && c.status == "True" {
			return say(Healthy, message)
		}
	}
	for _, c := range items(obj, "status", "containerStatuses") {
		if _, ok := at(c, "lastState", "terminated").(map[string]any); ok {
			return say(Degraded, orElse(message, fmt.Sprintf("Container %s is not ready after %s", text(c, "name"), count(amount(c, "restartCount"), "restart"))))
		}
	}
	return say(Progressing, orElse(message, notReady(obj)))
}

// stuck gives a sentence on the containers that cannot start, and "" when there is none. These are the reasons
// CrashLoopBackOff, ImagePullBackOff, ErrImagePull, CreateContainerConfigError, RunContainerError and their like.
func stuck(obj map[string]any) string {
	var messages []string
	for _, c := range containers(obj) {
		reason := text(c, "state", "waiting", "reason")
		if strings.HasPrefix(reason, "Err") || strings.HasSuffix(reason, "Error") || strings.HasSuffix(reason, "BackOff") {
			messages = append(messages, because("Container "+text(c, "name")+" is in "+reason, text(c, "state", "waiting", "message")))
		}
	}
	return strings.Join(messages, ", ")
}

// failure gives a sentence on the first container that ended badly.
func failure(obj map[string]any) string {
	for _, c := range containers(obj) {
		reason := text(c, "state", "terminated", "reason")
		message := text(c, "state", "terminated", "message")
		code := amount(c, "state", "terminated", "exitCode")
		switch {
		case message != "":
			return "Container " + text(c, "name") + " failed: " + message
		case reason == "OOMKilled":
			return "Container " + text(c, "name") + " was killed because it ran out of memory (OOMKilled)"
		case code != 0:
			return fmt.Sprintf("Container %s failed with exit code %d", text(c, "name"), code)
		}
	}
	return ""
}

// waitsFor says what a pending pod waits for.
func waitsFor(obj map[string]any) string {
	for _, c := range conditions(obj) {
		if c.kind == "PodScheduled" && c.status == "False" {
			return because("The pod is not scheduled", orElse(c.message, c.reason))
		}
	}
	for _, c := range containers(obj) {
		if reason := text(c, "state", "waiting", "reason"); reason != "" {
			return because("Container "+text(c, "name")+" is in "+reason, text(c, "state", "waiting", "message"))
		}
	}
	return "The pod has not started yet"
}

func notReady(obj map[string]any) string {
	for _, c := range items(obj, "status", "containerStatuses") {
		if !flag(c, "ready") {
			return "Container " + text(c, "name") + " is not ready yet"
		}
	}
	return "The pod is not ready yet"
}

func containers(obj map[string]any) []map[string]any {
	return slices.Concat(items(obj, "status", "initContainerStatuses"), items(obj, "status", "containerStatuses"))
}
