package application

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// decide starts an automated sync where the policy asks for one, and tells what
// is wrong with the rules about it.
func (r *reconciliation) decide(ctx context.Context) error {
	err := errors.Join(r.automate(ctx), r.noteDependencies(ctx))
	r.warnOfWindows()
	return err
}

// automate starts an automated sync unless something holds it. The intent is
// written before anything is done, so that another process carries on.
func (r *reconciliation) automate(ctx context.Context) error {
	if r.app.Operation != nil || !r.app.Spec.SyncPolicy.IsAutomated() {
		return nil
	}
	if state := r.app.Status.OperationState; state != nil && !state.Phase.Completed() {
		return nil
	}
	sync := r.automatedSync()
	if sync == nil {
		return nil
	}
	if held, err := r.held(ctx, sync); held || err != nil {
		return err
	}
	r.useApproval(sync)
	op := sync.operation
	r.app.Operation = op
	r.app.Status.OperationState = &v1alpha1.OperationState{Operation: *op, Phase: v1alpha1.OperationRunning, StartedAt: r.now, FirstSync: r.isFirstSync(r.app.Status.OperationState),
		Message: "started by the automated sync policy"}
	r.describe(ctx)
	return r.write(ctx)
}

// automatedSync is a sync that the policy asks for.
type automatedSync struct {
	operation *v1alpha1.Operation
	// changes are the objects that it would write, prunes those that it would delete.
	changes, prunes []object
	// heals says that it puts a revision right that was synced before.
	heals bool
	// approved says that it goes beyond the limits and was approved.
	approved bool
}

func (s *automatedSync) count() int { return len(s.changes) + len(s.prunes) }

// automatedSync returns what the policy asks for now; nil when nothing differs
// that it may put right, and when it did so once already.
func (r *reconciliation) automatedSync() *automatedSync {
	if r.current.synced() || len(errorsOf(r.conditions)) > 0 {
		return nil
	}
	policy := r.app.Spec.SyncPolicy
	prune := policy.Automated.Prunes()
	changes, prunes := r.changes()
	if !prune {
		prunes = nil
	}
	if len(changes)+len(prunes) == 0 {
		return nil
	}
	if r.current.empty && len(prunes) > 0 && !policy.Automated.AllowsEmpty() {
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
	// The sources go with the operation, so that changed parameters tell it from the next.
	r.aim(op.Sync)
	state := r.app.Status.OperationState
	heals := r.attempted(state)
	if heals && !r.mayRepeat(state, op, slices.Concat(changes, prunes)) {
		return nil
	}
	return &automatedSync{operation: op, changes: changes, prunes: prunes, heals: heals}
}

// aim lets an automated sync go to what is desired now.
func (r *reconciliation) aim(op *v1alpha1.SyncOperation) {
	if r.app.Spec.HasMultipleSources() {
		op.Sources, op.Revisions = r.desired.plainSources(), r.desired.revisions()
		return
	}
	op.Source, op.Revision = &r.desired.plainSources()[0], r.desired.revisions()[0]
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
