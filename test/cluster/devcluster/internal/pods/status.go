package pods

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// addresses are those of a pod and of its node.
type addresses struct {
	pod, node string
}

// next returns the status that a pod has at now, and how long until time alone
// changes it; 0 means never. The pod is not changed.
func next(pod *corev1.Pod, at addresses, now time.Time) (*corev1.PodStatus, time.Duration) {
	status := pod.Status.DeepCopy()
	if finished(status) {
		return status, 0
	}
	l := &life{pod: pod, status: status, now: now, completes: ofJob(pod)}
	status.ObservedGeneration = pod.Generation
	if status.StartTime == nil {
		start := metav1.NewTime(now)
		status.StartTime = &start
	}
	status.HostIP, status.HostIPs = at.node, []corev1.HostIP{{IP: at.node}}
	status.PodIP, status.PodIPs = at.pod, []corev1.PodIP{{IP: at.pod}}

	initialized := l.advanceInit()
	l.advanceMain(initialized)
	l.setPhase(initialized)
	l.setConditions(initialized)
	return status, l.wait
}

// life works out one status.
type life struct {
	pod       *corev1.Pod
	status    *corev1.PodStatus
	now       time.Time
	completes bool
	wait      time.Duration
}

// finished tells whether nothing will run in a pod any more.
func finished(status *corev1.PodStatus) bool {
	return status.Phase == corev1.PodSucceeded || status.Phase == corev1.PodFailed
}

// ofJob tells whether a pod is a Job's, whose containers end when nothing says
// otherwise.
func ofJob(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "Job"
}

// sidecar tells whether an init container goes on beside the main ones.
func sidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// sleepUntil makes the earliest of several waits the one that counts.
func (l *life) sleepUntil(wait time.Duration) {
	if wait > 0 && (l.wait == 0 || wait < l.wait) {
		l.wait = wait
	}
}

func (l *life) container(spec *corev1.Container, completes bool, restart corev1.RestartPolicy, statuses []corev1.ContainerStatus) *container {
	c := &container{spec: spec, program: ProgramOf(spec, completes), restart: restart, podUID: string(l.pod.UID)}
	for i := range statuses {
		if statuses[i].Name == spec.Name {
			c.status = statuses[i]
		}
	}
	return c
}

// advanceInit runs the init containers one after the other and reports whether
// the main ones may run.
func (l *life) advanceInit() bool {
	done := true
	restart := corev1.RestartPolicyOnFailure
	if l.pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
		restart = corev1.RestartPolicyNever
	}
	var statuses []corev1.ContainerStatus
	for i := range l.pod.Spec.InitContainers {
		spec := &l.pod.Spec.InitContainers[i]
		stays := sidecar(spec)
		c := l.container(spec, !stays, restart, l.status.InitContainerStatuses)
		if stays {
			c.restart = corev1.RestartPolicyAlways
		}
		switch {
		case !done:
			c.status.Name = spec.Name
			c.wait(reasonInitializing, "")
		case stays:
			l.sleepUntil(c.advance(l.now))
			done = c.status.Ready
		default:
			if !succeeded(&c.status) {
				l.sleepUntil(c.advance(l.now))
			}
			done = succeeded(&c.status)
			c.status.Ready = done
		}
		statuses = append(statuses, c.status)
	}
	l.status.InitContainerStatuses = statuses
	return done
}

func succeeded(status *corev1.ContainerStatus) bool {
	return status.State.Terminated != nil && status.State.Terminated.ExitCode == 0
}

// advanceMain runs the main containers, all at once.
func (l *life) advanceMain(initialized bool) {
	var statuses []corev1.ContainerStatus
	for i := range l.pod.Spec.Containers {
		c := l.container(&l.pod.Spec.Containers[i], l.completes, l.pod.Spec.RestartPolicy, l.status.ContainerStatuses)
		if initialized {
			l.sleepUntil(c.advance(l.now))
		} else {
			c.status.Name = c.spec.Name
			c.wait(reasonInitializing, "")
		}
		statuses = append(statuses, c.status)
	}
	l.status.ContainerStatuses = statuses
	l.advanceEphemeral()
}

// advanceEphemeral starts the containers that kubectl debug adds.
func (l *life) advanceEphemeral() {
	var statuses []corev1.ContainerStatus
	for i := range l.pod.Spec.EphemeralContainers {
		spec := corev1.Container(l.pod.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		c := l.container(&spec, false, corev1.RestartPolicyNever, l.status.EphemeralContainerStatuses)
		l.sleepUntil(c.advance(l.now))
		statuses = append(statuses, c.status)
	}
	l.status.EphemeralContainerStatuses = statuses
}

// setPhase sums the containers up, and ends the sidecars of a pod that is done.
func (l *life) setPhase(initialized bool) {
	if !initialized {
		l.status.Phase = corev1.PodPending
		for _, c := range l.status.InitContainerStatuses {
			if c.State.Terminated != nil && c.State.Terminated.ExitCode != 0 {
				// Only a pod that never restarts leaves it at that.
				l.status.Phase = corev1.PodFailed
				l.endSidecars()
			}
		}
		return
	}
	waiting, running, failed := 0, 0, 0
	for _, c := range l.status.ContainerStatuses {
		switch {
		case c.State.Running != nil:
			running++
		case c.State.Waiting != nil && c.LastTerminationState.Terminated == nil:
			waiting++
		case c.State.Waiting != nil:
			running++
		case c.State.Terminated.ExitCode != 0:
			failed++
		}
	}
	switch {
	case waiting > 0:
		l.status.Phase = corev1.PodPending
	case running > 0:
		l.status.Phase = corev1.PodRunning
	case failed > 0:
		l.status.Phase = corev1.PodFailed
		l.endSidecars()
	default:
		l.status.Phase = corev1.PodSucceeded
		l.endSidecars()
	}
}

func (l *life) endSidecars() {
	l.wait = 0
	endAll(l.status.InitContainerStatuses, l.now, 0)
}

// endAll ends whatever still runs or waits to be restarted.
func endAll(statuses []corev1.ContainerStatus, now time.Time, exitCode int32) {
	for i := range statuses {
		c := container{status: statuses[i]}
		if c.status.State.Running == nil {
			continue
		}
		c.end(now, exitCode)
		c.status.Ready, c.status.Started = false, new(bool)
		statuses[i] = c.status
	}
}
