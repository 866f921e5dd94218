package pods

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	idPrefix = "devcluster://"

	firstBackOff = 10 * time.Second
	maxBackOff   = 5 * time.Minute
	// calm is how long a container must run to be restarted as if it had
	// never failed.
	calm = 10 * time.Minute

	// terminated is the exit code of a process that SIGTERM ended.
	terminated = 143

	reasonImagePullBackOff = "ImagePullBackOff"
	reasonCrashLoopBackOff = "CrashLoopBackOff"
	reasonCreating         = "ContainerCreating"
	reasonInitializing     = "PodInitializing"
	reasonCompleted        = "Completed"
	reasonError            = "Error"
)

// container is one container of a pod and what is known about it.
type container struct {
	spec    *corev1.Container
	program Program
	restart corev1.RestartPolicy
	podUID  string
	status  corev1.ContainerStatus
}

// advance brings the status up to now and returns how long until time alone
// changes it; 0 means never.
func (c *container) advance(now time.Time) time.Duration {
	c.status.Name = c.spec.Name
	for {
		wait, again := c.step(now)
		if !again {
			running := c.status.State.Running != nil
			c.status.Started = &running
			c.status.Ready = running
			return wait
		}
	}
}

// step makes one change of state if one is due.
func (c *container) step(now time.Time) (wait time.Duration, again bool) {
	switch state := c.status.State; {
	case state.Running != nil:
		return c.whileRunning(now)
	case state.Terminated != nil:
		return 0, c.afterEnd(state.Terminated)
	case missing(c.spec.Image):
		c.wait(reasonImagePullBackOff, fmt.Sprintf("Back-off pulling image %q: ErrImagePull: failed to pull image: no such host", c.spec.Image))
		return 0, false
	case state.Waiting != nil && state.Waiting.Reason == reasonCrashLoopBackOff:
		last := c.status.LastTerminationState.Terminated
		if due := last.FinishedAt.Add(backOff(c.status.RestartCount, last)); due.After(now) {
			return due.Sub(now), false
		}
		c.status.RestartCount++
		c.start(now)
		return 0, true
	default:
		c.start(now)
		return 0, true
	}
}

func (c *container) whileRunning(now time.Time) (wait time.Duration, again bool) {
	began := Began(&c.status)
	switch ends := began.Add(c.program.After); {
	case c.status.Image != c.spec.Image:
		c.end(now, terminated)
		c.restartNow()
		c.status.RestartCount++
		return 0, true
	case !c.program.Ends:
		return 0, false
	case ends.After(now):
		return ends.Sub(now), false
	default:
		c.end(ends, c.program.ExitCode)
		return 0, true
	}
}

// afterEnd decides what follows the end of a container, and reports whether
// anything does.
func (c *container) afterEnd(ended *corev1.ContainerStateTerminated) bool {
	if c.restart == corev1.RestartPolicyNever || c.restart == corev1.RestartPolicyOnFailure && ended.ExitCode == 0 {
		return false
	}
	c.restartNow()
	// The first restart is immediate, as with a real kubelet.
	if c.status.RestartCount > 0 {
		c.wait(reasonCrashLoopBackOff, fmt.Sprintf("back-off %s restarting failed container=%s", backOff(c.status.RestartCount, ended), c.spec.Name))
		return true
	}
	c.status.RestartCount++
	return true
}

// restartNow files the last run and makes room for the next.
func (c *container) restartNow() {
	c.status.LastTerminationState = c.status.State
	c.status.State = corev1.ContainerState{}
}

// backOff is how long a container waits after its restarts'th restart failed.
func backOff(restarts int32, last *corev1.ContainerStateTerminated) time.Duration {
	if last.FinishedAt.Sub(last.StartedAt.Time) >= calm {
		return firstBackOff
	}
	return min(maxBackOff, firstBackOff<<min(max(restarts-1, 0), 10))
}

func (c *container) wait(reason, message string) {
	c.status.Image = c.spec.Image
	c.status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func (c *container) start(now time.Time) {
	c.status.Image = c.spec.Image
	c.status.ImageID = idPrefix + "image/" + c.spec.Image
	c.status.ContainerID = containerID(c.podUID+c.spec.Name, now)
	c.status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now)}}
}

func (c *container) end(at time.Time, exitCode int32) {
	reason := reasonCompleted
	if exitCode != 0 {
		reason = reasonError
	}
	c.status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode:    exitCode,
		Reason:      reason,
		StartedAt:   metav1.NewTime(Began(&c.status)),
		FinishedAt:  metav1.NewTime(at),
		ContainerID: c.status.ContainerID,
	}}
}

// containerID holds the time of the start: the API keeps whole seconds only,
// and sleep 1 should take one.
func containerID(seed string, now time.Time) string {
	hash := fnv.New128a()
	hash.Write([]byte(seed))
	return fmt.Sprintf("%s%016x%x", idPrefix, now.UnixNano(), hash.Sum(nil))
}

// Began returns when the container that runs now, or that ran last, was
// started.
func Began(status *corev1.ContainerStatus) time.Time {
	hex := strings.TrimPrefix(status.ContainerID, idPrefix)
	if len(hex) >= 16 {
		if nanoseconds, err := strconv.ParseInt(hex[:16], 16, 64); err == nil {
			return time.Unix(0, nanoseconds)
		}
	}
	switch state := status.State; {
	case state.Running != nil:
		return state.Running.StartedAt.Time
	case state.Terminated != nil:
		return state.Terminated.StartedAt.Time
	}
	return time.Time{}
}
