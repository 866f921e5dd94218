package application

import (
	"context"
	"fmt"
	"slices"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// The finalizers that keep a deleted Application until its hooks are done. An
// Application has them while its sources hold such hooks. Those that end in
// cleanup are written by Argo CD and mean the same here.
var (
	preDeleteFinalizers  = []string{v1alpha1.FinalizerPreDelete, v1alpha1.FinalizerPreDelete + "/cleanup"}
	postDeleteFinalizers = []string{v1alpha1.FinalizerPostDelete, v1alpha1.FinalizerPostDelete + "/cleanup"}
)

// holdForHooks sets the finalizers that the hooks of the Application ask for,
// and takes away those that no hook asks for any more.
func (r *reconciliation) holdForHooks() {
	for phase, names := range map[plan.Phase][]string{plan.PreDelete: preDeleteFinalizers, plan.PostDelete: postDeleteFinalizers} {
		wanted := slices.ContainsFunc(r.current.hooks, func(h hook) bool { return slices.Contains(h.Phases, phase) })
		has := slices.Contains(r.app.Finalizers, names[0])
		switch {
		case wanted && !has:
			r.app.Finalizers = append(slices.Clone(r.app.Finalizers), names[0])
		case !wanted && has:
			r.app.Finalizers = slices.DeleteFunc(slices.Clone(r.app.Finalizers), func(name string) bool { return slices.Contains(names, name) })
		}
	}
}

// runDeletionHooks runs the hooks of a phase of the deletion, and says whether
// they are done. How far they got can be seen from the hooks themselves: they
// bear the time of the deletion, and stay until all are done.
func (r *reconciliation) runDeletionHooks(ctx context.Context, phase plan.Phase) (done bool, err error) {
	destination, err := r.deletionDestination()
	if destination == nil || err != nil {
		return err == nil, err
	}
	for _, step := range []func(context.Context) error{r.findProject, r.findDestination, r.findDesired, r.compare} {
		if err := step(ctx); err != nil {
			return false, fmt.Errorf("finding the %s hooks (without the finalizer %q they do not run): %w", phase, finalizerOf(phase), err)
		}
	}
	s := r.deletion()
	if s.applier, err = r.writer(); err != nil {
		return false, err
	}
	for _, wave := range plan.Build(hookSteps(s.against.hooks, plan.Upgrade, s.options, s.nameHook, phase)).Waves() {
		for _, stage := range wave.Stages {
			if err := s.startHooks(ctx, stage.Steps); err != nil {
				return false, err
			}
		}
		if err := s.awaitHooks(func(plan.Step) bool { return true }); err != nil {
			return false, s.deletionFailure(ctx, phase, err)
		}
	}
	return true, r.endHooks(ctx)
}

// deletion is a look at the hooks of a deletion, as at an operation that began
// with it.
func (r *reconciliation) deletion() *syncing {
	s := &syncing{reconciliation: r, against: r.current, op: &v1alpha1.SyncOperation{}}
	s.state = &v1alpha1.OperationState{StartedAt: *r.app.DeletionTimestamp, SyncResult: &v1alpha1.SyncOperationResult{}}
	s.state.SyncResult.Revisions = r.desired.revisions()
	s.results = entriesOf(s.state.SyncResult)
	s.options = r.syncOptions(s.op)
	return s
}

// deletionFailure says what to do about a hook that failed. One that somebody
// deletes is let go, and so runs again.
func (s *syncing) deletionFailure(ctx context.Context, phase plan.Phase, err error) error {
	if !isAttemptError(err) {
		return err
	}
	for _, h := range s.against.hooks {
		live, lookErr := s.liveHook(ctx, plan.Step{Desired: s.nameHook(h, phase)})
		if lookErr == nil && live != nil && live.GetDeletionTimestamp() != nil {
			if err := s.dropHook(ctx, live, false); err != nil {
				return err
			}
			s.lookIn(waitPoll)
		}
	}
	return fmt.Errorf("%w; delete the hook to run it again, or remove the finalizer %q to go on without", err, finalizerOf(phase))
}

func finalizerOf(phase plan.Phase) string {
	if phase == plan.PreDelete {
		return v1alpha1.FinalizerPreDelete
	}
	return v1alpha1.FinalizerPostDelete
}
