package cluster

import (
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// fixture is a fresh namespace of the shared cluster.
type fixture struct {
	*testing.T
	cluster   *Cluster
	client    kubernetes.Interface
	namespace string
}

// parallel runs a test beside the others, in a namespace of its own.
func parallel(t *testing.T) *fixture {
	t.Parallel()
	c := ForTest(t)
	client, err := kubernetes.NewForConfig(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{T: t, cluster: c, client: client, namespace: c.Namespace(t)}
}

// patience is how long a state may take to come about; it is seldom more than
// a second, but machines can be busy.
const patience = time.Minute

// eventually waits until look returns the state that is wanted.
func eventually(t testing.TB, want string, look func() (string, error)) {
	t.Helper()
	var got string
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if got, err = look(); err == nil && got == want {
			return
		}
	}
	t.Fatalf("want %q, still got %q, error %v", want, got, err)
}

// container returns a container that runs the words of command.
func container(name, command string) corev1.Container {
	return corev1.Container{Name: name, Image: "registry.example.com/" + name + ":1", Command: strings.Fields(command)}
}

// podTemplate returns a template whose pods carry the label app.
func podTemplate(app string, policy corev1.RestartPolicy, containers ...corev1.Container) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec:       corev1.PodSpec{RestartPolicy: policy, Containers: containers},
	}
}

func selector(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

// pod makes a pod that is called app and returns it.
func (f *fixture) pod(app string, policy corev1.RestartPolicy, containers ...corev1.Container) *corev1.Pod {
	f.Helper()
	template := podTemplate(app, policy, containers...)
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Name = app
	made, err := f.client.CoreV1().Pods(f.namespace).Create(f.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		f.Fatal(err)
	}
	return made
}

// phase returns the phase of a pod and the states of its containers.
func (f *fixture) phase(name string) func() (string, error) {
	return func() (string, error) {
		pod, err := f.client.CoreV1().Pods(f.namespace).Get(f.Context(), name, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		words := []string{string(pod.Status.Phase)}
		for _, c := range pod.Status.ContainerStatuses {
			switch {
			case c.State.Running != nil:
				words = append(words, "running")
			case c.State.Terminated != nil:
				words = append(words, c.State.Terminated.Reason)
			case c.State.Waiting != nil:
				words = append(words, c.State.Waiting.Reason)
			}
		}
		return strings.Join(words, " "), nil
	}
}
