package e2e

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// marks returns the instance label and the tracking id of a live ConfigMap, and its identity.
func (a *application) marks(t testing.TB, name, label string) (labelled, id string, uid types.UID) {
	t.Helper()
	found := a.configMap(t, name)
	if found == nil {
		t.Fatalf("the ConfigMap %s is not live (the Application: %s)", name, summaryOf(a.get(t)))
	}
	return found.Labels[label], found.Annotations["argocd.argoproj.io/tracking-id"], found.UID
}

func TestAnotherWayOfTrackingTakesOverWithoutDisruption(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start(t, nil)
	files := map[string]string{"one.yaml": configMapYAML("one", "v", "1"), "web.yaml": deploymentYAML("web", 1, image)}
	a := i.deploy(t, files, selfHeal)
	a.await(t, settled...)
	_, id, uid := a.marks(t, "one", "")
	if want := fmt.Sprintf("%s:/ConfigMap:%s/one", a.name, a.into); id != want {
		t.Errorf("the tracking id is %q, want %q", id, want)
	}
	deployment := a.deployment(t, "web")
	const standard, own = "app.kubernetes.io/instance", "example.com/application"
	for n, to := range []struct {
		settings    map[string]string
		label       string
		wantsLabel  bool
		wantsAnnote bool
	}{
		{map[string]string{"application.resourceTrackingMethod": "annotation+label"}, standard, true, true},
		{map[string]string{"application.resourceTrackingMethod": "label"}, standard, true, false},
		{map[string]string{"application.resourceTrackingMethod": "label", "application.instanceLabelKey": own}, own, true, false},
		{map[string]string{"application.resourceTrackingMethod": "annotation"}, own, false, true},
		{map[string]string{"application.resourceTrackingMethod": "annotation", "installationID": "a"}, own, false, true},
	} {
		i.set(t, to.settings)
		value := fmt.Sprint(n + 2)
		eventually(t, fmt.Sprintf("the marks of %v", to.settings), func() error {
			label, id, now := a.marks(t, "one", to.label)
			if now != uid {
				t.Fatalf("the object was made anew under %v", to.settings)
			}
			if (label == a.name) != to.wantsLabel || (id != "") != to.wantsAnnote {
				return fmt.Errorf("the label is %q, the tracking id %q (the Application: %s)", label, id, summaryOf(a.get(t)))
			}
			return nil
		})
		a.await(t, settled...)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", value), "extra.yaml": configMapYAML("extra")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitData(t, "one", "v", value)
		// What was made under this method is pruned under it.
		a.await(t, settled...)
		a.push(t, map[string]string{"-extra.yaml": ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitGone(t, "extra")
		a.await(t, settled...)
	}
	if found := a.deployment(t, "web"); found.UID != deployment.UID || !equality.Semantic.DeepEqual(found.Spec, deployment.Spec) {
		t.Errorf("the Deployment was made anew, or its pods are others: %+v", found.Spec)
	}
}

func TestWhatAnotherApplicationTookOverIsNotPruned(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"annotation", "label", "annotation+label"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			i.set(t, map[string]string{"application.resourceTrackingMethod": method})
			i.start(t, nil)
			first := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "first"), "own.yaml": configMapYAML("own")}, selfHeal)
			first.await(t, settled...)
			uid := first.configMap(t, "one").UID
			second := i.prepare(t, map[string]string{"two.yaml": configMapYAML("two")})
			second.into = first.into
			second.create(t, selfHeal)
			second.await(t, settled...)

			// Both claim it for a moment, then it is the second one's alone.
			first.patch(t, `{"spec": {"syncPolicy": {"automated": null}}}`)
			second.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "second")})
			second.refresh(t, v1alpha1.RefreshTypeNormal)
			second.awaitData(t, "one", "v", "second")
			first.await(t, hasCondition(v1alpha1.ApplicationConditionSharedResourceWarning, "one", first.name, second.name))
			first.push(t, map[string]string{"-one.yaml": ""})
			first.refresh(t, v1alpha1.RefreshTypeNormal)
			first.await(t, settled...)
			first.mustSync(t, v1alpha1.SyncOperation{Prune: true})
			if got := second.configMap(t, "one"); got == nil || got.UID != uid {
				t.Errorf("the object of the second Application is %v", got)
			}
			second.await(t, settled...)

			// Nor does the end of the first one take it along.
			first.patch(t, `{"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}`)
			first.delete(t)
			first.awaitGone(t, "own")
			if got := second.configMap(t, "one"); got == nil || got.UID != uid || got.DeletionTimestamp != nil {
				t.Errorf("the object of the second Application is %v", got)
			}
		})
	}
}

func TestObjectsOfAnotherInstallationAreNobodys(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.set(t, map[string]string{"installationID": "mine"})
	i.start(t, nil)
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one")}, selfHeal)
	a.await(t, settled...)
	foreign := a.configMap(t, "one").DeepCopy()
	if foreign.Annotations["argocd.argoproj.io/installation-id"] != "mine" {
		t.Errorf("the marks are %v", foreign.Annotations)
	}
	foreign.ObjectMeta = metav1.ObjectMeta{Name: "foreign", Annotations: map[string]string{
		"argocd.argoproj.io/installation-id": "other",
		"argocd.argoproj.io/tracking-id":     fmt.Sprintf("%s:/ConfigMap:%s/foreign", a.name, a.into),
	}}
	if _, err := i.kube.CoreV1().ConfigMaps(a.into).Create(t.Context(), foreign, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	commit := a.push(t, map[string]string{"two.yaml": configMapYAML("two")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, syncedTo(commit), noConditions)
	a.mustBeLive(t, "foreign", "two")
	if got := resourceOfStatus(a.get(t), "ConfigMap", "foreign"); got != nil {
		t.Errorf("the Application counts it: %+v", got)
	}
}
