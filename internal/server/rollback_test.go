package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// deployed has two syncs behind it, and runs the second.
func deployed(app *v1alpha1.Application) {
	old := *app.Spec.Source
	old.Path = "before"
	app.Status.History = v1alpha1.RevisionHistories{{ID: 3, Revision: "good", Source: old}, {ID: 4, Revision: "bad", Source: *app.Spec.Source}}
	app.Status.Sync.Revision = "bad"
}

func automated(app *v1alpha1.Application) {
	app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}, SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"}}
}

func TestRollback(t *testing.T) {
	before := &v1alpha1.ApplicationSource{RepoURL: "https://example.com/monorepo.git", Path: "before", TargetRevision: "main"}
	apply := &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{}}
	for sentence, c := range map[string]struct {
		app    func(*v1alpha1.Application)
		body   string
		status int
		error  string
		sync   *v1alpha1.SyncOperation
	}{
		"it goes back to the source and revision of then": {nil, `{"id":3}`, 200, "", &v1alpha1.SyncOperation{Revision: "good", Source: before, SyncStrategy: apply}},
		"as it is asked for":                              {nil, `{"id":"3","prune":true,"dryRun":true}`, 200, "", &v1alpha1.SyncOperation{Revision: "good", Source: before, SyncStrategy: apply, Prune: true, DryRun: true}},
		"not while syncs are automated":                   {automated, `{"id":3}`, 400, "rollback cannot be initiated when auto-sync is enabled", nil},
		"not to what is not in the history":               {nil, `{"id":7}`, 400, "application a does not have deployment with id 7", nil},
		"not while something runs": {func(a *v1alpha1.Application) {
			a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning}
		}, `{"id":3}`, 400, "another operation is already in progress", nil},
		"not in another project than is said": {nil, `{"id":3,"project":"shop"}`, 404, "not found", nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := start(t, nil)
			w.add("argocd", "a", func(a *v1alpha1.Application) {
				deployed(a)
				if c.app != nil {
					c.app(a)
				}
			})
			a := w.call("POST", "/api/v1/applications/a/rollback", c.body, "Authorization", w.login("admin"))
			if a.status != c.status || !strings.Contains(a.body, c.error) {
				t.Fatalf("%d %s", a.status, a.body)
			}
			app, _ := w.Get(key("argocd", "a"))
			var got *v1alpha1.SyncOperation
			if app.Operation != nil {
				got = app.Operation.Sync
				if app.Operation.InitiatedBy.Username != "admin" {
					t.Errorf("by %q", app.Operation.InitiatedBy.Username)
				}
			}
			if diff := cmp.Diff(c.sync, got); diff != "" {
				t.Errorf("operation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPin(t *testing.T) {
	for sentence, c := range map[string]struct {
		app    func(*v1alpha1.Application)
		body   string
		status int
		error  string
		pin    string
	}{
		"without more it goes back to what was before": {deployed, `{"reason":"it broke"}`, 200, "", "3"},
		"an entry of the history":                      {deployed, `{"id":4,"reason":"it broke"}`, 200, "", "4"},
		"a revision":                                   {nil, `{"revision":"v1","reason":"it broke"}`, 200, "", "v1"},
		"both are one too many":                        {deployed, `{"id":4,"revision":"v1"}`, 400, "not both", ""},
		"an entry that is not there":                   {deployed, `{"id":9}`, 400, "does not have deployment with id 9", ""},
		"nothing to go back to":                        {nil, `{}`, 400, "nothing to go back to", ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := start(t, nil)
			w.add("argocd", "a", func(a *v1alpha1.Application) {
				automated(a)
				a.Annotations = map[string]string{v1alpha1.AnnotationPinKeepsOut: "older"}
				if c.app != nil {
					c.app(a)
				}
			})
			token := w.login("admin")
			a := w.call("POST", "/api/v1/fairlead/applications/a/pin", c.body, "Authorization", token)
			if a.status != c.status || !strings.Contains(a.body, c.error) {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if c.status != 200 {
				return
			}
			app, _ := w.Get(key("argocd", "a"))
			want := map[string]string{v1alpha1.AnnotationPin: c.pin, v1alpha1.AnnotationPinBy: "admin", v1alpha1.AnnotationPinReason: "it broke"}
			if diff := cmp.Diff(want, app.Annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
			if a := w.call("POST", "/api/v1/applications/a/sync", `{}`, "Authorization", token); a.status != 200 {
				t.Fatalf("sync: %d %s", a.status, a.body)
			}
			if app, _ := w.Get(key("argocd", "a")); app.Operation.Sync.Revision != "" || app.Operation.Sync.Source != nil {
				t.Errorf("a sync of what is pinned goes to %+v", app.Operation.Sync)
			}
			if a := w.call("DELETE", "/api/v1/fairlead/applications/a/pin", "", "Authorization", token); a.status != 200 {
				t.Fatalf("unpin: %d %s", a.status, a.body)
			}
			if app, _ := w.Get(key("argocd", "a")); len(app.Annotations) != 0 {
				t.Errorf("annotations = %v", app.Annotations)
			}
			if a := w.call("DELETE", "/api/v1/fairlead/applications/a/pin", "", "Authorization", token); a.status != 400 || !strings.Contains(a.body, "is not pinned") {
				t.Errorf("unpin again: %d %s", a.status, a.body)
			}
		})
	}
}
