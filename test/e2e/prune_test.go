package e2e

import (
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestAnAutomatedSyncPrunes(t *testing.T) {
	t.Parallel()
	yes := new(true)
	files := map[string]string{"one.yaml": configMapYAML("one"), "two.yaml": configMapYAML("two")}

	t.Run("not, unless it is told to", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		a.await(t, synced)
		a.push(t, map[string]string{"-two.yaml": "", "one.yaml": configMapYAML("one", "v", "2")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitData(t, "one", "v", "2")
		app := a.await(t, outOfSync, operationIs(v1alpha1.OperationSucceeded))
		a.mustBeLive(t, "two")
		if two := resourceOfStatus(app, "ConfigMap", "two"); two == nil || !two.RequiresPruning {
			t.Errorf("the status says of the removed object: %+v", two)
		}
		a.patch(t, `{"spec": {"syncPolicy": {"automated": {"prune": true}}}}`)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "3")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitGone(t, "two")
		a.await(t, synced, noConditions)
	})
	t.Run("what is not in Git any more", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automatedWith(v1alpha1.SyncPolicyAutomated{Prune: yes}))
		a.await(t, synced)
		commit := a.push(t, map[string]string{"-two.yaml": ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitGone(t, "two")
		app := a.await(t, syncedTo(commit), noConditions)
		a.mustBeLive(t, "one")
		if got := resultOf(app, "ConfigMap", "two"); got == nil || got.Status != v1alpha1.ResultCodePruned {
			t.Errorf("result = %+v", got)
		}
	})
	t.Run("no object that forbids it by Prune=false", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"one.yaml":  configMapYAML("one"),
			"two.yaml":  configMapYAML("two"),
			"keep.yaml": annotatedConfigMapYAML("keep", "argocd.argoproj.io/sync-options", "Prune=false"),
		}, automatedWith(v1alpha1.SyncPolicyAutomated{Prune: yes}))
		a.await(t, synced)
		a.push(t, map[string]string{"-keep.yaml": "", "-two.yaml": ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitGone(t, "two")
		app := a.await(t, outOfSync, operationIs(v1alpha1.OperationSucceeded))
		a.mustBeLive(t, "one", "keep")
		if got := resultOf(app, "ConfigMap", "keep"); got == nil || got.Status != v1alpha1.ResultCodePruneSkipped {
			t.Errorf("result = %+v", got)
		}
	})
	t.Run("not everything, unless allowEmpty says so", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automatedWith(v1alpha1.SyncPolicyAutomated{Prune: yes}))
		a.await(t, synced)
		a.push(t, map[string]string{"-one.yaml": "", "-two.yaml": "", "README.md": "nothing left"})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncError, "empty", "allowEmpty"))
		a.mustBeLive(t, "one", "two")
		a.patch(t, `{"spec": {"syncPolicy": {"automated": {"allowEmpty": true}}}}`)
		a.awaitGone(t, "one")
		a.awaitGone(t, "two")
		a.await(t, synced, noConditions)
	})
	t.Run("nothing of another application", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automatedWith(v1alpha1.SyncPolicyAutomated{Prune: yes}))
		a.await(t, synced)
		b := shared(t).prepare(t, map[string]string{"three.yaml": configMapYAML("three"), "four.yaml": configMapYAML("four")})
		b.into = a.into
		b.create(t, automatedWith(v1alpha1.SyncPolicyAutomated{Prune: yes}))
		b.await(t, synced)
		b.push(t, map[string]string{"-four.yaml": ""})
		b.refresh(t, v1alpha1.RefreshTypeNormal)
		b.awaitGone(t, "four")
		b.await(t, synced)
		a.await(t, synced)
		a.mustBeLive(t, "one", "two", "three")
	})
}
