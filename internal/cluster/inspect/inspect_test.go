package inspect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(devcluster.Main(m)) }

type world struct {
	*inspect.Client
	kube      kubernetes.Interface
	namespace string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dev := devcluster.ForTest(t)
	client, err := inspect.New(dev.RESTConfig())
	kube, errKube := kubernetes.NewForConfig(dev.RESTConfig())
	if err := errors.Join(err, errKube); err != nil {
		t.Fatal(err)
	}
	return &world{client, kube, dev.Namespace(t)}
}

// pod runs a command and waits until it runs, or has ended.
func (w *world) pod(t *testing.T, name, command string) {
	t.Helper()
	grace := int64(0)
	pods := w.kube.CoreV1().Pods(w.namespace)
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{Name: "main", Image: "registry.example.com/app:1", Command: []string{"sh", "-c", command}}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		found, err := pods.Get(t.Context(), name, metav1.GetOptions{})
		if err == nil && found.Status.Phase != corev1.PodPending {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the pod %s does not run: %v", name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// names are pods in the namespace of the test.
func (w *world) names(pods ...string) (out []types.NamespacedName) {
	for _, pod := range pods {
		out = append(out, types.NamespacedName{Namespace: w.namespace, Name: pod})
	}
	return out
}

func (w *world) lines(t *testing.T, r inspect.LogRequest) ([]string, error) {
	t.Helper()
	var out []string
	var last time.Time
	err := w.Logs(t.Context(), r, func(l inspect.Line) error {
		if l.Time.Before(last) {
			t.Errorf("the line %q of %s came too late", l.Text, l.Pod)
		}
		last = l.Time
		out = append(out, l.Pod+": "+l.Text)
		return nil
	})
	return out, err
}

func TestLogsOfSeveralPodsAreReadInOneOrder(t *testing.T) {
	w := newWorld(t)
	w.pod(t, "a", "echo Alpha 1; sleep 1; echo Alpha 2; sleep 1; echo Alpha 3")
	w.pod(t, "b", "echo beta 1; sleep 1; echo beta 2; sleep 1; echo beta 3")
	both := w.names("a", "b")
	followed, err := w.lines(t, inspect.LogRequest{Pods: both, Follow: true, Tail: -1})
	if err != nil || len(followed) != 6 {
		t.Errorf("followed to the end, the lines are %q: %v", followed, err)
	}
	again, err := w.lines(t, inspect.LogRequest{Pods: both, Tail: -1})
	if err != nil || !slices.Equal(slices.Sorted(slices.Values(again)), slices.Sorted(slices.Values(followed))) {
		t.Errorf("read afterwards, the lines are %q: %v", again, err)
	}
	for sentence, c := range map[string]struct {
		request inspect.LogRequest
		want    []string
	}{
		"the last lines of each":          {inspect.LogRequest{Pods: both, Tail: 1}, []string{"a: Alpha 3", "b: beta 3"}},
		"of one container":                {inspect.LogRequest{Pods: both[:1], Tail: -1, Container: "main"}, []string{"a: Alpha 1", "a: Alpha 2", "a: Alpha 3"}},
		"with a text, whatever its case":  {inspect.LogRequest{Pods: both, Tail: -1, Filter: inspect.ParseFilter("alpha 2", false)}, []string{"a: Alpha 2"}},
		"with a text in its case":         {inspect.LogRequest{Pods: both, Tail: -1, Filter: inspect.ParseFilter("alpha 2", true)}, nil},
		"without a text":                  {inspect.LogRequest{Pods: both, Tail: 1, Filter: inspect.ParseFilter("!alpha", false)}, []string{"b: beta 3"}},
		"since a time after all of them":  {inspect.LogRequest{Pods: both, Tail: -1, Since: time.Now().Add(time.Hour)}, nil},
		"until a time before all of them": {inspect.LogRequest{Pods: both, Tail: -1, Until: time.Now().Add(-time.Hour)}, nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := w.lines(t, c.request)
			slices.Sort(got)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("the lines are %q, want %q: %v", got, c.want, err)
			}
		})
	}
	t.Run("a pod that is not there does not keep the others from being read", func(t *testing.T) {
		got, err := w.lines(t, inspect.LogRequest{Pods: w.names("a", "absent"), Tail: 1})
		if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "absent") {
			t.Errorf("the lines are %q: %v", got, err)
		}
	})
	t.Run("an instance before the present one that there was none of", func(t *testing.T) {
		if got, err := w.lines(t, inspect.LogRequest{Pods: both[:1], Tail: -1, Previous: true}); err == nil {
			t.Errorf("the lines are %q", got)
		}
	})
	t.Run("a caller that has enough ends it", func(t *testing.T) {
		enough := errors.New("enough")
		n := 0
		err := w.Logs(t.Context(), inspect.LogRequest{Pods: both, Tail: -1}, func(inspect.Line) error { n++; return enough })
		if !errors.Is(err, enough) || n != 1 {
			t.Errorf("it ended after %d lines with %v", n, err)
		}
	})
}

func TestFollowingEndsWithItsContextAndLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.pod(t, "a", "while true; do echo tick; sleep 1; done")
	w.pod(t, "silent", "sleep 3600")
	follow := func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var at time.Time
		err := w.Logs(ctx, inspect.LogRequest{Pods: w.names("a", "silent"), Follow: true, Tail: 10}, func(inspect.Line) error {
			at = time.Now()
			cancel() // although the other pod has said nothing
			return nil
		})
		if !errors.Is(err, context.Canceled) || at.IsZero() || time.Since(at) > 10*time.Second {
			t.Errorf("it ended with %v", err)
		}
	}
	follow()
	before := runtime.NumGoroutine()
	for range 3 {
		follow()
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+3 {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines have become %d", before, runtime.NumGoroutine())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// typed writes what the shell is to read; if it does not, the test fails by what is missing.
func typed(keyboard io.Writer, text string) { _, _ = io.WriteString(keyboard, text) }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestACommandRunsInAContainer(t *testing.T) {
	w := newWorld(t)
	w.pod(t, "a", "sleep 3600")
	// A conversation: the shell is told to end once its answer has come.
	stdin, keyboard := io.Pipe()
	var out bytes.Buffer
	said := writerFunc(func(p []byte) (int, error) {
		n, err := out.Write(p)
		if out.String() == "hello\n" {
			go typed(keyboard, "exit 3\n")
		}
		return n, err
	})
	go typed(keyboard, "echo hello\n")
	status, err := w.Exec(t.Context(), inspect.ExecRequest{
		Namespace: w.namespace, Pod: "a", Container: "main", Command: []string{"sh"}, Stdin: stdin, Stdout: said,
	})
	keyboard.Close()
	if err != nil || status != 3 || out.String() != "hello\n" {
		t.Errorf("it printed %q and ended with %d: %v", &out, status, err)
	}
	if _, err := w.Exec(t.Context(), inspect.ExecRequest{Namespace: w.namespace, Pod: "absent", Command: []string{"sh"}, Stdout: &out}); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("the error is %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := w.Exec(ctx, inspect.ExecRequest{Namespace: w.namespace, Pod: "a", Command: []string{"sleep", "3600"}, TTY: true, Stdout: &out}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

func TestEventsAboutAnObjectAreOrdered(t *testing.T) {
	w := newWorld(t)
	w.pod(t, "a", "sleep 3600")
	pod, err := w.kube.CoreV1().Pods(w.namespace).Get(t.Context(), "a", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	for n, at := range []time.Time{now.Add(time.Hour), now.Add(2 * time.Hour), now.Add(-time.Hour)} {
		_, err := w.kube.CoreV1().Events(w.namespace).Create(t.Context(), &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("event-%d", n)}, Reason: fmt.Sprintf("Made%d", n), LastTimestamp: metav1.NewTime(at),
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: w.namespace, Name: "a", UID: pod.UID},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := w.Events(t.Context(), inspect.Involved{Namespace: w.namespace, Name: "a", UID: string(pod.UID)})
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, e := range list.Items {
		if strings.HasPrefix(e.Reason, "Made") {
			reasons = append(reasons, e.Reason)
		}
	}
	if !slices.Equal(reasons, []string{"Made2", "Made0", "Made1"}) {
		t.Errorf("the events are %q", reasons)
	}
	if other, err := w.Events(t.Context(), inspect.Involved{Namespace: w.namespace, Name: "a", UID: "another"}); err != nil || len(other.Items) != 0 {
		t.Errorf("another object of the name has %d events: %v", len(other.Items), err)
	}
}
