package e2e

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestSyncWaves(t *testing.T) {
	t.Parallel()
	const wave = "argocd.argoproj.io/sync-wave"
	t.Run("come in order, and each waits for the health of the one before", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"a.yaml": annotatedConfigMapYAML("last", wave, "2"),
			"b.yaml": jobYAML("second", 1, "sleep 2"),
			"c.yaml": annotatedConfigMapYAML("first", wave, "-1"),
			"d.yaml": jobYAML("migrate", 0, "sleep 2"),
		}, automated)
		a.await(t, operationIs(v1alpha1.OperationRunning, "migrate", "wave 0"))
		a.mustBeLive(t, "first")
		a.mustNotBeLive(t, "last")
		if _, err := a.kube.BatchV1().Jobs(a.into).Get(t.Context(), "second", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("wave 1 began with wave 0 under way: %v", err)
		}
		app := a.await(t, synced, healthy, operationIs(v1alpha1.OperationSucceeded), noConditions)

		var order []metav1.Time
		order = append(order, a.configMap(t, "first").CreationTimestamp)
		for _, name := range []string{"migrate", "second"} {
			job, err := a.kube.BatchV1().Jobs(a.into).Get(t.Context(), name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, job.CreationTimestamp, *job.Status.CompletionTime)
		}
		order = append(order, a.configMap(t, "last").CreationTimestamp)
		for n := 1; n < len(order); n++ {
			if order[n].Before(&order[n-1]) {
				t.Errorf("the times are not in order: %v", order)
			}
		}
		if got := resourceOfStatus(app, "ConfigMap", "last"); got.SyncWave != 2 {
			t.Errorf("the status says of the last object: %+v", got)
		}
		if len(app.Status.History) != 1 {
			t.Errorf("history = %+v", app.Status.History)
		}
	})
	t.Run("end with one whose objects fail", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"a.yaml": jobYAML("migrate", 0, "exit 1"), "b.yaml": annotatedConfigMapYAML("last", wave, "1"),
		})
		app := a.sync(t, v1alpha1.SyncOperation{})
		if err := operationIs(v1alpha1.OperationFailed, "migrate", "wave 0")(app); err != nil {
			t.Error(err)
		}
		a.mustNotBeLive(t, "last")
		a.await(t, outOfSync, isHealth(v1alpha1.HealthStatusDegraded))
	})
	t.Run("are left alone by a change of an earlier one that stays healthy", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"a.yaml": annotatedConfigMapYAML("first", wave, "-1", "v", "1"), "b.yaml": deploymentYAML("web", 1, image),
			"c.yaml": annotatedConfigMapYAML("last", wave, "1", "v", "1"),
		}, automated)
		a.await(t, synced, healthy)
		a.push(t, map[string]string{"b.yaml": deploymentYAML("web", 2, image), "c.yaml": annotatedConfigMapYAML("last", wave, "1", "v", "2")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitData(t, "last", "v", "2")
		if web := a.deployment(t, "web"); web.Status.AvailableReplicas != 2 {
			t.Errorf("the last wave began with %d of 2 pods available", web.Status.AvailableReplicas)
		}
		a.await(t, synced, healthy)
	})
}

func TestAnOperationIsTriedAgain(t *testing.T) {
	t.Parallel()
	every := func(limit int64) func(*v1alpha1.Operation) {
		return func(op *v1alpha1.Operation) {
			op.Retry = v1alpha1.RetryStrategy{Limit: limit, Backoff: &v1alpha1.Backoff{Duration: "1s", Factor: new(int64(1))}}
		}
	}
	t.Run("as often as its limit says", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one") + "unheardOf: 1\n"})
		app := a.sync(t, v1alpha1.SyncOperation{}, every(2))
		state := app.Status.OperationState
		if err := operationIs(v1alpha1.OperationFailed, "unheardOf", "retried 2 times")(app); err != nil || state.RetryCount != 2 {
			t.Errorf("%d retries: %v", state.RetryCount, err)
		}
	})
	t.Run("until the cause is gone", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, map[string]string{"one.yaml": configMapYAML("one")})
		a.into = a.newNamespace(t)
		a.create(t)
		done := a.request(t, v1alpha1.SyncOperation{}, every(60))
		a.await(t, operationIs(v1alpha1.OperationRunning, a.into, "Retrying attempt #"))
		a.createNamespace(t, a.into)
		app := a.await(t, done, synced)
		if err := operationIs(v1alpha1.OperationSucceeded)(app); err != nil {
			t.Error(err)
		}
		if app.Status.OperationState.RetryCount == 0 || len(app.Status.History) != 1 {
			t.Errorf("retries: %d, history: %+v", app.Status.OperationState.RetryCount, app.Status.History)
		}
		a.mustBeLive(t, "one")
	})
	t.Run("by the policy of an automated Application", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, map[string]string{"one.yaml": configMapYAML("one")})
		a.into = a.newNamespace(t)
		a.create(t, automated, func(app *v1alpha1.Application) {
			app.Spec.SyncPolicy.Retry = &v1alpha1.RetryStrategy{Limit: 60, Backoff: &v1alpha1.Backoff{Duration: "1s", Factor: new(int64(1))}}
		})
		a.await(t, operationIs(v1alpha1.OperationRunning, a.into, "Retrying"))
		a.createNamespace(t, a.into)
		a.await(t, synced, noConditions, operationIs(v1alpha1.OperationSucceeded))
	})
}

