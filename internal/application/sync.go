package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// syncing is one look at an operation that syncs: as far as it can go now.
//
// What an earlier look did stands in the result of the operation, one entry
// for each object and hook, and is not done again in the same attempt. A look
// that is lost, with its process, before its entries were stored repeats only
// what is idempotent: an object is applied again, and a hook that was made is
// found by the mark of its operation.
type syncing struct {
	*reconciliation
	state   *v1alpha1.OperationState
	op      *v1alpha1.SyncOperation
	options syncOptions
	against *comparison
	// applier writes, as the user that the project says.
	applier *apply.Applier
	// work are the objects that the operation means.
	work []object
	// plan is what is left to do, without what comes when the sync fails.
	plan plan.Plan
	// results are those in the state.
	results *entries
}

// errWaiting says that an operation waits, and goes on with another look.
var errWaiting = errors.New("the operation waits")

// attemptError ends an attempt at an operation.
type attemptError struct{ message string }

func (e *attemptError) Error() string { return e.message }

func attemptFailed(format string, args ...any) error {
	return &attemptError{fmt.Sprintf(format, args...)}
}

// sync compares the revision that the operation asks for with the cluster and
// carries out the difference, wave by wave.
func (r *reconciliation) sync(ctx context.Context) error {
	s, err := r.beginSync(ctx)
	if s == nil || err != nil {
		return r.endAttempt(err)
	}
	err = s.walk(ctx)
	if failed, ok := errors.AsType[*attemptError](err); ok {
		err = s.fail(ctx, failed.message)
	}
	if err != nil {
		return r.endAttempt(err)
	}
	r.finish(v1alpha1.OperationSucceeded, s.succeeded())
	r.applied = nil // another operation is the last one by now
	if s.op.DryRun {
		return nil
	}
	return r.compare(ctx)
}

// endAttempt turns what stopped a look at an operation into its state.
func (r *reconciliation) endAttempt(err error) error {
	failed, isFailure := errors.AsType[*attemptError](err)
	refused, isRefusal := errors.AsType[*problem](err)
	switch {
	case errors.Is(err, errWaiting):
		return nil
	case isFailure:
		r.failAttempt(r.app.Status.OperationState, failed.message)
		return nil
	case isRefusal:
		// What the operation asks for is at fault, not the Application.
		r.failAttempt(r.app.Status.OperationState, refused.Error())
		return nil
	}
	return err
}

// beginSync prepares a look; nil when the operation has meanwhile ended.
func (r *reconciliation) beginSync(ctx context.Context) (*syncing, error) {
	state := r.app.Status.OperationState
	against, err := r.operationComparison(ctx, state)
	if err != nil {
		return nil, err
	}
	s := &syncing{reconciliation: r, state: state, op: state.Operation.Sync, against: against}
	if s.applier, err = r.writer(); err != nil {
		return nil, err
	}
	s.options = r.syncOptions(s.op)
	s.work = selected(against.objects, s.op.Resources)
	begun := state.SyncResult != nil
	r.beginResult(state, against, s.op)
	if !begun {
		if err := s.refusal(); err != nil {
			return nil, err
		}
	}
	if s.runsHooks() && !r.stored(state) {
		// A hook bears the mark of its operation, so that one has to be known first.
		if err := r.write(ctx); err != nil {
			return nil, err
		}
		if !r.stored(state) {
			return nil, nil // somebody replaced or ended it
		}
		s.state = r.app.Status.OperationState
		s.op = s.state.Operation.Sync
	}
	return s, s.makePlan(ctx)
}

// stored says that the API server has the operation as one that runs.
func (r *reconciliation) stored(state *v1alpha1.OperationState) bool {
	known := r.read.Status.OperationState
	return known != nil && known.Phase == v1alpha1.OperationRunning && known.StartedAt.Equal(&state.StartedAt) && known.SyncResult != nil
}

func (s *syncing) runsHooks() bool {
	if !s.options.hooks || len(s.op.Resources) > 0 || s.op.DryRun {
		return false
	}
	return slices.ContainsFunc(s.against.hooks, func(h hook) bool {
		return len(h.runsIn(eventOf(s.state), append(hookPhases, plan.SyncFail)...)) > 0
	})
}

