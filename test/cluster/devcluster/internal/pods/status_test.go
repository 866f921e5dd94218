package pods

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestNext follows pods through time: at each moment that the status asks for,
// up to a limit, it writes down what a user would see.
func TestNext(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	for behaviour, test := range map[string]struct {
		policy     corev1.RestartPolicy
		job        bool
		init       []corev1.Container
		containers []corev1.Container
		gates      []corev1.PodReadinessGate
		until      time.Duration
		want       string
	}{
		"a server becomes ready and stays": {
			containers: []corev1.Container{running("web")},
			want:       "0s Running ready web=running",
		},
		"a pod waits for its readiness gates": {
			containers: []corev1.Container{running("web")},
			gates:      []corev1.PodReadinessGate{{ConditionType: "example.com/balanced"}},
			want:       "0s Running web=running",
		},
		"a Job's pod succeeds at once": {
			policy: corev1.RestartPolicyNever, job: true,
			containers: []corev1.Container{running("migrate")},
			want:       "0s Succeeded migrate=exit0",
		},
		"sleep runs and succeeds": {
			policy:     corev1.RestartPolicyNever,
			containers: []corev1.Container{does("c", "sleep", "3")},
			want:       "0s Running ready c=running; 3s Succeeded c=exit0",
		},
		"a failure without restarts fails the pod": {
			policy:     corev1.RestartPolicyNever,
			containers: []corev1.Container{does("c", "exit", "3")},
			want:       "0s Failed c=exit3",
		},
		"a pod goes on until its last container ends": {
			policy:     corev1.RestartPolicyNever,
			containers: []corev1.Container{does("a", "false"), does("b", "sleep", "2")},
			want:       "0s Running a=exit1 b=running; 2s Failed a=exit1 b=exit0",
		},
		"OnFailure leaves success alone": {
			policy:     corev1.RestartPolicyOnFailure,
			containers: []corev1.Container{does("c", "true")},
			want:       "0s Succeeded c=exit0",
		},
		"a crash is repeated once at once and then ever more slowly": {
			containers: []corev1.Container{does("c", "false")},
			until:      75 * time.Second,
			want: "0s Running c=CrashLoopBackOff/1; 10s Running c=CrashLoopBackOff/2; " +
				"30s Running c=CrashLoopBackOff/3; 1m10s Running c=CrashLoopBackOff/4",
		},
		"an image that cannot be pulled keeps the pod pending": {
			containers: []corev1.Container{{Name: "c", Image: "registry.invalid/c"}, running("d")},
			want:       "0s Pending c=ImagePullBackOff d=running",
		},
		"init containers run one after the other": {
			init:       []corev1.Container{does("a", "sleep", "1"), running("b"), does("c", "sleep", "2")},
			containers: []corev1.Container{running("web")},
			want: "0s Pending a=running b=PodInitializing c=PodInitializing web=PodInitializing; " +
				"1s Pending a=exit0 b=exit0 c=running web=PodInitializing; " +
				"3s Running ready a=exit0 b=exit0 c=exit0 web=running",
		},
		"an init container that fails is tried again": {
			init:       []corev1.Container{does("a", "false")},
			containers: []corev1.Container{running("web")},
			until:      15 * time.Second,
			want:       "0s Pending a=CrashLoopBackOff/1 web=PodInitializing; 10s Pending a=CrashLoopBackOff/2 web=PodInitializing",
		},
		"an init container that fails ends a pod that never restarts": {
			policy:     corev1.RestartPolicyNever,
			init:       []corev1.Container{does("a", "false")},
			containers: []corev1.Container{running("web")},
			want:       "0s Failed a=exit1 web=PodInitializing",
		},
		"a sidecar runs beside the main container and ends with it": {
			policy:     corev1.RestartPolicyNever,
			init:       []corev1.Container{{Name: "proxy", Image: "proxy", RestartPolicy: &always}},
			containers: []corev1.Container{does("c", "sleep", "1")},
			want:       "0s Running ready proxy=running c=running; 1s Succeeded proxy=exit0 c=exit0",
		},
	} {
		t.Run(behaviour, func(t *testing.T) {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "1"},
				Spec: corev1.PodSpec{
					RestartPolicy: test.policy, InitContainers: test.init,
					Containers: test.containers, ReadinessGates: test.gates,
				},
			}
			if test.policy == "" {
				pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
			}
			if test.job {
				controller := true
				pod.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Controller: &controller}}
			}
			if test.until == 0 {
				test.until = time.Minute
			}
			if got := follow(pod, test.until); got != test.want {
				t.Errorf("(-want +got)\n%s", cmp.Diff(strings.Split(test.want, "; "), strings.Split(got, "; ")))
			}
		})
	}
}

