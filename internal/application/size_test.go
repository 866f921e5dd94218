package application

import (
	"encoding/json"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// large is an Application of many objects, the last of which has drifted, with
// a result for each and for a hook.
func large(objects int, state v1alpha1.SyncStatusCode) *v1alpha1.Application {
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{UID: "one", ResourceVersion: "1"}}
	result := &v1alpha1.SyncOperationResult{Revision: "main"}
	for n := range objects {
		name := fmt.Sprintf("object-%05d", n)
		app.Status.Resources = append(app.Status.Resources, v1alpha1.ResourceStatus{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: name, Status: state})
		made := &v1alpha1.ResourceResult{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: name, Status: v1alpha1.ResultCodeSynced, SyncPhase: v1alpha1.SyncPhaseSync}
		made.Message = unchangedMessage(made)
		result.Resources = append(result.Resources, made)
	}
	app.Status.Resources[objects-1].Status = v1alpha1.SyncStatusCodeOutOfSync
	result.Resources[objects-1].Status = v1alpha1.ResultCodeSyncFailed
	result.Resources = append(result.Resources, &v1alpha1.ResourceResult{Version: "v1", Kind: "Job", Name: "migrate", HookType: v1alpha1.HookTypePostSync})
	app.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning, SyncResult: result}
	return app
}

func TestALargeStatusIsShortened(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		objects, limit int
		state          v1alpha1.SyncStatusCode
		shortened      bool
		outOfSync      bool
	}{
		"a small one is kept":                  {objects: 10, limit: 16 << 10, state: v1alpha1.SyncStatusCodeSynced},
		"what is well is left out":             {objects: 10_000, limit: 64 << 10, state: v1alpha1.SyncStatusCodeSynced, shortened: true},
		"what is not is counted when too much": {objects: 10_000, limit: 64 << 10, state: v1alpha1.SyncStatusCodeOutOfSync, shortened: true, outOfSync: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := large(test.objects, test.state)
			r := &reconciliation{Controller: &Controller{Options: Options{SizeLimit: test.limit}}}
			data, err := r.encoded(app)
			if err != nil || len(data) > test.limit {
				t.Fatalf("it has %d bytes of %d: %v", len(data), test.limit, err)
			}
			var stored v1alpha1.Application
			if err := json.Unmarshal(data, &stored); err != nil {
				t.Fatal(err)
			}
			if got := shortens(&stored); got != test.shortened {
				t.Fatalf("shortened: %t", got)
			}
			if shortens(app) || len(app.Status.Resources) != test.objects {
				t.Error("the original was changed")
			}
			result := stored.Status.OperationState.SyncResult
			if got := len(result.Resources) + int(result.OmittedResources); got != test.objects+1 {
				t.Errorf("%d results are there or counted", got)
			}
			if last := result.Resources[len(result.Resources)-1]; last.Name != "migrate" {
				t.Errorf("the result of the hook is not the last one, but %+v", last)
			}
			failed := result.Resources[len(result.Resources)-2]
			if failed.Status != v1alpha1.ResultCodeSyncFailed {
				t.Errorf("the failure is left out: %+v", failed)
			}
			if !test.shortened {
				return
			}
			omitted := stored.Status.OmittedResources
			if got := len(stored.Status.Resources) + int(omitted.Count); got != test.objects {
				t.Errorf("%d resources are there or counted", got)
			}
			if (omitted.OutOfSync > 0) != test.outOfSync {
				t.Errorf("omitted: %+v", omitted)
			}
			if last := stored.Status.Resources[len(stored.Status.Resources)-1]; !test.outOfSync && last.Status != v1alpha1.SyncStatusCodeOutOfSync {
				t.Errorf("what is out of sync is left out; the last is %+v", last)
			}
		})
	}
}

func TestWhatIsLeftOutIsCompletedFromMemory(t *testing.T) {
	t.Parallel()
	app := large(1_000, v1alpha1.SyncStatusCodeSynced)
	stored := app.DeepCopy()
	stored.Status.Resources, stored.Status.OmittedResources = stored.Status.Resources[:10], &v1alpha1.OmittedResources{Count: 990}
	result := stored.Status.OperationState.SyncResult
	result.Resources, result.OmittedResources = result.Resources[:10], 991
	known := &fullStatus{stored: stored, status: app.Status}
	for name, test := range map[string]struct {
		full      *fullStatus
		change    func(*v1alpha1.Application)
		resources int
		results   int
	}{
		"as it was stored":          {known, func(*v1alpha1.Application) {}, 1_000, 1_001},
		"after somebody else wrote": {known, func(a *v1alpha1.Application) { a.ResourceVersion = "2" }, 1_000, 1_001},
		"after another list was stored": {known, func(a *v1alpha1.Application) {
			a.ResourceVersion = "2"
			a.Status.Resources[0].Status = v1alpha1.SyncStatusCodeOutOfSync
		}, 10, 1_001},
		"after another attempt": {known, func(a *v1alpha1.Application) {
			a.ResourceVersion = "2"
			a.Status.OperationState.RetryCount++
		}, 1_000, 10},
		"of another Application":    {known, func(a *v1alpha1.Application) { a.UID = "two" }, 10, 10},
		"of which nothing is known": {nil, func(*v1alpha1.Application) {}, 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := stored.DeepCopy()
			test.change(read)
			got := test.full.complete(read)
			if n := len(got.Status.Resources); n != test.resources || (got.Status.OmittedResources == nil) != (n == 1_000) {
				t.Errorf("%d resources, omitted %+v", n, got.Status.OmittedResources)
			}
			result := got.Status.OperationState.SyncResult
			if n := len(result.Resources); n != test.results || (result.OmittedResources == 0) != (n == 1_001) {
				t.Errorf("%d results, omitted %d", n, result.OmittedResources)
			}
		})
	}
}

func TestHistoryIsBoundedBySize(t *testing.T) {
	t.Parallel()
	var history v1alpha1.RevisionHistories
	for id := range int64(5) {
		history = append(history, v1alpha1.RevisionHistory{ID: id, Source: v1alpha1.ApplicationSource{Path: string(make([]byte, 100))}})
	}
	one, err := json.Marshal(history[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ room, left int }{{10 * len(one), 5}, {2 * len(one), 2}, {1, 1}} {
		got := newest(history, test.room)
		if len(got) != test.left || got[len(got)-1].ID != 4 {
			t.Errorf("for %d bytes %d entries are left", test.room, len(got))
		}
	}
}

func BenchmarkAnUnchangedLargeStatus(b *testing.B) {
	app := large(10_000, v1alpha1.SyncStatusCodeSynced)
	app.Status.OperationState.Phase = v1alpha1.OperationSucceeded
	for b.Loop() {
		next := copyOf(app)
		next.Status.Resources = append([]v1alpha1.ResourceStatus(nil), app.Status.Resources...)
		if !sameStatus(app.Status, next.Status) {
			b.Fatal("it differs")
		}
	}
}

func BenchmarkEncodingALargeStatus(b *testing.B) {
	app := large(10_000, v1alpha1.SyncStatusCodeSynced)
	r := &reconciliation{Controller: &Controller{}}
	for b.Loop() {
		if _, err := r.encoded(app); err != nil {
			b.Fatal(err)
		}
	}
}
