package application

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// objectStep is what a sync does to an object that differs, or that is written
// in any case; false when it leaves the object alone. A prune that the sync or
// the object does not permit is no step, and the object is said to be skipped.
func objectStep(o *object, options syncOptions, prune bool) (step plan.Step, is, skipped bool) {
	step = plan.Step{Phase: plan.Sync, Reference: o.Reference, Wave: o.wave, Desired: o.desired, Hash: o.hash}
	if o.live != nil {
		step.UID = o.live.UID
	}
	if o.desired == nil {
		if o.synced() {
			return step, false, false
		}
		step.Action = plan.Prune
		step.Options.Propagation, step.Options.PruneLast = options.propagation(), o.pruneLast
		return step, prune && o.prunable(), true
	}
	step.Options = options.write(o.desired)
	switch {
	case o.live == nil:
		step.Action = plan.Create
	case !o.synced() || options.anyway(step.Options):
		step.Action = plan.Change
		for _, field := range o.fields {
			step.Fields = append(step.Fields, field.Path)
		}
		if o.clientSide || step.Options.MigrateFrom != "" {
			step.Live = o.live.Live()
		}
	default:
		return step, false, false
	}
	return step, true, false
}

// hookSteps are the steps that run hooks in some phases.
func hookSteps(hooks []hook, event plan.Event, options syncOptions, named func(hook, plan.Phase) *unstructured.Unstructured, phases ...plan.Phase) []plan.Step {
	var steps []plan.Step
	for _, h := range hooks {
		for _, phase := range h.runsIn(event, phases...) {
			obj := named(h, phase)
			steps = append(steps, plan.Step{
				Action: plan.Run, Phase: phase, Wave: plan.WaveOf(obj), Reference: plan.ReferenceTo(obj),
				Desired: obj, Hash: h.hash, Options: options.write(obj),
			})
		}
	}
	return steps
}

// planOf is what a sync would do: the whole of it, if it were to begin now.
func (r *reconciliation) planOf(against *comparison, op *v1alpha1.SyncOperation, event plan.Event) plan.Plan {
	options := r.syncOptions(op)
	var steps []plan.Step
	work := selected(against.objects, op.Resources)
	for i := range work {
		if step, is, _ := objectStep(&work[i], options, options.mayPrune(op)); is {
			steps = append(steps, step)
		}
	}
	if options.hooks && len(op.Resources) == 0 {
		steps = append(steps, hookSteps(against.hooks, event, options, unnamed, hookPhases...)...)
	}
	return r.ordered(steps, options)
}

// wholePlan is what a sync of everything would do now, pruning included.
func (r *reconciliation) wholePlan() plan.Plan {
	return r.planOf(r.current, &v1alpha1.SyncOperation{Prune: true}, r.nextEvent())
}

// ordered puts steps into a plan, the namespace of the destination before
// everything that it holds.
func (r *reconciliation) ordered(steps []plan.Step, options syncOptions) plan.Plan {
	if namespace := r.namespaceStep(options); namespace != nil {
		namespace.Phase = plan.Sync
		for i := range steps {
			if steps[i].Phase == plan.PreSync {
				namespace.Phase = plan.PreSync
			}
		}
		for i := range steps {
			if steps[i].Phase == namespace.Phase {
				namespace.Wave = min(namespace.Wave, steps[i].Wave)
			}
		}
		steps = append(steps, *namespace)
	}
	plan.MirrorPrunes(steps, func(step plan.Step) bool {
		return options.has("PruneLast=true") || step.Options.PruneLast
	})
	return plan.Build(steps)
}

// unnamed leaves a hook without a name of its own as it is.
func unnamed(h hook, _ plan.Phase) *unstructured.Unstructured { return h.obj }

// summaryOf sums a plan up for the status.
func summaryOf(p plan.Plan) *v1alpha1.PlanSummary {
	summary := &v1alpha1.PlanSummary{Digest: p.Digest()}
	for _, step := range p.Steps() {
		switch step.Action {
		case plan.Create:
			summary.Create++
		case plan.Change:
			summary.Change++
		case plan.Prune:
			summary.Prune++
		case plan.Run:
			summary.Run++
		}
		if step.RestartsPods() {
			summary.RestartsPods++
		}
		if step.LosesData() {
			summary.LosesData++
		}
	}
	return summary
}

// eventOf is what Helm would call the sync.
func eventOf(state *v1alpha1.OperationState) plan.Event {
	if state.FirstSync {
		return plan.Install
	}
	return plan.Upgrade
}

// nextEvent is what Helm would call a sync that begins now.
func (r *reconciliation) nextEvent() plan.Event {
	if r.isFirstSync(r.app.Status.OperationState) {
		return plan.Install
	}
	return plan.Upgrade
}

// isFirstSync says whether an operation that begins is the first: no sync of
// the Application has succeeded, and nothing of it is live but what earlier
// attempts at a first sync left.
func (r *reconciliation) isFirstSync(before *v1alpha1.OperationState) bool {
	if len(r.app.Status.History) > 0 {
		return false
	}
	if before != nil && before.FirstSync && !before.Phase.Successful() {
		return true
	}
	for i := range r.current.objects {
		if r.current.objects[i].live != nil {
			return false
		}
	}
	return true
}

// nameHook gives a hook with a generated name the one that it has in an
// operation: the same however often it is asked for.
func (s *syncing) nameHook(h hook, phase plan.Phase) *unstructured.Unstructured {
	if h.obj.GetName() != "" {
		return h.obj
	}
	obj := h.obj.DeepCopy()
	obj.SetName(h.obj.GetGenerateName() + strings.ToLower(strings.Join([]string{
		shortRevisions([]string{cmp.Or(s.state.SyncResult.Revision, strings.Join(s.state.SyncResult.Revisions, ""))}),
		string(phase), strconv.FormatInt(s.state.StartedAt.Unix(), 10),
	}, "-")))
	return obj
}

// operationID names an attempt at an operation, on the hooks that it makes.
func operationID(state *v1alpha1.OperationState) string {
	return fmt.Sprintf("%d-%d", state.StartedAt.Unix(), state.RetryCount)
}