// refusal is why the operation may not begin at all.
func (s *syncing) refusal() error {
	if s.options.has("FailOnSharedResource=true") {
		for i := range s.work {
			if o := &s.work[i]; o.desired != nil && o.live != nil && o.live.App != "" && o.live.App != s.instance {
				return attemptFailed("%s is part of the application %s, and FailOnSharedResource is set; remove it from one of them", o.Reference, o.live.App)
			}
		}
	}
	for _, info := range s.state.Operation.Info {
		if info.Name != v1alpha1.OperationInfoPlan {
			continue
		}
		if now := s.planOf(s.against, s.op, eventOf(s.state)).Digest(); now != info.Value {
			return attemptFailed("the operation asks for the plan %s, but what a sync would do now is %s; look at the plan again", info.Value, now)
		}
	}
	return nil
}

// makePlan orders what is left to do, and notes what is left alone.
func (s *syncing) makePlan(ctx context.Context) error {
	s.results = entriesOf(s.state.SyncResult)
	s.state.SyncResult.OmittedResources = 0 // what has no result gets one
	var steps []plan.Step
	prune := s.options.mayPrune(s.op)
	for i := range s.work {
		o := &s.work[i]
		if s.results.find(o.Reference, plan.Sync) != nil {
			continue
		}
		step, is, skipped := objectStep(o, s.options, prune)
		switch {
		case is:
			steps = append(steps, step)
		case skipped:
			s.results.of(o.Reference, plan.Sync).skipped()
		case o.desired != nil:
			s.results.of(o.Reference, plan.Sync).unchanged()
		}
	}
	if s.options.has("RespectIgnoreDifferences=true") {
		if err := s.keepIgnored(ctx, s.work, steps); err != nil {
			return attemptFailed("%v", err)
		}
	}
	if s.runsHooks() {
		steps = append(steps, hookSteps(s.against.hooks, eventOf(s.state), s.options, s.nameHook, hookPhases...)...)
	}
	s.plan = s.ordered(steps, s.options)
	return nil
}