func TestAnOperationIsTerminated(t *testing.T) {
	t.Parallel()
	const terminate = `{"status": {"operationState": {"phase": "Terminating"}}}`
	ended := func(t *testing.T, a *application) {
		t.Helper()
		app := a.awaitWithin(t, soon, operationIs(v1alpha1.OperationFailed, "terminated"))
		if app.Operation != nil || app.Status.OperationState.FinishedAt == nil {
			t.Errorf("operation = %v, finished at %v", app.Operation, app.Status.OperationState.FinishedAt)
		}
	}
	t.Run("while it waits for the health of a wave", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"a.yaml": jobYAML("slow", 0, "sleep 3600"), "b.yaml": annotatedConfigMapYAML("last", "argocd.argoproj.io/sync-wave", "1"),
		})
		a.request(t, v1alpha1.SyncOperation{})
		a.await(t, operationIs(v1alpha1.OperationRunning, "slow"))
		a.patch(t, terminate)
		ended(t, a)
		a.mustNotBeLive(t, "last")
		a.await(t, outOfSync, isHealth(v1alpha1.HealthStatusProgressing))
	})
	t.Run("while it waits for its next attempt", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one") + "unheardOf: 1\n"})
		a.request(t, v1alpha1.SyncOperation{}, func(op *v1alpha1.Operation) {
			op.Retry = v1alpha1.RetryStrategy{Limit: 5, Backoff: &v1alpha1.Backoff{Duration: "1h", MaxDuration: "1h"}}
		})
		a.await(t, operationIs(v1alpha1.OperationRunning, "Retrying"))
		a.patch(t, terminate)
		ended(t, a)
	})
	t.Run("while its source cannot be compared", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one\n"})
		a.request(t, v1alpha1.SyncOperation{}, func(op *v1alpha1.Operation) {
			op.Retry = v1alpha1.RetryStrategy{Limit: -1, Backoff: &v1alpha1.Backoff{Duration: "1h", MaxDuration: "1h"}}
		})
		a.await(t, operationIs(v1alpha1.OperationRunning, "Retrying"))
		a.patch(t, terminate)
		ended(t, a)
	})
}

func TestAnOperationKeepsToTheCommitThatItBeganWith(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{
		"a.yaml": jobYAML("slow", 0, "sleep 3"), "b.yaml": annotatedConfigMapYAML("last", "argocd.argoproj.io/sync-wave", "1", "v", "1"),
	})
	first := a.head(t)
	done := a.request(t, v1alpha1.SyncOperation{})
	a.await(t, operationIs(v1alpha1.OperationRunning, "slow"))
	second := a.push(t, map[string]string{"b.yaml": strings.Replace(
		annotatedConfigMapYAML("last", "argocd.argoproj.io/sync-wave", "1", "v", "1"), `v: "1"`, `v: "2"`, 1)})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.await(t, done)
	if state := app.Status.OperationState; state.Phase != v1alpha1.OperationSucceeded || state.SyncResult.Revision != first {
		t.Errorf("it ended %s at %s, want %s", state.Phase, state.SyncResult.Revision, first)
	}
	a.awaitData(t, "last", "v", "1")
	app = a.await(t, outOfSync)
	if app.Status.Sync.Revision != second {
		t.Errorf("compared with %s, want %s", app.Status.Sync.Revision, second)
	}
}
