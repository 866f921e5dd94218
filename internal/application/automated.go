package application

import (
	"context"
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
}

// DefaultSelfHealBackoff is the one that is documented for Argo CD.
var DefaultSelfHealBackoff = SelfHealBackoff{Initial: 2 * time.Second, Factor: 3, Cap: 5 * time.Minute, Cooldown: 330 * time.Second}

// delay is the wait before attempt n+1; the first attempt waits for nothing.
func (b SelfHealBackoff) delay(attempts int64) time.Duration {
	if attempts <= 0 {
		return 0
	}
	delay := float64(b.Initial) * math.Pow(b.Factor, float64(attempts-1))
	return time.Duration(min(delay, float64(b.Cap)))
}

// decide starts an automated sync where the policy asks for one. The intent is
// written before anything is done, so that another process carries on.
func (r *reconciliation) decide(ctx context.Context) error {
	policy := r.app.Spec.SyncPolicy
	state := r.app.Status.OperationState
	if !policy.IsAutomated() || r.app.Operation != nil || (state != nil && !state.Phase.Completed()) {
		return nil
	}
	if r.current.synced() || len(errorsOf(r.conditions)) > 0 {
		return nil
	}
	prune := policy.Automated.Prunes()
	changes, prunes := r.changes()
	if len(changes) == 0 && !(prune && len(prunes) > 0) {
		return nil
	}
	if prune && r.current.empty && len(prunes) > 0 && !policy.Automated.AllowsEmpty() {
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionSyncError,
			fmt.Sprintf("the source is empty, and an automated sync would prune all %d objects; sync by hand, or set syncPolicy.automated.allowEmpty", len(prunes))))
		return nil
	}
	op := &v1alpha1.Operation{
		Sync:        &v1alpha1.SyncOperation{Prune: prune, SyncOptions: policy.SyncOptions},
		InitiatedBy: v1alpha1.OperationInitiator{Automated: true},
		Retry:       v1alpha1.RetryStrategy{Limit: 5},
	}
	if policy.Retry != nil {
		op.Retry = *policy.Retry
	}
	if r.app.Spec.HasMultipleSources() {
		op.Sync.Revisions = r.desired.revisions()
	} else {
		op.Sync.Revision = r.desired.sources[0].revision
	}
	if r.attempted(state) {
		if !r.mayRepeat(state, op, append(changes, prunes...)) {
			return nil
		}
	}
	r.app.Operation = op
	r.app.Status.OperationState = &v1alpha1.OperationState{Operation: *op, Phase: v1alpha1.OperationRunning, StartedAt: r.now,
		Message: "started by the automated sync policy"}
	r.describe(ctx)
	return r.write(ctx)
}

// changes returns the objects that a sync would write, and those that it would
// prune.
func (r *reconciliation) changes() (write, prune []object) {
	for _, o := range r.current.objects {
		switch {
		case o.synced():
		case o.desired != nil:
			write = append(write, o)
		case o.prunable():
			prune = append(prune, o)
		}
	}
	return write, prune
}

// attempted says whether the last operation already synced exactly what is
// desired now: the same commits of the same sources.
func (r *reconciliation) attempted(state *v1alpha1.OperationState) bool {
	if state == nil || state.SyncResult == nil || state.Operation.DryRun() {
		return false
	}
	result := state.SyncResult
	if r.app.Spec.HasMultipleSources() {
		return slices.Equal(result.Revisions, r.desired.revisions()) && result.Sources.Equals(r.desired.plainSources())
	}
	return result.Revision == r.desired.sources[0].revision && result.Source.Equals(&r.desired.sources[0].source)
}

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
	attempts := int64(0)
	if previous := state.Operation.Sync; previous != nil && state.FinishedAt != nil &&
		r.now.Sub(state.FinishedAt.Time) < r.SelfHeal.Cooldown {
		attempts = previous.SelfHealAttemptsCount
	}
	if state.FinishedAt != nil {
		if wait := state.FinishedAt.Add(r.SelfHeal.delay(attempts)).Sub(r.Now()); wait > 0 {
			r.again = wait
			return false
		}
	}
	op.Sync.SelfHealAttemptsCount = attempts + 1
	for _, o := range differing {
		op.Sync.Resources = append(op.Sync.Resources, v1alpha1.SyncOperationResource{
			Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name,
		})
	}
	return true
}
