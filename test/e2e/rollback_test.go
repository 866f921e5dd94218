package e2e

import (
	"fmt"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func (a *application) call(t testing.TB, path, body string) (answer []byte, status int) {
	t.Helper()
	return post(t, "http://"+common.program.api(t)+path, "", body)
}

func TestAnAutomatedApplicationStaysWhereItIsPinned(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "good")}, automated)
	a.await(t, synced)
	good := a.head(t)
	bad := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "bad")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.awaitData(t, "one", "v", "bad")
	a.await(t, syncedTo(bad))

	if answer, status := a.call(t, "/api/v1/applications/"+a.name+"/rollback", `{"id": 0}`); status != 400 || !containsAll(string(answer), []string{"auto-sync is enabled"}) {
		t.Errorf("rollback: %d %s", status, answer)
	}
	if answer, status := a.call(t, "/api/v1/fairlead/applications/"+a.name+"/pin", `{"reason": "it broke the shop"}`); status != 200 {
		t.Fatalf("pin: %d %s", status, answer)
	}
	pinned := hasCondition(v1alpha1.ApplicationConditionPinned, "pinned to "+good[:7], "it broke the shop", "it keeps out "+bad[:7])
	a.awaitData(t, "one", "v", "good")
	a.await(t, syncedTo(good), pinned)

	t.Run("a sync by hand goes there too", func(t *testing.T) {
		app := a.mustSync(t, v1alpha1.SyncOperation{})
		if got := app.Status.OperationState.SyncResult.Revision; got != good {
			t.Errorf("it was synced to %s and not %s", got, good)
		}
		a.await(t, syncedTo(good))
	})
	t.Run("a commit that changes nothing of it leaves the pin", func(t *testing.T) {
		a.repo.Commit(t, map[string]string{"elsewhere/two.yaml": configMapYAML("two")}, "Change another folder")
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, syncedTo(good), pinned)
		a.mustBeLive(t, "one")
	})
	t.Run("one that does lifts it", func(t *testing.T) {
		fixed := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "fixed")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitData(t, "one", "v", "fixed")
		app := a.await(t, syncedTo(fixed), noConditions)
		if len(app.Annotations) != 0 {
			t.Errorf("annotations are left: %v", app.Annotations)
		}
	})
	t.Run("and so does a person", func(t *testing.T) {
		a.annotate(t, v1alpha1.AnnotationPin, good)
		a.awaitData(t, "one", "v", "good")
		a.await(t, syncedTo(good))
		a.patch(t, fmt.Sprintf(`{"metadata": {"annotations": {%q: null, %q: null}}}`, v1alpha1.AnnotationPin, v1alpha1.AnnotationPinKeepsOut))
		a.awaitData(t, "one", "v", "fixed")
		a.await(t, synced, noConditions)
	})
	t.Run("a commit that does not render is kept out", func(t *testing.T) {
		good := a.head(t)
		a.push(t, map[string]string{"one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one\n"})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown))
		a.annotate(t, v1alpha1.AnnotationPin, good)
		a.await(t, syncedTo(good), hasCondition(v1alpha1.ApplicationConditionPinned, good[:7], "keeps out "+a.head(t)[:7]))
		mended := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "mended")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitData(t, "one", "v", "mended")
		a.await(t, syncedTo(mended), noConditions)
	})
}

func TestARollbackWithoutAutomatedSync(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
	a.await(t, outOfSync)
	a.mustSync(t, v1alpha1.SyncOperation{})
	first := a.head(t)
	a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.mustSync(t, v1alpha1.SyncOperation{})
	id := app.Status.History[0].ID
	if answer, status := a.call(t, "/api/v1/applications/"+a.name+"/rollback", fmt.Sprintf(`{"id": %d}`, id)); status != 200 {
		t.Fatalf("rollback: %d %s", status, answer)
	}
	a.awaitData(t, "one", "v", "1")
	app = a.await(t, outOfSync, operationIs(v1alpha1.OperationSucceeded))
	if got := app.Status.OperationState.SyncResult.Revision; got != first {
		t.Errorf("it was synced to %s and not %s", got, first)
	}
}
