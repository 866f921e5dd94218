package e2e

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// beside makes another Application of the same repository, from a folder.
func (a *application) beside(t testing.TB, name, folder string, changes ...change) *application {
	t.Helper()
	other := &application{installation: a.installation, name: a.name + "-" + name, home: a.home, into: a.cluster.Namespace(t), repo: a.repo}
	other.create(t, append([]change{func(app *v1alpha1.Application) { app.Spec.Source.Path = folder }}, changes...)...)
	return other
}

func TestStagesAreSyncedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	i := shared(t)
	const soak = 3 * time.Second
	group := uniqueName("group")
	inStage := func(number string) change {
		return annotated(map[string]string{v1alpha1.AnnotationWaveGroup: group, v1alpha1.AnnotationStage: number})
	}
	prod := func(value string) map[string]string {
		return map[string]string{"prod/one.yaml": configMapYAML("one", "v", value)}
	}
	first := i.prepare(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
	first.repo.Commit(t, prod("1"), "Add production")
	first.into = i.cluster.Namespace(t)

	second := first.beside(t, "prod", "prod", automated, inStage("2"), annotated(map[string]string{v1alpha1.AnnotationStageSoak: soak.String()}))
	first.create(t, automated, inStage("1"))
	afterFirst := func(t *testing.T) {
		t.Helper()
		after := second.await(t, synced, healthy, noConditions)
		before := first.await(t, synced, healthy, noConditions)
		began, due := after.Status.OperationState.StartedAt, before.Status.OperationState.FinishedAt.Add(soak)
		if began.Time.Before(due) {
			t.Errorf("production began at %s; the stage before was not done until %s", began, due)
		}
	}
	second.await(t, operationIs(v1alpha1.OperationSucceeded))
	// It may have been the first that was looked at, when it was alone in its group.
	afterBoth := prod("2")
	afterBoth["app/one.yaml"] = configMapYAML("one", "v", "2")
	t.Run("a commit to both", func(t *testing.T) {
		commit := first.repo.Commit(t, afterBoth, "Change both")
		second.refresh(t, v1alpha1.RefreshTypeNormal)
		second.await(t, hasCondition(v1alpha1.ApplicationConditionSyncHeld, fmt.Sprintf("stage 2 of group %q waits: %s", group, first.name), "in stage 1", "1 object waits"))
		second.awaitEvent(t, "SyncHeld", "stage 2 of group")
		second.awaitData(t, "one", "v", "2")
		second.await(t, syncedTo(commit))
		afterFirst(t)
	})
	t.Run("a commit that does not concern the stage before", func(t *testing.T) {
		second.refresh(t, v1alpha1.RefreshTypeNormal)
		began := first.get(t).Status.OperationState.StartedAt
		commit := first.repo.Commit(t, prod("3"), "Change production")
		second.refresh(t, v1alpha1.RefreshTypeNormal)
		second.awaitData(t, "one", "v", "3")
		second.await(t, syncedTo(commit), noConditions)
		if app := first.get(t); !app.Status.OperationState.StartedAt.Equal(&began) {
			t.Errorf("the stage before was synced: %s", summaryOf(app))
		}
	})
	t.Run("a stage that is not done holds, and a person may sync all the same", func(t *testing.T) {
		first.patch(t, `{"spec": {"syncPolicy": {"automated": {"enabled": false}}}}`)
		both := prod("4")
		both["app/one.yaml"] = configMapYAML("one", "v", "4")
		first.repo.Commit(t, both, "Change both")
		second.refresh(t, v1alpha1.RefreshTypeNormal)
		second.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, first.name+" is OutOfSync in stage 1"))
		second.mustSync(t, v1alpha1.SyncOperation{})
		second.await(t, synced, noConditions)

		commit := first.repo.Commit(t, prod("5"), "Change production")
		second.refresh(t, v1alpha1.RefreshTypeNormal)
		second.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, first.name+" is OutOfSync in stage 1"))
		first.mustSync(t, v1alpha1.SyncOperation{})
		second.await(t, syncedTo(commit), noConditions)
		afterFirst(t)
	})
	t.Run("a stage that is no number holds all", func(t *testing.T) {
		first.annotate(t, v1alpha1.AnnotationStage, "one")
		first.repo.Commit(t, prod("6"), "Change production")
		second.refresh(t, v1alpha1.RefreshTypeNormal)
		second.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, first.name, `"one"`, "whole number"))
		first.annotate(t, v1alpha1.AnnotationStage, "1")
		second.awaitData(t, "one", "v", "6")
	})
}

