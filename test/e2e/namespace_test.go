package e2e

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// newNamespace names a namespace that does not exist, and removes it at the end.
func (a *application) newNamespace(t testing.TB) string {
	t.Helper()
	name := uniqueName(t.Name())
	t.Cleanup(func() {
		ctx, cancel := cleanupContext()
		defer cancel()
		_ = a.kube.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	})
	return name
}

func (c *controlPlane) liveNamespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	return c.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
}

func TestTheNamespaceOfTheDestination(t *testing.T) {
	t.Parallel()
	files := map[string]string{"one.yaml": configMapYAML("one", "v", "1")}

	t.Run("is created with CreateNamespace=true", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, files)
		a.into = a.newNamespace(t)
		a.create(t, automated, withOptions("CreateNamespace=true"))
		app := a.await(t, synced, healthy, noConditions)
		a.mustBeLive(t, "one")
		if resourceOfStatus(app, "Namespace", a.into) != nil {
			t.Error("the namespace counts as an object of the Application")
		}
	})
	t.Run("is created by the options of a manual sync", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, files)
		a.into = a.newNamespace(t)
		a.create(t)
		a.mustSync(t, v1alpha1.SyncOperation{SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"}})
		a.mustBeLive(t, "one")
	})
	t.Run("gets managedNamespaceMetadata, and the labels of others stay", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, files)
		a.into = a.newNamespace(t)
		a.create(t, automated, withOptions("CreateNamespace=true"), func(app *v1alpha1.Application) {
			app.Spec.SyncPolicy.ManagedNamespaceMetadata = &v1alpha1.ManagedNamespaceMetadata{
				Labels: map[string]string{"team": "a"}, Annotations: map[string]string{"example.com/contact": "team-a"},
			}
		})
		a.await(t, synced)
		namespace, err := a.liveNamespace(t.Context(), a.into)
		if err != nil || namespace.Labels["team"] != "a" || namespace.Annotations["example.com/contact"] != "team-a" {
			t.Fatalf("the namespace is %v: %v", namespace, err)
		}
		_, err = a.kube.CoreV1().Namespaces().Patch(t.Context(), a.into, types.MergePatchType,
			[]byte(`{"metadata": {"labels": {"other": "1"}}}`), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a.patch(t, `{"spec": {"syncPolicy": {"managedNamespaceMetadata": {"labels": {"team": "b"}}}}}`)
		a.mustSync(t, v1alpha1.SyncOperation{})
		namespace, err = a.liveNamespace(t.Context(), a.into)
		if err != nil || namespace.Labels["team"] != "b" || namespace.Labels["other"] != "1" {
			t.Errorf("the namespace is %v: %v", namespace, err)
		}
		a.await(t, synced, noConditions)
	})
	t.Run("may be an object of the source", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, files)
		a.into = a.newNamespace(t)
		a.push(t, map[string]string{"namespace.yaml": objectYAML("v1", "Namespace", a.into, "") + "  labels: {team: a}\n"})
		a.create(t, automated, withOptions("CreateNamespace=true"))
		app := a.await(t, synced, noConditions)
		a.mustBeLive(t, "one")
		if resourceOfStatus(app, "Namespace", a.into) == nil {
			t.Error("the namespace is no object of the Application")
		}
	})
	t.Run("is missed by a sync without the option, which says so", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, files)
		a.into = a.newNamespace(t)
		a.create(t)
		app := a.sync(t, v1alpha1.SyncOperation{})
		if err := operationIs(v1alpha1.OperationFailed, a.into, "does not exist")(app); err != nil {
			t.Error(err)
		}
		if got := resultOf(app, "ConfigMap", "one"); got == nil || got.Status != v1alpha1.ResultCodeSyncFailed || !containsAll(got.Message, []string{a.into}) {
			t.Errorf("result = %+v", got)
		}
	})
	t.Run("is nothing that a pruning sync or the finalizer takes away", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, files)
		a.into = a.newNamespace(t)
		a.create(t, automatedWith(v1alpha1.SyncPolicyAutomated{Prune: new(true)}), withOptions("CreateNamespace=true"),
			withFinalizer("resources-finalizer.argocd.argoproj.io"))
		a.await(t, synced)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitData(t, "one", "v", "2")
		a.delete(t)
		a.awaitEnd(t)
		a.mustNotBeLive(t, "one")
		if namespace, err := a.liveNamespace(t.Context(), a.into); err != nil || !namespace.DeletionTimestamp.IsZero() {
			t.Errorf("the namespace is %v: %v", namespace, err)
		}
	})
}

// awaitEnd waits until the Application is gone.
func (a *application) awaitEnd(t testing.TB) {
	t.Helper()
	eventually(t, "the end of the Application "+a.name, func() error {
		app, err := a.argo.Applications(a.home).Get(t.Context(), a.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("it is there: finalizers %q, conditions %s", app.Finalizers, conditionsOf(app))
	})
}
