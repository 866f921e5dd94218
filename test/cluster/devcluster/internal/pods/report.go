package pods

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ended returns the status of a pod whose containers were told to stop.
func ended(pod *corev1.Pod, now time.Time) *corev1.PodStatus {
	status := pod.Status.DeepCopy()
	l := &life{pod: pod, status: status, now: now}
	endAll(status.InitContainerStatuses, now, terminated)
	endAll(status.ContainerStatuses, now, terminated)
	status.Phase = corev1.PodFailed
	l.setConditions(true)
	return status
}

// report makes an event of each container that got into trouble. Nothing is
// said of those that do well: a write for each would be much of the cost of a
// pod.
func (c *Controller) report(pod *corev1.Pod, status *corev1.PodStatus) {
	before := map[string]string{}
	for _, s := range pod.Status.InitContainerStatuses {
		before[s.Name] = trouble(&s)
	}
	for _, s := range pod.Status.ContainerStatuses {
		before[s.Name] = trouble(&s)
	}
	for _, statuses := range [][]corev1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses} {
		for _, s := range statuses {
			if now := trouble(&s); now != "" && now != before[s.Name] {
				c.recorder.Event(pod, corev1.EventTypeWarning, now, s.State.Waiting.Message)
			}
		}
	}
}

// trouble returns the reason of the event for a container's state, "" for
// none.
func trouble(s *corev1.ContainerStatus) string {
	if s.State.Waiting == nil {
		return ""
	}
	switch s.State.Waiting.Reason {
	case reasonImagePullBackOff:
		return "Failed"
	case reasonCrashLoopBackOff:
		return "BackOff"
	}
	return ""
}