func dependsOn(text string) change {
	return annotated(map[string]string{v1alpha1.AnnotationDependsOn: text})
}

// make is kubectl create.
func (i *installation) make(t testing.TB, resource schema.GroupVersionResource, namespace, text string) {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	if _, err := i.dynamic.Resource(resource).Namespace(namespace).Create(t.Context(), obj, metav1.CreateOptions{}); err != nil {
		t.Fatalf("creating %s: %v", obj.GetName(), err)
	}
}

// setReady sets the condition Ready of the widget.
func (i *installation) setReady(t testing.TB, w widgets, namespace, status string) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"status": {"conditions": [{"type": "Ready", "status": %q}]}}`, status)
	if _, err := i.dynamic.Resource(w.resource()).Namespace(namespace).Patch(t.Context(), "ready", types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}

func TestAnApplicationWaitsForWhatItDependsOn(t *testing.T) {
	t.Parallel()
	i := shared(t)
	w := newWidgets(t)
	w.forget(t, i.controlPlane)
	db := i.prepare(t, map[string]string{"one.yaml": configMapYAML("one")})
	db.into = i.cluster.Namespace(t)
	db.repo.Commit(t, map[string]string{"api/two.yaml": configMapYAML("two")}, "Add the other")
	place := i.cluster.Namespace(t)
	widget := fmt.Sprintf("object:%s/Widget/%s/ready:Ready=True", w.group, place)
	api := db.beside(t, "api", "api", automated, dependsOn(fmt.Sprintf("%s, crd:widgets.%s\n%s", db.name, w.group, widget)))
	waitsFor := func(what string) check {
		return hasCondition(v1alpha1.ApplicationConditionSyncHeld, "waits for a dependency: "+what, "1 object waits")
	}

	api.await(t, outOfSync, waitsFor("the Application "+db.name+" does not exist, and 2 more"))
	db.create(t, automated, withFinalizer(v1alpha1.FinalizerResources))
	api.await(t, waitsFor("crd:widgets."+w.group+" does not exist, and 1 more"))
	i.make(t, crdGVR, "", w.definition())
	api.await(t, waitsFor(widget+" does not exist"))
	i.make(t, w.resource(), place, w.widget("ready", "blue"))
	api.await(t, waitsFor(widget+" is not met: there is no condition Ready"))
	api.mustNotBeLive(t, "two")
	done := api.sync(t, v1alpha1.SyncOperation{DryRun: true})
	if message := done.Status.OperationState.Message; !containsAll(message, []string{"it did not wait for a dependency", widget}) {
		t.Errorf("a sync by hand says %q", message)
	}
	i.setReady(t, w, place, "False")
	api.await(t, waitsFor(widget+" is not met: Ready is False"))
	i.setReady(t, w, place, "True")
	api.await(t, synced, noConditions)
	api.mustBeLive(t, "two")

	t.Run("a circle is refused", func(t *testing.T) {
		db.annotate(t, v1alpha1.AnnotationDependsOn, api.name)
		db.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		db.refresh(t, v1alpha1.RefreshTypeNormal)
		db.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncError, "circle", db.name+" → "+api.name+" → "+db.name))
		db.patch(t, `{"metadata": {"annotations": {"fairlead.dev/depends-on": null}}}`)
		db.await(t, synced, noConditions)
	})
	t.Run("what cannot be read holds", func(t *testing.T) {
		db.annotate(t, v1alpha1.AnnotationDependsOn, "a/b/c")
		db.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "3")})
		db.refresh(t, v1alpha1.RefreshTypeNormal)
		db.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncError, `"a/b/c"`))
		db.patch(t, `{"metadata": {"annotations": {"fairlead.dev/depends-on": null}}}`)
		db.await(t, synced, noConditions)
	})
	t.Run("deletion goes the other way round", func(t *testing.T) {
		api.patch(t, `{"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io", "example.com/wait"]}}`)
		api.delete(t)
		db.delete(t)
		db.await(t, hasCondition(v1alpha1.ApplicationConditionDeletionHeld, api.name))
		api.awaitGone(t, "two")
		db.mustBeLive(t, "one")
		api.patch(t, `{"metadata": {"finalizers": null}}`)
		db.awaitGone(t, "one")
		db.awaitEnd(t)
	})
}
