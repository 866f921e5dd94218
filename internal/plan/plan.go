package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Action is what a step does to its object.
type Action string

// The actions of a step.
const (
	// Create writes an object that does not exist.
	Create Action = "create"
	// Change writes an object that exists and differs, or that is to be written
	// in any case.
	Change Action = "change"
	// Prune deletes an object that is no longer desired.
	Prune Action = "prune"
	// Run makes a hook and waits until it is done.
	Run Action = "run"
)

// Reference names one object of a cluster at an API version.
type Reference struct {
	Group, Version, Kind, Namespace, Name string
}

// String writes the reference as kubectl does, "deployment.apps/api", with the
// kind as it stands in the manifest.
func (r Reference) String() string {
	kind := strings.ToLower(r.Kind)
	if r.Group != "" {
		kind += "." + r.Group
	}
	return kind + "/" + r.Name
}

// ReferenceTo returns the reference of an object.
func ReferenceTo(obj *unstructured.Unstructured) Reference {
	gvk := obj.GroupVersionKind()
	return Reference{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// Step is one change of one object.
type Step struct {
	Action Action
	Reference
	// Phase is the part of the sync that the step belongs to.
	Phase Phase
	// Wave is the sync wave of the object.
	Wave int
	// Options say how the object is written.
	Options Options
	// Desired is the object to write; nil for a prune.
	Desired *unstructured.Unstructured
	// Live is the object as it was compared, where client-side apply owns
	// fields of it that have to be taken over; otherwise nil.
	Live *unstructured.Unstructured
	// UID is the live object that a prune means; another object of the same
	// name is left alone.
	UID types.UID
	// Hash names the content of Desired.
	Hash string
	// Fields are the paths that change, where that is known.
	Fields []string
}

// Stage is a set of steps that may run at once.
type Stage struct {
	Phase Phase
	Wave  int
	Steps []Step
}

// Plan is the ordered work of one sync.
type Plan struct {
	Stages []Stage
}

// Empty says that there is nothing to do.
func (p Plan) Empty() bool { return len(p.Stages) == 0 }

// Steps returns the steps of all stages in order.
func (p Plan) Steps() []Step {
	var steps []Step
	for _, stage := range p.Stages {
		steps = append(steps, stage.Steps...)
	}
	return steps
}

// String prints one line a step, stage by stage.
func (p Plan) String() string {
	var b strings.Builder
	for i, stage := range p.Stages {
		for _, step := range stage.Steps {
			fmt.Fprintf(&b, "%d %s wave %d: %s %s", i+1, stage.Phase, stage.Wave, step.Action, step.Reference)
			if step.Namespace != "" {
				fmt.Fprintf(&b, " in %s", step.Namespace)
			}
			if effect := step.Effect(); effect != "" {
				fmt.Fprintf(&b, " (%s)", effect)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Build orders steps: by phase and wave; within a wave prunes first, by the
// reverse order of kinds and names, then the rest by that order.
func Build(steps []Step) Plan {
	steps = slices.Clone(steps)
	for i := range steps {
		if steps[i].Phase == "" {
			steps[i].Phase = Sync
		}
	}
	slices.SortStableFunc(steps, compareSteps)
	var plan Plan
	for _, step := range steps {
		last := len(plan.Stages) - 1
		if last < 0 || !sameStage(plan.Stages[last].Steps[0], step) {
			plan.Stages = append(plan.Stages, Stage{Phase: step.Phase, Wave: step.Wave})
			last++
		}
		plan.Stages[last].Steps = append(plan.Stages[last].Steps, step)
	}
	return plan
}

// MirrorPrunes gives prunes the waves that turn their order around: the one of
// the highest wave gets the lowest. Those for which last is true come in a wave
// after everything else.
func MirrorPrunes(steps []Step, last func(Step) bool) {
	var waves []int
	final := 0
	for i := range steps {
		final = max(final, steps[i].Wave)
		if steps[i].Action == Prune {
			waves = append(waves, steps[i].Wave)
		}
	}
	slices.Sort(waves)
	waves = slices.Compact(waves)
	for i := range steps {
		if step := &steps[i]; step.Action == Prune {
			at, _ := slices.BinarySearch(waves, step.Wave)
			step.Wave = waves[len(waves)-1-at]
			if last(*step) {
				step.Wave = final + 1
			}
		}
	}
}

func compareSteps(a, b Step) int {
	order := cmp.Or(cmp.Compare(a.Phase.order(), b.Phase.order()), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Wave, b.Wave))
	if order != 0 {
		return order
	}
	if a, b := a.Action == Prune, b.Action == Prune; a != b {
		if a {
			return -1
		}
		return 1
	}
	order = cmp.Or(
		cmp.Compare(kindRank(a.Group, a.Kind), kindRank(b.Group, b.Kind)),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name),
	)
	if a.Action == Prune {
		return -order
	}
	return order
}

func sameStage(a, b Step) bool {
	return a.Phase == b.Phase && a.Wave == b.Wave && (a.Action == Prune) == (b.Action == Prune) &&
		kindRank(a.Group, a.Kind) == kindRank(b.Group, b.Kind)
}

// Wave are the stages of one wave of one phase.
type Wave struct {
	Phase  Phase
	Number int
	Stages []Stage
}

// Waves groups the stages; each of the groups waits for those before it.
func (p Plan) Waves() []Wave {
	var waves []Wave
	for _, stage := range p.Stages {
		last := len(waves) - 1
		if last < 0 || waves[last].Phase != stage.Phase || waves[last].Number != stage.Wave {
			waves = append(waves, Wave{Phase: stage.Phase, Number: stage.Wave})
			last++
		}
		waves[last].Stages = append(waves[last].Stages, stage)
	}
	return waves
}

// Before says whether the wave of another phase and number comes earlier.
func (w Wave) Before(phase Phase, number int) bool {
	return cmp.Or(cmp.Compare(w.Phase.order(), phase.order()), cmp.Compare(w.Number, number)) < 0
}