// walk goes through the waves until one has to wait.
func (s *syncing) walk(ctx context.Context) error {
	if err := s.observeHooks(ctx); err != nil {
		return err
	}
	if err := s.failure(); err != nil {
		return err
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	for _, wave := range s.plan.Waves() {
		if err := s.settled(ctx, wave); err != nil {
			return err
		}
		if err := s.write(ctx, wave); err != nil {
			return err
		}
		if err := s.failure(); err != nil {
			return err
		}
	}
	return s.awaitHooks(func(plan.Step) bool { return true })
}

// check asks the API server about everything that is going to be written,
// before the attempt writes anything: an object that is not valid stops it. A
// sync of one object needs no such question.
func (s *syncing) check(ctx context.Context) error {
	steps := s.plan.Steps()
	if s.op.DryRun || len(steps) < 2 || slices.ContainsFunc(s.state.SyncResult.Resources, touched) {
		return nil
	}
	for i := range steps {
		if steps[i].Action == plan.Run {
			steps[i].Desired = steps[i].Desired.DeepCopy()
			steps[i].Desired.SetGenerateName("")
		}
	}
	refusals, err := s.applier.Check(ctx, steps, nil)
	refused := make(map[plan.Reference]error, len(refusals))
	for _, refusal := range refusals {
		refused[refusal.Reference] = refusal
	}
	for _, step := range steps {
		if refusal, is := refused[step.Reference]; is {
			s.results.of(step.Reference, step.Phase).refused(refusal)
		}
	}
	if err != nil {
		return err
	}
	return s.failure()
}

// touched says that the result is of something that was done.
func touched(e *v1alpha1.ResourceResult) bool {
	return e.Status != v1alpha1.ResultCodePruneSkipped && e.Message != unchangedMessage(e)
}

// write carries out the stages of a wave. One that fails does not keep the
// others of its wave from being tried.
func (s *syncing) write(ctx context.Context, wave plan.Wave) error {
	for _, stage := range wave.Stages {
		var objects, hooks []plan.Step
		for _, step := range stage.Steps {
			switch {
			case s.results.find(step.Reference, step.Phase) != nil:
			case step.Action == plan.Run:
				hooks = append(hooks, step)
			default:
				objects = append(objects, step)
			}
		}
		if err := s.awaitKinds(ctx, append(slices.Clone(objects), hooks...)); err != nil {
			return err
		}
		if err := s.awaitConfirmation(objects); err != nil {
			return err
		}
		outcomes := s.applier.Run(ctx, objects, apply.Options{DryRun: s.op.DryRun})
		s.results.record(outcomes)
		s.markApplied(ctx, outcomes)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.startHooks(ctx, hooks); err != nil {
			return err
		}
	}
	return nil
}

// failure says what of the attempt has failed; nil when nothing has. While
// hooks run beside what failed, they are waited for.
func (s *syncing) failure() error {
	failed, first := 0, ""
	for _, entry := range s.state.SyncResult.Resources {
		if entry.SyncPhase == v1alpha1.SyncPhaseSyncFail || entry.Status != v1alpha1.ResultCodeSyncFailed && !(entry.HookType != "" && entry.HookPhase == v1alpha1.OperationFailed) {
			continue
		}
		failed++
		if first == "" {
			first = failureOf(entry)
		}
	}
	switch failed {
	case 0:
		return nil
	case 1:
		return attemptFailed("%s", first)
	default:
		return attemptFailed("%d objects failed; the first: %s", failed, first)
	}
}

// failureOf says what failed, with the name of the object if the message lacks it.
func failureOf(e *v1alpha1.ResourceResult) string {
	name := referenceOf(e).String()
	if e.HookType != "" {
		return fmt.Sprintf("the %s hook %s failed: %s", e.HookType, name, e.Message)
	}
	if strings.HasPrefix(e.Message, name) {
		return e.Message
	}
	return name + ": " + e.Message
}

// fail runs the hooks that come when a sync failed, and ends the attempt once
// they are done.
func (s *syncing) fail(ctx context.Context, message string) error {
	if s.op.DryRun {
		return attemptFailed("%s", message)
	}
	if err := s.awaitHooks(func(step plan.Step) bool { return step.Phase != plan.SyncFail }); err != nil && !isAttemptError(err) {
		return err
	}
	if s.runsHooks() {
		steps := hookSteps(s.against.hooks, eventOf(s.state), s.options, s.nameHook, plan.SyncFail)
		for _, wave := range plan.Build(steps).Waves() {
			for _, stage := range wave.Stages {
				if err := s.startHooks(ctx, stage.Steps); err != nil && !isAttemptError(err) {
					return err
				}
			}
			if err := s.awaitHooks(func(plan.Step) bool { return true }); err != nil && !isAttemptError(err) {
				return err
			}
		}
	}
	for _, entry := range s.state.SyncResult.Resources {
		if entry.SyncPhase == v1alpha1.SyncPhaseSyncFail && entry.HookPhase == v1alpha1.OperationFailed {
			message += "; then " + failureOf(entry)
		}
	}
	return attemptFailed("%s", message)
}

func isAttemptError(err error) bool {
	_, ok := errors.AsType[*attemptError](err)
	return ok
}

// markApplied brings the objects up to what the API server answered, so that
// the next wave waits for what was just written.
func (s *syncing) markApplied(ctx context.Context, outcomes []apply.Outcome) {
	at := positions(s.work)
	for i := range outcomes {
		if o := at[outcomes[i].Reference]; o != nil && outcomes[i].Object != nil {
			o.verdict, o.written = s.judge(ctx, outcomes[i].Object), s.now.Time
		}
	}
}

func (s *syncing) succeeded() string {
	changed := 0
	for _, entry := range s.state.SyncResult.Resources {
		if entry.HookType == "" && touched(entry) {
			changed++
		}
	}
	switch {
	case s.op.DryRun:
		return fmt.Sprintf("successfully synced (dry run, %d objects would change)", changed)
	case changed == 0:
		return "successfully synced (nothing had to change)"
	default:
		return fmt.Sprintf("successfully synced (%d objects changed)", changed)
	}
}
