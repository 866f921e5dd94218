package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func key(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

func TestSync(t *testing.T) {
	automated := func(a *v1alpha1.Application) {
		a.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
	}
	source := &v1alpha1.ApplicationSource{RepoURL: "https://example.com/monorepo.git", Path: "a", TargetRevision: "main"}
	for sentence, c := range map[string]struct {
		app    func(*v1alpha1.Application)
		body   string
		status int
		error  string
		sync   *v1alpha1.SyncOperation
	}{
		"an empty request syncs to the target": {nil, `{}`, 200, "", &v1alpha1.SyncOperation{Revision: "main", Source: source}},
		"no body at all does too":              {nil, ``, 200, "", &v1alpha1.SyncOperation{Revision: "main", Source: source}},
		"everything is taken over": {nil, `{"name":"a","revision":"v1","prune":true,"dryRun":true,"strategy":{"hook":{"force":true}},
			"resources":[{"kind":"ConfigMap","name":"c"}],"syncOptions":{"items":["Replace=true"]}}`, 200, "",
			&v1alpha1.SyncOperation{Revision: "v1", Prune: true, DryRun: true, Source: source, SyncOptions: v1alpha1.SyncOptions{"Replace=true"},
				SyncStrategy: &v1alpha1.SyncStrategy{Hook: &v1alpha1.SyncStrategyHook{SyncStrategyApply: v1alpha1.SyncStrategyApply{Force: true}}},
				Resources:    []v1alpha1.SyncOperationResource{{Kind: "ConfigMap", Name: "c"}}}},
		"options come from the Application": {func(a *v1alpha1.Application) {
			a.Spec.SyncPolicy = &v1alpha1.SyncPolicy{SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"}}
		}, `{}`, 200, "", &v1alpha1.SyncOperation{Revision: "main", Source: source, SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"}}},
		"several sources each have a revision": {func(a *v1alpha1.Application) {
			a.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://a", TargetRevision: "x"}, {RepoURL: "https://b", TargetRevision: "y"}}
		}, `{"sourcePositions":["2"],"revisions":["z"]}`, 200, "", &v1alpha1.SyncOperation{
			Sources: v1alpha1.ApplicationSources{{RepoURL: "https://a", TargetRevision: "x"}, {RepoURL: "https://b", TargetRevision: "y"}}, Revisions: []string{"x", "z"}}},
		"a position out of range is refused": {func(a *v1alpha1.Application) {
			a.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://a"}}
		}, `{"sourcePositions":[2],"revisions":["z"]}`, 400, "out of range", nil},
		"positions and revisions must pair": {func(a *v1alpha1.Application) {
			a.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://a"}}
		}, `{"sourcePositions":[1,1],"revisions":["z"]}`, 400, "one revision for each", nil},
		"automated syncs hold the revision": {automated, `{"revision":"v1"}`, 400, "auto-sync currently set to main", nil},
		"but can be tried":                  {automated, `{"revision":"v1","dryRun":true}`, 200, "", &v1alpha1.SyncOperation{Revision: "v1", DryRun: true, Source: source}},
		"and the target may be named":       {automated, `{"revision":"main"}`, 200, "", &v1alpha1.SyncOperation{Revision: "main", Source: source}},
		"an operation that waits is not lost": {func(a *v1alpha1.Application) {
			a.Operation = &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{Revision: "old"}}
		}, `{}`, 400, "another operation is already in progress", &v1alpha1.SyncOperation{Revision: "old"}},
		"nor is one that runs": {func(a *v1alpha1.Application) {
			a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning}
		}, `{}`, 400, "another operation is already in progress", nil},
		"one that has ended makes room": {func(a *v1alpha1.Application) {
			a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded}
		}, `{}`, 200, "", &v1alpha1.SyncOperation{Revision: "main", Source: source}},
		"an Application that is going is left": {func(a *v1alpha1.Application) { a.DeletionTimestamp = &metav1.Time{} }, `{}`, 400, "application is deleting", nil},
		"another project is not found":         {nil, `{"project":"shop"}`, 404, "not found", nil},
		"what is no JSON is refused":           {nil, `{"prune":"yes"}`, 400, "not the JSON", nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := start(t, nil)
			w.add("argocd", "a", c.app)
			a := w.call("POST", "/api/v1/applications/a/sync", c.body, "Authorization", w.login("admin"), "Content-Type", "application/json")
			if a.status != c.status || !strings.Contains(a.body, c.error) {
				t.Fatalf("%d %s", a.status, a.body)
			}
			app, _ := w.Get(key("argocd", "a"))
			var got *v1alpha1.SyncOperation
			if app.Operation != nil {
				got = app.Operation.Sync
			}
			if diff := cmp.Diff(c.sync, got); diff != "" {
				t.Errorf("operation (-want +got):\n%s", diff)
			}
			if c.status != 200 {
				return
			}
			if app.Operation.InitiatedBy.Username != "admin" || app.Status.OperationState != nil {
				t.Errorf("by %q, state %v", app.Operation.InitiatedBy.Username, app.Status.OperationState)
			}
			var answered v1alpha1.Application
			must(t, json.Unmarshal([]byte(a.body), &answered))
			if answered.Operation == nil {
				t.Error("the answer lacks the operation")
			}
		})
	}
}

func TestSyncGoesOnAfterAConflict(t *testing.T) {
	w := start(t, nil)
	w.add("argocd", "a", nil)
	w.conflicts = 2
	a := w.call("POST", "/api/v1/applications/a/sync", `{}`, "Authorization", w.login("admin"))
	if app, _ := w.Get(key("argocd", "a")); a.status != 200 || app.Operation == nil {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestSyncOfAHugeBody(t *testing.T) {
	w := start(t, nil)
	w.add("argocd", "a", nil)
	a := w.call("POST", "/api/v1/applications/a/sync", `{"manifests":["`+strings.Repeat("a", 9<<20)+`"]}`, "Authorization", w.login("admin"))
	if a.status != 429 {
		t.Errorf("%d %.200s", a.status, a.body)
	}
}
