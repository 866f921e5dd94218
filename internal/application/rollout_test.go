package application

import (
	"math"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

func TestWhatKeepsAnotherApplicationFromBeingDone(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(-ago)} }
	monorepo := v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/monorepo.git", Path: "prod"}
	done := func(change func(*v1alpha1.Application)) *v1alpha1.Application {
		app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "first", Namespace: "argocd"}}
		app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/monorepo", Path: "staging", TargetRevision: "HEAD"}
		app.Status.Health = v1alpha1.AppHealthStatus{Status: v1alpha1.HealthStatusHealthy, LastTransitionTime: at(time.Hour)}
		app.Status.Sync = v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeSynced, Revision: "c2"}
		change(app)
		app.Status.Sync.ComparedTo = comparedTo(app)
		return app
	}
	for name, test := range map[string]struct {
		other *v1alpha1.Application
		soak  time.Duration
		want  string
		again time.Duration
	}{
		"nothing": {other: done(func(*v1alpha1.Application) {})},
		"it is out of sync": {other: done(func(app *v1alpha1.Application) { app.Status.Sync.Status = v1alpha1.SyncStatusCodeOutOfSync }),
			want: "first is OutOfSync"},
		"it was never compared": {other: done(func(app *v1alpha1.Application) { app.Status = v1alpha1.ApplicationStatus{} }), want: "first is Unknown"},
		"it is not healthy": {other: done(func(app *v1alpha1.Application) { app.Status.Health.Status = v1alpha1.HealthStatusDegraded }),
			want: "first is Degraded"},
		"it is about to be synced": {other: done(func(app *v1alpha1.Application) { app.Operation = &v1alpha1.Operation{} }), want: "first is being synced"},
		"it is being synced": {other: done(func(app *v1alpha1.Application) {
			app.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning}
		}), want: "first is being synced"},
		"it has not seen the commit": {other: done(func(app *v1alpha1.Application) { app.Status.Sync.Revision = "c1" }),
			want: "first was not compared with c2", again: askAfter},
		"another branch is nothing to compare with": {other: done(func(app *v1alpha1.Application) {
			app.Spec.Source.TargetRevision, app.Status.Sync.Revision = "v1", "c1"
		})},
		"one of several sources has not seen it": {other: done(func(app *v1alpha1.Application) {
			app.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://charts.example.com", Chart: "c", TargetRevision: "1.x"}, *app.Spec.Source}
			app.Status.Sync.Revision, app.Status.Sync.Revisions = "", []string{"c2", "c1"}
		}), want: "first was not compared with c2", again: askAfter},
		"it is healthy for a moment": {other: done(func(app *v1alpha1.Application) { app.Status.Health.LastTransitionTime = at(time.Minute) }),
			soak: 10 * time.Minute, want: "first has to stay healthy until 2026-03-01T12:09:00Z", again: 9 * time.Minute},
		"it was synced a moment ago": {other: done(func(app *v1alpha1.Application) {
			app.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded, FinishedAt: at(time.Minute)}
		}), soak: 10 * time.Minute, want: "first has to stay healthy until 2026-03-01T12:09:00Z", again: 9 * time.Minute},
		"it has soaked": {other: done(func(*v1alpha1.Application) {}), soak: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reconciliation{
				Controller: &Controller{Options: Options{Now: func() time.Time { return now }}}, memory: &memory{},
				desired: &desired{sources: []renderedSource{{source: monorepo, revision: "c2"}}},
			}
			got, err := r.missingOf(t.Context(), test.other, test.soak)
			if err != nil || got != test.want || r.again != test.again {
				t.Errorf("missing %q, again after %s, %v; want %q, %s", got, r.again, err, test.want, test.again)
			}
		})
	}
}

