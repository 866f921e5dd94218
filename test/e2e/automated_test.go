package e2e

import (
	"fmt"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestAnAutomatedApplicationSyncsByItself(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)

	app := a.await(t, synced, healthy, noConditions, operationIs(v1alpha1.OperationSucceeded))
	a.mustBeLive(t, "one")
	if by := app.Status.OperationState.Operation.InitiatedBy; !by.Automated || by.Username != "" {
		t.Errorf("initiated by %+v", by)
	}
	if len(app.Status.History) != 1 || !app.Status.History[0].InitiatedBy.Automated {
		t.Errorf("history = %+v", app.Status.History)
	}

	for _, kind := range []v1alpha1.RefreshType{v1alpha1.RefreshTypeNormal, v1alpha1.RefreshTypeHard} {
		t.Run(fmt.Sprintf("a pushed commit is live at once after a %s refresh", kind), func(t *testing.T) {
			commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", string(kind))})
			a.refresh(t, kind)
			within(t, soon, "the ConfigMap one", a.data(t, "one", "v", string(kind)))
			a.await(t, syncedTo(commit), noConditions)
		})
	}
	t.Run("a commit that changes nothing here leaves it alone", func(t *testing.T) {
		version := a.configMap(t, "one").ResourceVersion
		commit := a.repo.Commit(t, map[string]string{"elsewhere/two.yaml": configMapYAML("two")}, "Change another folder")
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		app := a.await(t, syncedTo(commit))
		if got := a.configMap(t, "one").ResourceVersion; got != version || len(app.Status.History) != 3 {
			t.Errorf("it was synced again: version %s, before %s, history %+v", got, version, app.Status.History)
		}
	})
	t.Run("it can be switched off and on again", func(t *testing.T) {
		a.patch(t, `{"spec": {"syncPolicy": {"automated": {"enabled": false}}}}`)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "off")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, outOfSync)
		a.patch(t, `{"spec": {"syncPolicy": {"automated": {"enabled": null}}}}`)
		a.awaitData(t, "one", "v", "off")
		a.await(t, synced)
	})
}

func TestAPushedCommitIsLiveAfterThePollInterval(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.set(t, map[string]string{"timeout.reconciliation": "1s", "timeout.reconciliation.jitter": "0s"})
	i.start(t, nil)
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
	a.await(t, synced)
	commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2"), "two.yaml": configMapYAML("two")})
	within(t, soon, "the ConfigMap one", a.data(t, "one", "v", "2"))
	app := a.await(t, syncedTo(commit), noConditions)
	a.mustBeLive(t, "two")
	if len(app.Status.History) != 2 {
		t.Errorf("history = %+v", app.Status.History)
	}
}

func TestAFailedAutomatedSyncIsNotRepeatedUntilACommitMendsIt(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1") + "unheardOf: 1\n"},
		automated, func(app *v1alpha1.Application) { policyOf(app).Retry = &v1alpha1.RetryStrategy{Limit: 0} })
	app := a.await(t, operationIs(v1alpha1.OperationFailed, "unheardOf"), hasCondition(v1alpha1.ApplicationConditionSyncError, "unheardOf"))
	started := app.Status.OperationState.StartedAt
	a.refresh(t, v1alpha1.RefreshTypeHard)
	if app = a.get(t); !app.Status.OperationState.StartedAt.Equal(&started) {
		t.Errorf("the sync that failed at %v was repeated at %v", started, app.Status.OperationState.StartedAt)
	}
	a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.awaitData(t, "one", "v", "2")
	a.await(t, synced, noConditions, operationIs(v1alpha1.OperationSucceeded))
}

func TestChangedParametersAreSyncedWithoutACommit(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{
		"Chart.yaml":          "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
		"values.yaml":         "v: \"1\"\n",
		"templates/one.yaml":  configMapYAML("one", "v", "{{ .Values.v }}"),
		"templates/NOTES.txt": "",
	}, automated)
	a.await(t, synced)
	a.awaitData(t, "one", "v", "1")

	a.patch(t, `{"spec": {"source": {"helm": {"parameters": [{"name": "v", "value": "2"}]}}}}`)
	a.awaitData(t, "one", "v", "2")
	app := a.await(t, syncedTo(a.head(t)), operationIs(v1alpha1.OperationSucceeded))
	if len(app.Status.History) != 2 || app.Status.History[1].Source.Helm == nil {
		t.Errorf("history = %+v", app.Status.History)
	}
}

func TestAnApplicationThatIsToBeLeftAloneIsNotSynced(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated, func(app *v1alpha1.Application) {
		app.Annotations = map[string]string{v1alpha1.AnnotationSkipReconcile: "true"}
	})
	// Another one that comes later shows that there was time enough.
	other := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
	other.await(t, synced)
	if app := a.get(t); app.Status.ReconciledAt != nil || app.Status.OperationState != nil {
		t.Errorf("it was looked at: %s", summaryOf(app))
	}
	a.patch(t, `{"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": null}}}`)
	a.await(t, synced)
	a.mustBeLive(t, "one")
}
