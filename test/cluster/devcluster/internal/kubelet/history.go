package kubelet

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pods"
)

const (
	// sign is how often a container that prints nothing itself says that it
	// is alive.
	sign = 10 * time.Second
	// signsKept bounds the log of a container that has run for long.
	signsKept = 20
)

// line is one line of a log.
type line struct {
	at   time.Time
	text string
}

// history returns what one run of a container has written by now: what its
// command prints, or lines made up when it prints nothing.
func (t target) history(status *corev1.ContainerStatus, now time.Time) []line {
	began, end := pods.Began(status), now
	ended := status.State.Terminated
	if ended != nil {
		end = ended.FinishedAt.Time
	}
	program := pods.ProgramOf(&t.spec, t.ofJob())
	if len(program.Prints) > 0 {
		return printed(program, began, now)
	}
	lines := []line{{began, fmt.Sprintf("container %s of pod %s/%s started, image %s", t.spec.Name, t.pod.Namespace, t.pod.Name, t.spec.Image)}}
	signs := int(end.Sub(began) / sign)
	for i := max(1, signs-signsKept+1); i <= signs; i++ {
		after := time.Duration(i) * sign
		lines = append(lines, line{began.Add(after), fmt.Sprintf("container %s has been running for %s", t.spec.Name, after)})
	}
	if ended != nil {
		lines = append(lines, line{end, fmt.Sprintf("container %s ended with exit code %d", t.spec.Name, ended.ExitCode)})
	}
	return lines
}

func printed(program pods.Program, began, now time.Time) []line {
	var lines []line
	for _, p := range program.Prints {
		if at := began.Add(p.At); !at.After(now) {
			lines = append(lines, line{at, p.Text})
		}
	}
	return lines
}

// ofJob tells whether the container ends at once when nothing says otherwise.
func (t target) ofJob() bool {
	owner := metav1.GetControllerOf(t.pod)
	initial := slices.ContainsFunc(t.pod.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == t.spec.Name && c.RestartPolicy == nil
	})
	return initial || owner != nil && owner.Kind == "Job"
}

// run returns the status of the run that a log is asked of.
func (t target) run(previous bool) (*corev1.ContainerStatus, error) {
	if previous {
		last := t.status.LastTerminationState.Terminated
		if last == nil {
			return nil, fmt.Errorf("previous terminated container %q in pod %q not found", t.spec.Name, t.pod.Name)
		}
		return &corev1.ContainerStatus{ContainerID: last.ContainerID, State: t.status.LastTerminationState}, nil
	}
	if waiting := t.status.State.Waiting; waiting != nil {
		if last := t.status.LastTerminationState.Terminated; last != nil {
			return t.run(true)
		}
		return nil, fmt.Errorf("container %q in pod %q is waiting to start: %s", t.spec.Name, t.pod.Name, waiting.Reason)
	}
	return t.status, nil
}