func TestStageOf(t *testing.T) {
	for name, test := range map[string]struct {
		annotations map[string]string
		want        stage
		grouped     bool
		fault       bool
	}{
		"no group":             {map[string]string{"fairlead.dev/stage": "1"}, stage{}, false, false},
		"a stage":              {map[string]string{"fairlead.dev/wave-group": "shop", "fairlead.dev/stage": "-1"}, stage{"shop", -1, 0}, true, false},
		"a stage that soaks":   {map[string]string{"fairlead.dev/wave-group": "shop", "fairlead.dev/stage": "2", "fairlead.dev/stage-soak": "10m"}, stage{"shop", 2, 10 * time.Minute}, true, false},
		"no stage":             {map[string]string{"fairlead.dev/wave-group": "shop"}, stage{"shop", math.MinInt, 0}, true, true},
		"a stage that is none": {map[string]string{"fairlead.dev/wave-group": "shop", "fairlead.dev/stage": "prod"}, stage{"shop", math.MinInt, 0}, true, true},
		"a soak that is none":  {map[string]string{"fairlead.dev/wave-group": "shop", "fairlead.dev/stage": "1", "fairlead.dev/stage-soak": "10"}, stage{"shop", 1, 0}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			app := &v1alpha1.Application{}
			app.Annotations = test.annotations
			got, grouped, err := stageOf(app)
			if got != test.want || grouped != test.grouped || (err != nil) != test.fault {
				t.Errorf("%+v, %t, %v", got, grouped, err)
			}
		})
	}
}

func TestDependenciesOf(t *testing.T) {
	app := func(namespace, name string) dependency {
		return dependency{app: types.NamespacedName{Namespace: namespace, Name: name}}
	}
	object := func(group, kind, namespace, name, condition, value string) dependency {
		return dependency{object: cluster.Key{Group: group, Kind: kind, Namespace: namespace, Name: name}, condition: condition, value: value}
	}
	for text, want := range map[string][]dependency{
		"":                          nil,
		"db":                        {app("argocd", "db")},
		"db, team/cache\n crd:a.b":  {app("argocd", "db"), app("team", "cache"), object("apiextensions.k8s.io", "CustomResourceDefinition", "", "a.b", "Established", "True")},
		"object:/Secret/shop/token": {object("", "Secret", "shop", "token", "", "")},
		"object:apps/Deployment/shop/api:Available=True":                          {object("apps", "Deployment", "shop", "api", "Available", "True")},
		"object:rbac.authorization.k8s.io/ClusterRole//system:node":               {object("rbac.authorization.k8s.io", "ClusterRole", "", "system:node", "", "")},
		"object:rbac.authorization.k8s.io/ClusterRole//system:node:Ready=Unknown": {object("rbac.authorization.k8s.io", "ClusterRole", "", "system:node", "Ready", "Unknown")},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := dependenciesOf(dependent(text))
			if err != nil || len(got) != len(want) {
				t.Fatalf("%+v, %v", got, err)
			}
			for i := range want {
				got[i].text = ""
				if got[i] != want[i] {
					t.Errorf("got %+v, want %+v", got[i], want[i])
				}
			}
		})
	}
	for _, text := range []string{"a/b/c", "/a", "a/", "crd:", "crd:a/b", "object:Secret/shop/token", "object:///x", "object:/Secret/shop/", "object:/Secret/shop/token:=True", "other:thing"} {
		if got, err := dependenciesOf(dependent(text)); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func dependent(on string) *v1alpha1.Application {
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "api"}}
	app.Annotations = map[string]string{v1alpha1.AnnotationDependsOn: on}
	return app
}

func FuzzDependencies(f *testing.F) {
	f.Add("db, team/cache\ncrd:a.b object:apps/Deployment/shop/api:Available=True")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := dependenciesOf(dependent(text))
		if err != nil && list != nil {
			t.Error("a list that cannot be read is returned")
		}
	})
}

func TestWaits(t *testing.T) {
	key := func(name string) types.NamespacedName { return types.NamespacedName{Namespace: "argocd", Name: name} }
	var w waits
	w.wait(key("prod"), key("staging"))
	w.wait(key("prod"), key("db"))
	w.wait(key("test"), key("staging"))
	if got := w.waiting(key("staging")); len(got) != 2 {
		t.Errorf("waiting for staging: %v", got)
	}
	w.stop(key("prod"))
	if got := w.waiting(key("staging")); len(got) != 1 || got[0] != key("test") {
		t.Errorf("waiting for staging: %v", got)
	}
	if got := w.waiting(key("db")); len(got) != 0 || len(w.by) != 1 {
		t.Errorf("waiting for db: %v of %v", got, w.by)
	}
}
