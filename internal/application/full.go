package application

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// fullStatus is a status of which less is stored: it was too large, see
// [reconciliation.encoded]. It is kept in memory, never changes, and is what
// later looks and the API go on with. A process that has none goes on with what
// is stored, and finds out again what is left out.
type fullStatus struct {
	// stored is the Application as the API server has it.
	stored *v1alpha1.Application
	status v1alpha1.ApplicationStatus
}

// shortens says whether an Application tells that it leaves something out.
func shortens(app *v1alpha1.Application) bool {
	result := syncResultOf(app)
	return app.Status.OmittedResources != nil || result != nil && result.OmittedResources > 0
}

func syncResultOf(app *v1alpha1.Application) *v1alpha1.SyncOperationResult {
	if app.Status.OperationState == nil {
		return nil
	}
	return app.Status.OperationState.SyncResult
}

// complete returns an Application with what it leaves out, as far as that is
// known; f may be nil. The result shares memory with both and must not be
// changed.
func (f *fullStatus) complete(app *v1alpha1.Application) *v1alpha1.Application {
	if f == nil || f.stored.UID != app.UID || !shortens(app) {
		return app
	}
	out := *app
	same := f.stored.ResourceVersion == app.ResourceVersion
	if omitted := app.Status.OmittedResources; omitted != nil && (same || f.hasResources(app)) {
		out.Status.Resources, out.Status.OmittedResources = f.status.Resources, nil
	}
	if result := syncResultOf(app); result != nil && result.OmittedResources > 0 && (same || f.hasResults(app)) {
		state, all := *app.Status.OperationState, *result
		all.Resources, all.OmittedResources = f.status.OperationState.SyncResult.Resources, f.status.OperationState.SyncResult.OmittedResources
		state.SyncResult, out.Status.OperationState = &all, &state
	}
	return &out
}

// hasResources says whether the resources that an Application leaves out are
// the ones known, although somebody wrote the Application since.
func (f *fullStatus) hasResources(app *v1alpha1.Application) bool {
	omitted := f.stored.Status.OmittedResources
	return omitted != nil && *omitted == *app.Status.OmittedResources && sameResources(f.stored.Status.Resources, app.Status.Resources)
}

// hasResults is hasResources for the results of the operation.
func (f *fullStatus) hasResults(app *v1alpha1.Application) bool {
	ours, theirs := f.stored.Status.OperationState, app.Status.OperationState
	return ours != nil && ours.SyncResult != nil && ours.StartedAt.Equal(&theirs.StartedAt) && ours.RetryCount == theirs.RetryCount &&
		ours.SyncResult.OmittedResources == theirs.SyncResult.OmittedResources
}

// copyOf copies an Application for a look to change. The lists of its status
// are shared where no look changes an entry: those of resources, and the results
// of an operation that has ended.
func copyOf(app *v1alpha1.Application) *v1alpha1.Application {
	short := *app
	short.Status.Resources = nil
	state := app.Status.OperationState
	ended := state != nil && state.Phase.Completed() && state.SyncResult != nil
	if ended {
		rest, result := *state, *state.SyncResult
		result.Resources = nil
		rest.SyncResult, short.Status.OperationState = &result, &rest
	}
	out := short.DeepCopy()
	out.Status.Resources = app.Status.Resources
	if ended {
		out.Status.OperationState.SyncResult.Resources = state.SyncResult.Resources
	}
	return out
}

// sameStatus says whether two statuses say the same.
func sameStatus(a, b v1alpha1.ApplicationStatus) bool {
	if !sameResources(a.Resources, b.Resources) {
		return false
	}
	a.Resources, b.Resources = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}

// sameResources compares without reflection, of which an Application with many
// objects would need much at every look.
func sameResources(a, b []v1alpha1.ResourceStatus) bool {
	return slices.EqualFunc(a, b, func(x, y v1alpha1.ResourceStatus) bool {
		if !same(x.Health, y.Health) || !same(x.Drift, y.Drift) {
			return false
		}
		x.Health, x.Drift, y.Health, y.Drift = nil, nil, nil, nil
		return x == y
	})
}

func same[T any](a, b *T) bool {
	return a == b || a != nil && b != nil && equality.Semantic.DeepEqual(a, b)
}
