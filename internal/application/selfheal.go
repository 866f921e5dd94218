package application

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// SelfHealBackoff is how long self-healing waits before it puts the same
// revision right again: Initial after the first time, Factor times as long
// after each further one, never longer than Cap. After Cooldown without a
// self-heal the count begins anew.
type SelfHealBackoff struct {
	Initial  time.Duration
	Factor   float64
	Cap      time.Duration
	Cooldown time.Duration
	// Fixed is the wait before every self-heal when Initial is 0 and so the
	// waits do not grow.
	Fixed time.Duration
}

// DefaultSelfHealBackoff is the one that is documented for Argo CD.
var DefaultSelfHealBackoff = SelfHealBackoff{Initial: 2 * time.Second, Factor: 3, Cap: 5 * time.Minute, Cooldown: 330 * time.Second}

// delay is the wait before attempt n+1; with a growing back-off the first
// attempt waits for nothing.
func (b SelfHealBackoff) delay(attempts int64) time.Duration {
	if b.Initial <= 0 {
		return b.Fixed
	}
	if attempts <= 0 {
		return 0
	}
	delay := float64(b.Initial) * math.Pow(b.Factor, float64(attempts-1))
	return time.Duration(min(delay, float64(b.Cap)))
}

// attempted says whether the last operation already synced exactly what is
// desired now: the same commits of the same sources with the same parameters.
func (r *reconciliation) attempted(state *v1alpha1.OperationState) bool {
	if state == nil || state.Operation.Sync == nil || state.Operation.DryRun() {
		return false
	}
	sources, revisions := attempt(state)
	return sources.Equals(r.desired.plainSources()) && slices.Equal(revisions, r.desired.revisions())
}

// attempt returns what an operation synced to. One that ended before it had
// compared anything is judged by what it asked for.
func attempt(state *v1alpha1.OperationState) (v1alpha1.ApplicationSources, []string) {
	result, op := state.SyncResult, state.Operation.Sync
	switch {
	case result != nil && len(result.Sources) > 0:
		return result.Sources, result.Revisions
	case result != nil:
		return v1alpha1.ApplicationSources{result.Source}, []string{result.Revision}
	case len(op.Sources) > 0:
		return op.Sources, op.Revisions
	case op.Source != nil:
		return v1alpha1.ApplicationSources{*op.Source}, []string{op.Revision}
	}
	return nil, nil
}

// healNames is how many objects a self-heal names: names make the Application
// large.
const healNames = 500

// mayRepeat decides whether a revision that was synced before is synced again:
// only by self-healing, only the objects that differ, and with back-off.
func (r *reconciliation) mayRepeat(state *v1alpha1.OperationState, op *v1alpha1.Operation, differing []object) bool {
	if !state.Phase.Successful() {
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionSyncError,
			fmt.Sprintf("the last sync to %s failed and is not repeated by itself: %s", shortRevisions(r.desired.revisions()), state.Message)))
		return false
	}
	if !r.app.Spec.SyncPolicy.Automated.SelfHeals() {
		return false
	}
	attempts := r.selfHealsInARow(state)
	if state.FinishedAt != nil {
		if wait := state.FinishedAt.Add(r.SelfHeal.delay(attempts)).Sub(r.Now()); wait > 0 {
			r.lookIn(wait)
			return false
		}
	}
	op.Sync.SelfHealAttemptsCount = attempts + 1
	if len(differing) > healNames {
		// All that differs, and nothing else: no hooks, and nothing that is written in any case.
		op.Sync.SyncStrategy = &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{}}
		op.Sync.SyncOptions = append(slices.Clone(op.Sync.SyncOptions), "ApplyOutOfSyncOnly=true")
		return true
	}
	for _, o := range differing {
		op.Sync.Resources = append(op.Sync.Resources, v1alpha1.SyncOperationResource{
			Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name,
		})
	}
	return true
}

// selfHealsInARow counts the self-heals that led to the last operation, unless
// it has held for the cool-down since.
func (r *reconciliation) selfHealsInARow(state *v1alpha1.OperationState) int64 {
	if state.FinishedAt == nil || r.now.Sub(state.FinishedAt.Time) >= r.SelfHeal.Cooldown {
		return 0
	}
	return state.Operation.Sync.SelfHealAttemptsCount
}
