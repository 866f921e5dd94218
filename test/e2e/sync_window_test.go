package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// withWindows makes a project that permits all but for its sync windows.
func (i *installation) withWindows(t testing.TB, windows ...v1alpha1.InlineSyncWindow) string {
	t.Helper()
	spec := everything()
	for n := range windows {
		spec.SyncWindows = append(spec.SyncWindows, &windows[n])
	}
	return i.project(t, spec)
}

// patchProject is kubectl patch appproject --type merge.
func (i *installation) patchProject(t testing.TB, name, patch string) {
	t.Helper()
	if _, err := i.argo.AppProjects(i.namespace).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatalf("patching the project %s: %v", name, err)
	}
}

// always is a window that is open all the time.
func always(kind, description string) v1alpha1.InlineSyncWindow {
	return v1alpha1.InlineSyncWindow{Kind: kind, Schedule: "* * * * *", Duration: "1h", Applications: []string{"*"}, Description: description}
}

// api asks the API of the shared fairlead.
func (i *installation) ask(t testing.TB, path string) string {
	t.Helper()
	answer, err := get(t.Context(), "http://"+common.program.api(t)+path)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestADenyWindowHoldsSyncsUntilItIsGone(t *testing.T) {
	t.Parallel()
	i := shared(t)
	project := i.withWindows(t, always(v1alpha1.SyncWindowDeny, "freeze"))
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one"), "two.yaml": configMapYAML("two")}, automated, inProject(project))

	a.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, `held by the deny window "freeze"`, "2 objects wait"))
	a.awaitEvent(t, "SyncHeld", "freeze")
	eventually(t, "the metric", func() error {
		metrics, err := common.program.get(t.Context(), "/metrics")
		if want := fmt.Sprintf(`fairlead_app_sync_held{cause="window",name=%q`, a.name); err == nil && !strings.Contains(metrics, want) {
			err = fmt.Errorf("no %s", want)
		}
		return err
	})
	windows := i.ask(t, "/api/v1/applications/"+a.name+"/syncwindows")
	window := `[{"kind":"deny","schedule":"* * * * *","duration":"1h","manualSync":false}]`
	if want := fmt.Sprintf(`{"activeWindows":%s,"assignedWindows":%s,"canSync":false}`, window, window); strings.TrimSpace(windows) != want {
		t.Errorf("got  %s\nwant %s", windows, want)
	}
	if answer, status := post(t, "http://"+common.program.api(t)+"/api/v1/applications/"+a.name+"/sync", "", `{}`); status != 403 || !strings.Contains(string(answer), "cannot sync: blocked by sync window") {
		t.Errorf("a sync by the API: %d %s", status, answer)
	}
	done := a.request(t, v1alpha1.SyncOperation{})
	a.await(t, operationIs(v1alpha1.OperationRunning, "Sync operation blocked by sync window"))
	a.mustNotBeLive(t, "one", "two")

	i.patchProject(t, project, `{"spec": {"syncWindows": [{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"], "manualSync": true}]}}`)
	a.await(t, done, synced, noConditions)
	a.mustBeLive(t, "one", "two")

	a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, "* * * * *", "1 object waits"))
	i.patchProject(t, project, `{"spec": {"syncWindows": null}}`)
	a.awaitData(t, "one", "v", "2")
	a.await(t, synced, noConditions)
}

func TestAnAutomatedSyncBeginsWhenItsWindowLetsIt(t *testing.T) {
	t.Parallel()
	i := shared(t)
	a := i.prepare(t, map[string]string{"one.yaml": configMapYAML("one")})
	a.into = i.cluster.Namespace(t)
	// A window that opened with this minute, and closes in a few seconds.
	now := time.Now().UTC()
	closes := now.Truncate(time.Second).Add(12 * time.Second)
	window := v1alpha1.InlineSyncWindow{
		Kind: v1alpha1.SyncWindowDeny, Schedule: now.Format("4 15 2 1 *"), Duration: closes.Sub(now.Truncate(time.Minute)).String(), Applications: []string{"*"},
	}
	a.create(t, automated, inProject(i.withWindows(t, window)))
	a.await(t, hasCondition(v1alpha1.ApplicationConditionSyncHeld, "held until "+closes.Format("2006-01-02 15:04")+" UTC by the deny window"))
	// Nothing polls and nothing changes: only the time wakes it.
	app := a.await(t, synced, noConditions)
	if started := app.Status.OperationState.StartedAt; started.Time.Before(closes) || started.After(closes.Add(soon)) {
		t.Errorf("it began at %s; the window closed at %s", started, closes)
	}
}

func TestAMalformedWindowIsToldAndOthersStayInEffect(t *testing.T) {
	t.Parallel()
	i := shared(t)
	broken := v1alpha1.InlineSyncWindow{Kind: v1alpha1.SyncWindowAllow, Schedule: "at noon", Duration: "1h", Applications: []string{"*"}}
	project := i.withWindows(t, broken, always(v1alpha1.SyncWindowAllow, ""))
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one")}, automated, inProject(project))
	a.await(t, synced, hasCondition(v1alpha1.ApplicationConditionSyncError, "spec.syncWindows[0]", project, "at noon"))

	i.patchProject(t, project, `{"spec": {"syncWindows": [{"kind": "deny", "schedule": "at noon", "duration": "1h", "applications": ["*"]}]}}`)
	a.await(t, hasCondition(v1alpha1.ApplicationConditionSyncError, "counts as one that denies all the time"))
	a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, "at noon", "has an error"))
}
