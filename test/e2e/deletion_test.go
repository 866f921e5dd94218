package e2e

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestDeletingAnApplication(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"one.yaml":  configMapYAML("one"),
		"web.yaml":  deploymentYAML("web", 1, image),
		"keep.yaml": annotatedConfigMapYAML("keep", "argocd.argoproj.io/sync-options", "Delete=false"),
	}
	gone := func(t *testing.T, a *application) {
		t.Helper()
		a.awaitEnd(t)
		a.mustNotBeLive(t, "one")
		if _, err := a.kube.AppsV1().Deployments(a.into).Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the Deployment is there: %v", err)
		}
		a.mustBeLive(t, "keep")
	}
	pods := func(t *testing.T, a *application) int {
		t.Helper()
		pods, err := a.kube.CoreV1().Pods(a.into).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return len(pods.Items)
	}

	for _, finalizer := range []string{"resources-finalizer.argocd.argoproj.io", "resources-finalizer.argocd.argoproj.io/foreground"} {
		t.Run("with "+finalizer+" deletes what it manages first, and all that this made", func(t *testing.T) {
			t.Parallel()
			a := shared(t).deploy(t, files, automated, withFinalizer(finalizer))
			a.await(t, synced, healthy)
			a.delete(t)
			gone(t, a)
			if left := pods(t, a); left != 0 {
				t.Errorf("%d pods are left when the Application is gone", left)
			}
		})
	}
	t.Run("with resources-finalizer.argocd.argoproj.io/background does not wait for what they made", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated, withFinalizer("resources-finalizer.argocd.argoproj.io/background"))
		a.await(t, synced, healthy)
		a.delete(t)
		gone(t, a)
		eventually(t, "the end of the pods", func() error {
			if pods(t, a) == 0 {
				return nil
			}
			return errPodsAreLeft
		})
	})
	t.Run("waits for an object that has a finalizer of its own", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"one.yaml": objectYAML("v1", "ConfigMap", "one", "") + "  finalizers: [example.com/hold]\n",
		}, automated, withFinalizer("resources-finalizer.argocd.argoproj.io"))
		a.await(t, synced)
		a.delete(t)
		eventually(t, "the deletion of the ConfigMap", func() error {
			if a.configMap(t, "one").DeletionTimestamp.IsZero() {
				return errNotDeleted
			}
			return nil
		})
		if app := a.get(t); len(app.Finalizers) != 1 {
			t.Errorf("the Application's finalizers are %q while an object is there", app.Finalizers)
		}
		_, err := a.kube.CoreV1().ConfigMaps(a.into).Patch(t.Context(), "one", types.MergePatchType,
			[]byte(`{"metadata": {"finalizers": null}}`), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a.awaitEnd(t)
	})
	t.Run("without a finalizer leaves its objects", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		a.await(t, synced, healthy)
		a.delete(t)
		a.awaitEnd(t)
		a.mustBeLive(t, "one", "keep")
		a.deployment(t, "web")
	})
	t.Run("lets one of the same name take its objects over", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		first := a.await(t, synced, healthy)
		a.delete(t)
		a.awaitEnd(t)
		uid := a.configMap(t, "one").UID
		a.create(t, automated)
		second := a.await(t, synced, healthy, noConditions)
		if second.UID == first.UID || a.configMap(t, "one").UID != uid {
			t.Error("the objects were made anew")
		}
	})
	t.Run("works when its source cannot be read", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated, withFinalizer("resources-finalizer.argocd.argoproj.io"))
		a.await(t, synced)
		a.repo.Remove(t)
		a.delete(t)
		gone(t, a)
	})
	t.Run("works when its project is gone", func(t *testing.T) {
		t.Parallel()
		i := shared(t)
		project := i.project(t, everything())
		a := i.deploy(t, files, automated, inProject(project), withFinalizer("resources-finalizer.argocd.argoproj.io"))
		a.await(t, synced)
		if err := a.argo.AppProjects(i.namespace).Delete(t.Context(), project, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		a.await(t, hasCondition(v1alpha1.ApplicationConditionInvalidSpecError, project))
		a.delete(t)
		gone(t, a)
	})
	t.Run("in the middle of an operation ends that", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"job.yaml": jobYAML("slow", 0, "sleep 3600"), "one.yaml": annotatedConfigMapYAML("one", "argocd.argoproj.io/sync-wave", "1"),
		}, automated, withFinalizer("resources-finalizer.argocd.argoproj.io"))
		a.await(t, operationIs(v1alpha1.OperationRunning, "slow"))
		a.delete(t)
		a.awaitEnd(t)
		a.mustNotBeLive(t, "one")
		if _, err := a.kube.BatchV1().Jobs(a.into).Get(t.Context(), "slow", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the Job is there: %v", err)
		}
	})
}