func running(name string) corev1.Container { return corev1.Container{Name: name, Image: name} }

func does(name string, command ...string) corev1.Container {
	return corev1.Container{Name: name, Image: name, Command: command}
}

var begin = time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)

// follow lets time pass for a pod, with statuses kept as the API keeps them.
func follow(pod *corev1.Pod, until time.Duration) string {
	var seen []string
	for at := time.Duration(0); at <= until; {
		status, wait := next(pod, addresses{pod: "10.244.0.1", node: "172.18.0.2"}, begin.Add(at))
		pod.Status = *throughAPI(status)
		seen = append(seen, fmt.Sprintf("%s %s", at.Round(time.Second), describe(&pod.Status)))
		if wait == 0 {
			break
		}
		at += wait
	}
	return strings.Join(seen, "; ")
}

// throughAPI cuts times to the second.
func throughAPI(status *corev1.PodStatus) *corev1.PodStatus {
	data, err := status.Marshal()
	if err != nil {
		panic(err)
	}
	kept := &corev1.PodStatus{}
	if err := kept.Unmarshal(data); err != nil {
		panic(err)
	}
	for _, statuses := range [][]corev1.ContainerStatus{kept.InitContainerStatuses, kept.ContainerStatuses} {
		for i := range statuses {
			for _, state := range []corev1.ContainerState{statuses[i].State, statuses[i].LastTerminationState} {
				if state.Terminated != nil {
					state.Terminated.StartedAt.Time = state.Terminated.StartedAt.Truncate(time.Second)
					state.Terminated.FinishedAt.Time = state.Terminated.FinishedAt.Truncate(time.Second)
				}
			}
		}
	}
	return kept
}

func describe(status *corev1.PodStatus) string {
	words := []string{string(status.Phase)}
	for _, c := range status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			words = append(words, "ready")
		}
	}
	for _, statuses := range [][]corev1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses} {
		for _, c := range statuses {
			words = append(words, c.Name+"="+describeContainer(&c))
		}
	}
	return strings.Join(words, " ")
}

func describeContainer(c *corev1.ContainerStatus) string {
	state := "?"
	switch {
	case c.State.Running != nil:
		state = "running"
	case c.State.Terminated != nil:
		state = fmt.Sprintf("exit%d", c.State.Terminated.ExitCode)
	case c.State.Waiting != nil:
		state = c.State.Waiting.Reason
	}
	if c.RestartCount > 0 {
		state += fmt.Sprintf("/%d", c.RestartCount)
	}
	return state
}

func TestNextRestartsWhenTheImageChanges(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{running("web")}}}
	follow(pod, time.Minute)
	pod.Spec.Containers[0].Image = "web:2"
	follow(pod, time.Minute)
	got := pod.Status.ContainerStatuses[0]
	if got.Image != "web:2" || got.RestartCount != 1 || got.State.Running == nil {
		t.Errorf("the container is %+v", got)
	}
}

func TestNextIsStable(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{running("web"), does("c", "sleep", "600")}}}
	follow(pod, time.Minute)
	before := pod.Status.DeepCopy()
	status, _ := next(pod, addresses{pod: "10.244.0.1", node: "172.18.0.2"}, begin.Add(time.Minute))
	if diff := cmp.Diff(before, status); diff != "" {
		t.Errorf("the status changed for no reason (-before +after)\n%s", diff)
	}
}
