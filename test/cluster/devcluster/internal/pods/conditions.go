package pods

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	reasonPodCompleted    = "PodCompleted"
	reasonPodFailed       = "PodFailed"
	reasonNotReady        = "ContainersNotReady"
	reasonNotInitialized  = "ContainersNotInitialized"
	reasonGatesNotReady   = "ReadinessGatesNotReady"
	sandboxCondition      = corev1.PodReadyToStartContainers
	messageNotReady       = "containers with unready status: [%s]"
	messageNotInitialized = "containers with incomplete status: [%s]"
	messageGatesNotReady  = "corresponding condition of pod readiness gate %q does not exist or is not True"
	conditionTrue         = corev1.ConditionTrue
	conditionFalse        = corev1.ConditionFalse
)

// setConditions derives the conditions that a kubelet owns; the others stay.
func (l *life) setConditions(initialized bool) {
	done := finished(l.status)
	ending := reasonPodCompleted
	if l.status.Phase == corev1.PodFailed {
		ending = reasonPodFailed
	}
	l.set(sandboxCondition, !done, "", "")
	if initialized {
		reason := ""
		if l.status.Phase == corev1.PodSucceeded {
			reason = ending
		}
		l.set(corev1.PodInitialized, true, reason, "")
	} else {
		l.set(corev1.PodInitialized, false, reasonNotInitialized, fmt.Sprintf(messageNotInitialized, l.unready(l.status.InitContainerStatuses)))
	}
	unready := l.unready(l.status.ContainerStatuses)
	switch {
	case done:
		l.set(corev1.ContainersReady, false, ending, "")
		l.set(corev1.PodReady, false, ending, "")
	case unready != "":
		message := fmt.Sprintf(messageNotReady, unready)
		l.set(corev1.ContainersReady, false, reasonNotReady, message)
		l.set(corev1.PodReady, false, reasonNotReady, message)
	default:
		l.set(corev1.ContainersReady, true, "", "")
		if gate := l.closedGate(); gate != "" {
			l.set(corev1.PodReady, false, reasonGatesNotReady, fmt.Sprintf(messageGatesNotReady, gate))
		} else {
			l.set(corev1.PodReady, true, "", "")
		}
	}
}

func (l *life) unready(statuses []corev1.ContainerStatus) string {
	var names []string
	for _, c := range statuses {
		if !c.Ready {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, " ")
}

// closedGate returns a readiness gate that keeps the pod from being ready.
func (l *life) closedGate() corev1.PodConditionType {
	for _, gate := range l.pod.Spec.ReadinessGates {
		if c := l.find(gate.ConditionType); c == nil || c.Status != conditionTrue {
			return gate.ConditionType
		}
	}
	return ""
}

func (l *life) find(kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range l.status.Conditions {
		if l.status.Conditions[i].Type == kind {
			return &l.status.Conditions[i]
		}
	}
	return nil
}

func (l *life) set(kind corev1.PodConditionType, holds bool, reason, message string) {
	status := conditionFalse
	if holds {
		status = conditionTrue
	}
	c := l.find(kind)
	if c == nil {
		l.status.Conditions = append(l.status.Conditions, corev1.PodCondition{Type: kind})
		c = &l.status.Conditions[len(l.status.Conditions)-1]
	}
	if c.Status != status {
		c.Status, c.LastTransitionTime = status, metav1.NewTime(l.now)
	}
	c.Reason, c.Message, c.ObservedGeneration = reason, message, l.pod.Generation
}
