package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// startHooks makes the hooks of one stage that this attempt has not made yet.
// What an earlier operation left of one is deleted first, and waited for.
func (s *syncing) startHooks(ctx context.Context, steps []plan.Step) error {
	var ready []plan.Step
	var waits error
	for _, step := range steps {
		if s.results.find(step.Reference, step.Phase) != nil {
			continue
		}
		left, err := s.clearWay(ctx, step)
		switch {
		case err != nil && !errors.Is(err, errWaiting):
			return err
		case err != nil:
			waits = err
		case left:
		default:
			ready = append(ready, step)
		}
	}
	id := operationID(s.state)
	for i := range ready {
		desired, err := s.asHook(ready[i].Desired, id)
		if err != nil {
			return attemptFailed("%s: %v", ready[i].Reference, err)
		}
		ready[i].Desired = desired
	}
	outcomes := s.applier.Run(ctx, ready, apply.Options{})
	s.results.record(outcomes)
	for i := range outcomes {
		if done := &outcomes[i]; done.Object != nil {
			s.noteHook(ctx, s.results.of(done.Reference, done.Phase), done.Object)
		} else if e := s.results.find(done.Reference, done.Phase); e != nil {
			e.HookType = v1alpha1.HookType(e.SyncPhase)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return waits
}

// asHook returns a hook as it is made: with the marks of its Application and of
// the operation, and held until its outcome is known.
func (r *reconciliation) asHook(obj *unstructured.Unstructured, id string) (*unstructured.Unstructured, error) {
	obj = obj.DeepCopy()
	if obj.GetGenerateName() != "" {
		obj.SetGenerateName("")
		if err := r.tracker.Mark(obj, r.instance, r.app.Spec.Destination.Namespace); err != nil {
			return nil, err
		}
	}
	annotations := obj.GetAnnotations()
	annotations[v1alpha1.AnnotationOperation] = id
	obj.SetAnnotations(annotations)
	if finalizers := obj.GetFinalizers(); !slices.Contains(finalizers, v1alpha1.FinalizerHook) {
		obj.SetFinalizers(append(finalizers, v1alpha1.FinalizerHook))
	}
	return obj, nil
}

// clearWay looks at what is live under the name of a hook. An object of this
// very attempt, made by a look whose record was lost, is the hook: it is
// recorded, and left. Something older is deleted where the hook's policy says
// so, and where it would otherwise be taken for a run that is over.
func (s *syncing) clearWay(ctx context.Context, step plan.Step) (ours bool, err error) {
	live, err := s.liveHook(ctx, step)
	if err != nil || live == nil {
		return false, err
	}
	if live.GetAnnotations()[v1alpha1.AnnotationOperation] == operationID(s.state) {
		s.noteHook(ctx, s.results.of(step.Reference, step.Phase), live)
		return true, nil
	}
	hook, _ := plan.HookOf(step.Desired)
	if live.GetDeletionTimestamp() == nil && !hook.DeletedWhen(v1alpha1.HookDeletePolicyBeforeHookCreation) && !runsToCompletion(live) {
		return false, nil
	}
	if err := s.dropHook(ctx, live, true); err != nil {
		return false, err
	}
	if live, err = s.liveHook(ctx, step); err != nil || live == nil {
		return false, err
	}
	message := "it is being deleted"
	if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
		message = fmt.Sprintf("its deletion waits for the finalizers %q", finalizers)
	}
	return false, s.await(wait{what: fmt.Sprintf("the hook %s of an earlier sync to be gone", step.Reference), message: message, timeout: s.timeoutFor(step.Desired), poll: true})
}

// runsToCompletion says that an object does its work once.
func runsToCompletion(obj *unstructured.Unstructured) bool {
	switch gk := obj.GroupVersionKind().GroupKind().String(); gk {
	case "Job.batch", "Pod", "Workflow.argoproj.io":
		return true
	default:
		return false
	}
}

// dropHook lets a hook go: it is deleted, if asked, and not held any more.
func (r *reconciliation) dropHook(ctx context.Context, live *unstructured.Unstructured, deleted bool) error {
	ref := plan.ReferenceTo(live)
	if deleted && live.GetDeletionTimestamp() == nil {
		step := plan.Step{Action: plan.Prune, Reference: ref, UID: live.GetUID()}
		step.Options.Propagation = "Background"
		for _, done := range r.destination.Applier.Run(ctx, []plan.Step{step}, apply.Options{}) {
			if done.Err != nil {
				return fmt.Errorf("deleting the hook %s: %w", ref, done.Err)
			}
		}
	}
	if slices.Contains(live.GetFinalizers(), v1alpha1.FinalizerHook) {
		if err := r.destination.Applier.RemoveFinalizer(ctx, ref, live.GetUID(), v1alpha1.FinalizerHook); err != nil {
			return fmt.Errorf("letting the hook %s go: %w", ref, err)
		}
	}
	return nil
}

// liveHook returns the live object of a hook, nil when there is none.
func (r *reconciliation) liveHook(ctx context.Context, step plan.Step) (*unstructured.Unstructured, error) {
	found, err := r.liveOf(ctx, target{key: cluster.KeyOf(step.Desired), obj: step.Desired})
	if err != nil || found == nil {
		return nil, err
	}
	return found.Live(), nil
}

// observeHooks brings the record of running hooks up to what is live.
func (s *syncing) observeHooks(ctx context.Context) error {
	if !s.runsHooks() {
		return nil
	}
	steps := append(s.plan.Steps(), hookSteps(s.against.hooks, eventOf(s.state), s.options, s.nameHook, plan.SyncFail)...)
	for _, step := range steps {
		if step.Action != plan.Run {
			continue
		}
		known := s.results.find(step.Reference, step.Phase)
		if known == nil || known.HookPhase != v1alpha1.OperationRunning {
			continue
		}
		live, err := s.liveHook(ctx, step)
		if err != nil {
			return err
		}
		e := outcome{known}
		if live == nil || live.GetAnnotations()[v1alpha1.AnnotationOperation] != operationID(s.state) {
			e.hook(v1alpha1.OperationFailed, "it was deleted before it ended")
			continue
		}
		s.noteHook(ctx, e, live)
	}
	return nil
}

// noteHook records how far a live hook got. A hook without health is done as
// soon as it is there.
func (s *syncing) noteHook(ctx context.Context, e outcome, live *unstructured.Unstructured) {
	result, hasHealth := s.assessor.Assess(ctx, live)
	e.Images = imagesOf(live)
	switch {
	case !hasHealth:
		e.hook(v1alpha1.OperationSucceeded, referenceOf(e.ResourceResult).String()+" created")
	case result.Status == health.Healthy:
		e.hook(v1alpha1.OperationSucceeded, result.Sentence())
	case result.Status == health.Degraded:
		e.hook(v1alpha1.OperationFailed, result.Sentence())
	case live.GetDeletionTimestamp() != nil:
		e.hook(v1alpha1.OperationFailed, "it was deleted before it ended")
	default:
		e.hook(v1alpha1.OperationRunning, result.Sentence())
	}
}

// awaitHooks waits until the hooks of some steps have ended.
func (s *syncing) awaitHooks(concerns func(plan.Step) bool) error {
	for _, h := range s.against.hooks {
		for _, phase := range h.runsIn(eventOf(s.state), allPhases...) {
			step := plan.Step{Phase: phase, Wave: plan.WaveOf(h.obj), Reference: plan.ReferenceTo(s.nameHook(h, phase))}
			known := s.results.find(step.Reference, phase)
			if known == nil || known.HookPhase != v1alpha1.OperationRunning || !concerns(step) {
				continue
			}
			return s.await(s.hookWait(h, step, known))
		}
	}
	return s.failure()
}

func (s *syncing) hookWait(h hook, step plan.Step, known *v1alpha1.ResourceResult) wait {
	w := wait{
		what: fmt.Sprintf("the %s hook %s to end", step.Phase, step.Reference), message: known.Message, timeout: s.timeoutFor(h.obj),
	}
	key := cluster.Key{Group: step.Group, Kind: step.Kind, Namespace: step.Namespace, Name: step.Name}
	if live, ok := s.destination.Live.Get(key); ok {
		w.since = live.Created
	}
	if seconds, ok, _ := unstructured.NestedInt64(h.obj.Object, "spec", "activeDeadlineSeconds"); ok && step.Kind == "Job" {
		w.timeout = min(w.timeout, time.Duration(seconds)*time.Second+jobGrace)
	}
	w.poll = unseen(s.destination.Live.Ready(key.GroupKind()))
	return w
}

// jobGrace is how long after its own deadline a Job is still waited for: the
// cluster ends it, and says why better than we can.
const jobGrace = 30 * time.Second

// endHooks lets go of hooks that no operation waits for: those of the operation
// that has ended, and what older ones left. One that is still running is
// deleted; one that is done, if its policies say so.
func (r *reconciliation) endHooks(ctx context.Context) error {
	if r.destination == nil {
		return nil
	}
	var problems []error
	for _, found := range r.destination.Live.Managed(r.instance) {
		if _, desired := r.memory.targets.keys[found.Key]; desired || found.App != r.instance || !found.Whole() {
			continue // what is desired is no hook, and need not be decoded to know that
		}
		live := found.Live()
		if !plan.IsHook(live) || !slices.Contains(live.GetFinalizers(), v1alpha1.FinalizerHook) {
			continue
		}
		problems = append(problems, r.dropHook(ctx, live, r.hookGoes(ctx, live)))
	}
	return errors.Join(problems...)
}

// hookGoes says whether a hook whose operation has ended is to be deleted.
func (r *reconciliation) hookGoes(ctx context.Context, live *unstructured.Unstructured) bool {
	hook, _ := plan.HookOf(live)
	result, hasHealth := r.assessor.Assess(ctx, live)
	switch {
	case !hasHealth || result.Status == health.Healthy:
		return hook.DeletedWhen(v1alpha1.HookDeletePolicyHookSucceeded)
	case result.Status == health.Degraded:
		return hook.DeletedWhen(v1alpha1.HookDeletePolicyHookFailed)
	default:
		return runsToCompletion(live) // nobody waits for it any more
	}
}

// tidyHooks ends hooks once no operation runs. It comes after the status is
// stored, so that an outcome is on record before its hook can go.
func (r *reconciliation) tidyHooks(ctx context.Context) error {
	if state := r.app.Status.OperationState; state != nil && !state.Phase.Completed() {
		return nil
	}
	return r.endHooks(ctx)
}
