package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cleanupContext is for what happens after a test, whose own context has ended
// by then.
func cleanupContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

// configMap returns the live ConfigMap of the destination, or nil.
func (a *application) configMap(t testing.TB, name string) *corev1.ConfigMap {
	t.Helper()
	found, err := a.kube.CoreV1().ConfigMaps(a.into).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// awaitData waits until a live ConfigMap has a value.
func (a *application) awaitData(t testing.TB, name, key, want string) {
	t.Helper()
	eventually(t, "the ConfigMap "+name, a.data(t, name, key, want))
}

// data looks for a value in a live ConfigMap.
func (a *application) data(t testing.TB, name, key, want string) func() error {
	t.Helper()
	return func() error {
		found := a.configMap(t, name)
		switch {
		case found == nil:
			return fmt.Errorf("it does not exist (the Application: %s)", summaryOf(a.get(t)))
		case found.Data[key] != want:
			return fmt.Errorf("its data are %v, want %s: %s", found.Data, key, want)
		}
		return nil
	}
}

// awaitGone waits until a ConfigMap is not live.
func (a *application) awaitGone(t testing.TB, name string) {
	t.Helper()
	eventually(t, "the end of the ConfigMap "+name, func() error {
		if a.configMap(t, name) != nil {
			return fmt.Errorf("it is there (the Application: %s)", summaryOf(a.get(t)))
		}
		return nil
	})
}

// mustBeLive and mustNotBeLive look at ConfigMaps now.
func (a *application) mustBeLive(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if a.configMap(t, name) == nil {
			t.Errorf("the ConfigMap %s is not live", name)
		}
	}
}

func (a *application) mustNotBeLive(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if a.configMap(t, name) != nil {
			t.Errorf("the ConfigMap %s is live", name)
		}
	}
}

// deployment returns a live Deployment of the destination.
func (a *application) deployment(t testing.TB, name string) *appsv1.Deployment {
	t.Helper()
	found, err := a.kube.AppsV1().Deployments(a.into).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// scale is kubectl scale of a Deployment.
func (a *application) scale(t testing.TB, name string, replicas int32) {
	t.Helper()
	scale := &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: a.into}, Spec: autoscalingv1.ScaleSpec{Replicas: replicas},
	}
	_, err := a.kube.AppsV1().Deployments(a.into).UpdateScale(t.Context(), name, scale, metav1.UpdateOptions{FieldManager: "kubectl"})
	if err != nil {
		t.Fatal(err)
	}
}

// awaitReplicas waits until a Deployment asks for a number of pods.
func (a *application) awaitReplicas(t testing.TB, name string, want int32) {
	t.Helper()
	eventually(t, "the Deployment "+name, func() error {
		if got := *a.deployment(t, name).Spec.Replicas; got != want {
			return fmt.Errorf("it asks for %d pods and not %d (the Application: %s)", got, want, summaryOf(a.get(t)))
		}
		return nil
	})
}

// configMapYAML is the manifest of a ConfigMap with pairs of keys and values.
func configMapYAML(name string, pairs ...string) string {
	return objectYAML("v1", "ConfigMap", name, "") + "data:" + mapYAML("  ", pairs)
}

// annotatedConfigMapYAML is configMapYAML with an annotation.
func annotatedConfigMapYAML(name, annotation, value string, pairs ...string) string {
	return objectYAML("v1", "ConfigMap", name, "") +
		fmt.Sprintf("  annotations:\n    %s: %q\n", annotation, value) + "data:" + mapYAML("  ", pairs)
}

func objectYAML(version, kind, name, namespace string) string {
	text := fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n", version, kind, name)
	if namespace != "" {
		text += "  namespace: " + namespace + "\n"
	}
	return text
}

func mapYAML(indent string, pairs []string) string {
	if len(pairs) == 0 {
		return " {}\n"
	}
	var b strings.Builder
	b.WriteString("\n")
	for n := 0; n+1 < len(pairs); n += 2 {
		fmt.Fprintf(&b, "%s%s: %q\n", indent, pairs[n], pairs[n+1])
	}
	return b.String()
}

// image runs for ever in the simulated cluster.
const image = "registry.example.com/app:1.0"

// brokenImage can never be pulled.
const brokenImage = "registry.invalid/app:1.0"

// deploymentYAML is the manifest of a Deployment.
func deploymentYAML(name string, replicas int, image string) string {
	return objectYAML("apps/v1", "Deployment", name, "") + fmt.Sprintf(`spec:
  replicas: %d
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: app, image: %[3]q}
`, replicas, name, image)
}

// jobYAML is the manifest of a Job that runs a command once.
func jobYAML(name string, wave int, command string) string {
	return objectYAML("batch/v1", "Job", name, "") + fmt.Sprintf(`  annotations: {argocd.argoproj.io/sync-wave: "%d"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers:
      - {name: run, image: %q, command: [sh, -c, %q]}
`, wave, image, command)
}

var (
	errPodsAreLeft = errors.New("pods are left")
	errNotDeleted  = errors.New("it is not deleted")
	background     = metav1.DeletePropagationBackground
	// deleteNow deletes what an object made after the object.
	deleteNow = metav1.DeleteOptions{PropagationPolicy: &background}
)
