package application

import (
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// operate begins the operation that was asked for and carries on one that
// runs, as far as it can go now.
func (r *reconciliation) operate(ctx context.Context) error {
	state := r.app.Status.OperationState
	if r.app.Operation != nil && (state == nil || state.Phase.Completed()) {
		state = &v1alpha1.OperationState{Operation: *r.app.Operation, Phase: v1alpha1.OperationRunning, StartedAt: r.now}
		r.app.Status.OperationState = state
	}
	switch {
	case state == nil || state.Phase.Completed():
		return nil
	case state.Phase == v1alpha1.OperationTerminating:
		r.finish(v1alpha1.OperationFailed, "the operation was terminated")
		return nil
	case state.Operation.Sync == nil:
		r.finish(v1alpha1.OperationError, "the operation asks for nothing; set operation.sync")
		return nil
	}
	if len(state.Operation.Sync.Manifests) > 0 {
		// Syncing what is in Git instead would be the opposite of what was asked for.
		r.finish(v1alpha1.OperationError, "syncing manifests that come with the operation is not supported yet; push them, or remove operation.sync.manifests")
		return nil
	}
	if r.blockedByWindow(state) {
		return nil
	}
	if wait := r.untilRetry(state); wait > 0 {
		r.again = wait
		return nil
	}
	return r.sync(ctx, state)
}

// sync compares the revision that the operation asks for with the cluster and
// carries out the difference, wave by wave. What was done in an earlier look
// at the same operation compares as synced now, and so is not done again.
func (r *reconciliation) sync(ctx context.Context, state *v1alpha1.OperationState) error {
	against, err := r.operationComparison(ctx, state)
	if refused, ok := errors.AsType[*problem](err); ok {
		// What the operation asks for is at fault, not the Application.
		r.failAttempt(state, refused.Error())
		return nil
	}
	if err != nil {
		return err
	}
	op := state.Operation.Sync
	options := r.syncOptions(op)
	work := selected(against.objects, op.Resources)
	r.beginResult(state, against, op)

	steps, skipped := stepsFor(work, op.Prune && options.prune)
	if namespace := r.namespaceStep(options); namespace != nil {
		steps = append(steps, *namespace)
	}
	if options.respectIgnored {
		if err := r.keepIgnored(ctx, work, steps); err != nil {
			r.failAttempt(state, err.Error())
			return nil
		}
	}
	recordUnchanged(state.SyncResult, work, skipped)

	for _, stage := range plan.Build(steps).Stages {
		if kind, err := r.unservedKind(ctx, stage); kind != "" {
			r.waitForKind(state, kind, err)
			return nil
		}
		if waiting, degraded := waitingFor(work, stage, op.DryRun); degraded != "" {
			r.failAttempt(state, degraded)
			return nil
		} else if waiting != "" {
			state.Message = waiting
			return nil
		}
		outcomes := r.destination.Applier.Run(ctx, stage.Steps, apply.Options{
			DryRun: op.DryRun, SkipValidation: options.skipValidation, Propagation: options.propagation,
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		failed := recordOutcomes(state.SyncResult, outcomes)
		r.markApplied(ctx, work, outcomes)
		if failed > 0 {
			r.failAttempt(state, fmt.Sprintf("%d of %d objects could not be written; the first: %s", failed, len(stage.Steps), firstError(outcomes)))
			return nil
		}
	}
	r.finish(v1alpha1.OperationSucceeded, succeededMessage(len(steps), op.DryRun))
	if op.DryRun {
		return nil
	}
	return r.compare(ctx)
}

// operationComparison compares what the operation asks for. That is what the
// specification asks for, unless the operation names another revision or
// source, or an earlier look at it already fixed one.
func (r *reconciliation) operationComparison(ctx context.Context, state *v1alpha1.OperationState) (*comparison, error) {
	if r.followsPin(state) {
		return r.current, nil
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
	// The memory holds what the specification asks for; do not disturb it.
	specified := r.memory
	defer func() {
		r.memory = specified
		r.destination.Live.Want(r.instance, specified.targets.keyList())
	}()
	r.memory = &memory{}
	return r.compareWith(ctx, wanted)
}

// operationOptions are the sync options that are honoured, from the operation
// or, when it states none, from the specification.
type operationOptions struct {
	createNamespace, skipValidation, prune, respectIgnored bool

	propagation metav1.DeletionPropagation
}

func (r *reconciliation) syncOptions(op *v1alpha1.SyncOperation) operationOptions {
	options := op.SyncOptions
	if len(options) == 0 && r.app.Spec.SyncPolicy != nil {
		options = r.app.Spec.SyncPolicy.SyncOptions
	}
	out := operationOptions{
		createNamespace: options.Has("CreateNamespace=true"),
		skipValidation:  options.Has(validateFalse),
		prune:           !options.Has("Prune=false"),
		respectIgnored:  options.Has("RespectIgnoreDifferences=true"),
	}
	if value, ok := options.Get("PrunePropagationPolicy"); ok {
		out.propagation = map[string]metav1.DeletionPropagation{
			"background": metav1.DeletePropagationBackground,
			"orphan":     metav1.DeletePropagationOrphan,
		}[value]
	}
	return out
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
	state.SyncResult = result
}

// stepsFor turns differences into steps. Prunes that are not asked for, or
// that the object forbids, are returned apart.
func stepsFor(objects []object, prune bool) (steps []plan.Step, skipped []object) {
	for _, o := range objects {
		step := plan.Step{Reference: o.Reference, Wave: o.wave, Desired: o.desired}
		if o.live != nil {
			step.UID = o.live.UID
			if o.clientSide {
				step.Live = o.live.Live()
			}
		}
		switch {
		case o.synced():
			continue
		case o.desired == nil && prune && o.prunable():
			step.Action = plan.Prune
		case o.desired == nil:
			skipped = append(skipped, o)
			continue
		case o.live == nil:
			step.Action = plan.Create
		default:
			step.Action = plan.Change
		}
		steps = append(steps, step)
	}
	return steps, skipped
}

// markApplied brings the objects up to what the API server answered, so that
// the next wave waits for what was just written.
func (r *reconciliation) markApplied(ctx context.Context, objects []object, outcomes []apply.Outcome) {
	for _, outcome := range outcomes {
		if outcome.Object == nil {
			continue
		}
		for i := range objects {
			if objects[i].Reference == outcome.Reference {
				objects[i].verdict = r.judge(ctx, outcome.Object)
			}
		}
	}
}

// namespaceStep creates the namespace of the destination where that is asked
// for. It belongs to nobody, and so is never pruned.
func (r *reconciliation) namespaceStep(options operationOptions) *plan.Step {
	if !options.createNamespace || r.app.Spec.Destination.Namespace == "" {
		return nil
	}
	return r.managedNamespace()
}

// finish ends the operation; a sync that wrote everything enters the history.
func (r *reconciliation) finish(phase v1alpha1.OperationPhase, message string) {
	state := r.app.Status.OperationState
	state.Phase, state.Message, state.FinishedAt = phase, message+r.unmet, &r.now
	r.app.Operation = nil
	r.Metrics.synced(r.app)
	op := state.Operation.Sync
	if phase == v1alpha1.OperationSucceeded && op != nil && !op.DryRun && len(op.Resources) == 0 {
		r.addHistory(state)
	}
	r.Logger.Info("operation finished", "application", r.key, "phase", phase, "message", message)
}

func succeededMessage(changed int, dryRun bool) string {
	switch {
	case dryRun:
		return fmt.Sprintf("successfully synced (dry run, %d objects would change)", changed)
	case changed == 0:
		return "successfully synced (nothing had to change)"
	default:
		return fmt.Sprintf("successfully synced (%d objects changed)", changed)
	}
}
