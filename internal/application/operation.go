package application

import (
	"context"
	"fmt"
	"slices"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// terminate ends an operation that somebody broke off, before anything else is
// looked at: nothing that the operation waits for may hold that up. Its hooks
// are ended by tidyHooks.
func (r *reconciliation) terminate(ctx context.Context) error {
	if !terminating(r.app) {
		return nil
	}
	r.finish(v1alpha1.OperationFailed, "the operation was terminated")
	return r.write(ctx)
}

// supersede ends an automated operation that is still under way when something
// else is desired: desired state is a level, and a newer commit mends what an
// older one broke.
func (r *reconciliation) supersede(ctx context.Context) error {
	state := r.app.Status.OperationState
	if state == nil || !state.Phase.Running() || !r.yields(state) {
		return nil
	}
	at, err := r.operationSources(state)
	if err != nil {
		return r.endAttempt(err)
	}
	if at.sources.Equals(r.desired.plainSources()) && (slices.Equal(at.revisions, r.desired.revisions()) || len(at.revisions) == 0) {
		return nil
	}
	if at.sources.Equals(r.desired.plainSources()) {
		wanted, err := r.renderAll(ctx, at)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && wanted.result.Digest == r.desired.result.Digest {
			return nil // another commit, the same objects
		}
	}
	if err := r.endHooks(ctx); err != nil {
		return err
	}
	r.finish(v1alpha1.OperationFailed, "superseded by "+shortRevisions(r.desired.revisions())+": it is desired now")
	return nil
}

// yields says whether an operation makes way for what is desired by now: an
// automated one, and one by hand at the revision that the specification names,
// while the policy syncs by itself.
func (r *reconciliation) yields(state *v1alpha1.OperationState) bool {
	op := state.Operation.Sync
	if op == nil || op.DryRun || len(op.Manifests) > 0 || !r.app.Spec.SyncPolicy.IsAutomated() {
		return false
	}
	if state.Operation.InitiatedBy.Automated {
		return true
	}
	return len(op.Revisions) == 0 && (op.Revision == "" || op.Revision == r.app.Spec.GetSource().TargetRevision)
}

// operate begins the operation that was asked for and carries on one that
// runs, as far as it can go now.
func (r *reconciliation) operate(ctx context.Context) error {
	r.beginOperation()
	state := r.app.Status.OperationState
	switch {
	case state == nil || state.Phase.Completed():
		return nil
	case state.Operation.Sync == nil:
		r.finish(v1alpha1.OperationError, "the operation asks for nothing; set operation.sync")
		return nil
	}
	if r.blockedByWindow(state) {
		return nil
	}
	if r.SyncTimeout > 0 {
		left := r.SyncTimeout - r.Now().Sub(state.StartedAt.Time)
		if left <= 0 {
			r.finish(v1alpha1.OperationFailed, fmt.Sprintf("the operation took longer than %s: %s", r.SyncTimeout, state.Message))
			return nil
		}
		r.lookIn(left)
	}
	if wait := r.untilRetry(state); wait > 0 {
		r.lookIn(wait)
		return nil
	}
	r.beginAttempt(state)
	return r.sync(ctx)
}

// beginOperation takes up an operation that was asked for.
func (r *reconciliation) beginOperation() {
	before := r.app.Status.OperationState
	if r.app.Operation == nil || before != nil && !before.Phase.Completed() {
		return
	}
	r.app.Status.OperationState = &v1alpha1.OperationState{
		Operation: *r.app.Operation, Phase: v1alpha1.OperationRunning, StartedAt: r.now, FirstSync: r.current != nil && r.isFirstSync(before),
	}
}

// operationSources are the sources that an operation asks for, at the revisions
// that it asks for or, once it fixed them, syncs to.
func (r *reconciliation) operationSources(state *v1alpha1.OperationState) (sourcesAt, error) {
	if r.followsPin(state) {
		return sourcesAt{sources: r.desired.plainSources(), revisions: r.desired.revisions()}, nil
	}
	op := state.Operation.Sync
	at := sourcesAt{sources: r.app.Spec.GetSources(), revisions: op.Revisions}
	if op.Source != nil {
		at.sources = v1alpha1.ApplicationSources{*op.Source}
	}
	if len(op.Sources) > 0 {
		at.sources = op.Sources
	}
	if op.Revision != "" {
		at.revisions = []string{op.Revision}
	}
	if result := state.SyncResult; result != nil {
		at.revisions = result.Revisions
		if result.Revision != "" {
			at.revisions = []string{result.Revision}
		}
	}
	if n := len(at.revisions); n > 0 && n != len(at.sources) {
		return at, attemptFailed("the operation names %d revisions for %d sources; give one for each", n, len(at.sources))
	}
	return at, nil
}

// operationComparison compares what the operation asks for. That is what the
// specification asks for, unless the operation names another revision or
// source, brings its manifests along, or an earlier look at it already fixed
// one.
func (r *reconciliation) operationComparison(ctx context.Context, state *v1alpha1.OperationState) (*comparison, error) {
	if manifests := state.Operation.Sync.Manifests; len(manifests) > 0 {
		wanted, err := r.local(manifests)
		if err != nil {
			return nil, err
		}
		return r.compareApart(ctx, wanted)
	}
	at, err := r.operationSources(state)
	if err != nil {
		return nil, err
	}
	if at.sources.Equals(r.desired.plainSources()) && slices.Equal(at.revisions, r.desired.revisions()) {
		return r.current, nil
	}
	wanted, err := r.renderAll(ctx, at)
	if err != nil {
		return nil, err
	}
	if slices.Equal(wanted.revisions(), r.desired.revisions()) && at.sources.Equals(r.desired.plainSources()) {
		return r.current, nil
	}
	return r.compareApart(ctx, wanted)
}

// compareApart compares something else than what the specification asks for,
// and leaves alone what is remembered of that.
func (r *reconciliation) compareApart(ctx context.Context, wanted *desired) (*comparison, error) {
	specified := r.memory
	defer func() {
		r.memory = specified
		r.destination.Live.Want(r.instance, specified.targets.keyList())
	}()
	r.memory = &memory{}
	return r.compareWith(ctx, wanted)
}

// beginResult fixes what the operation syncs to, once.
func (r *reconciliation) beginResult(state *v1alpha1.OperationState, against *comparison, op *v1alpha1.SyncOperation) {
	if state.SyncResult != nil {
		return
	}
	result := &v1alpha1.SyncOperationResult{}
	if r.app.Spec.HasMultipleSources() {
		result.Sources, result.Revisions = against.desired.plainSources(), against.desired.revisions()
	} else {
		result.Source, result.Revision = against.desired.sources[0].source, against.desired.sources[0].revision
	}
	if op.Source != nil {
		result.Source = *op.Source
	}
	if policy := r.app.Spec.SyncPolicy; policy != nil && r.syncOptions(op).has("CreateNamespace=true") {
		result.ManagedNamespaceMetadata = policy.ManagedNamespaceMetadata
	}
	state.SyncResult = result
}

// namespaceStep creates the namespace of the destination where that is asked
// for. It belongs to nobody, and so is never pruned.
func (r *reconciliation) namespaceStep(options syncOptions) *plan.Step {
	if !options.has("CreateNamespace=true") || r.app.Spec.Destination.Namespace == "" {
		return nil
	}
	return r.managedNamespace()
}

// finish ends the operation; a sync that wrote everything enters the history.
func (r *reconciliation) finish(phase v1alpha1.OperationPhase, message string) {
	state := r.app.Status.OperationState
	state.Phase, state.Message, state.FinishedAt, state.Waiting = phase, message+r.unmet, &r.now, nil
	r.app.Operation = nil
	r.Metrics.synced(r.app)
	op := state.Operation.Sync
	whole := op != nil && !op.DryRun && len(op.Resources) == 0 && len(op.Manifests) == 0 && op.SelfHealAttemptsCount == 0
	if phase == v1alpha1.OperationSucceeded && whole {
		r.addHistory(state)
	}
	r.Logger.Info("operation finished", "application", r.key, "phase", phase, "message", message)
}
