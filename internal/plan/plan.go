package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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
	// Change writes an object that exists and differs.
	Change Action = "change"
	// Prune deletes an object that is no longer desired.
	Prune Action = "prune"
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
}

// Stage is a set of steps that may run at once.
type Stage struct {
	Wave  int
	Steps []Step
}

// Plan is the ordered work of one sync.
type Plan struct {
	Stages []Stage
}

// Empty says that there is nothing to do.
func (p Plan) Empty() bool { return len(p.Stages) == 0 }

// String prints one line a step, stage by stage.
func (p Plan) String() string {
	var b strings.Builder
	for i, stage := range p.Stages {
		for _, step := range stage.Steps {
			fmt.Fprintf(&b, "%d wave %d: %s %s", i+1, stage.Wave, step.Action, step.Reference)
			if step.Namespace != "" {
				fmt.Fprintf(&b, " in %s", step.Namespace)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Build orders steps: writes by wave, kind and name; then prunes by the
// reverse of that.
func Build(steps []Step) Plan {
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, compareSteps)
	var plan Plan
	for _, step := range steps {
		last := len(plan.Stages) - 1
		if last < 0 || !sameStage(plan.Stages[last].Steps[0], step) {
			plan.Stages = append(plan.Stages, Stage{Wave: step.Wave})
			last++
		}
		plan.Stages[last].Steps = append(plan.Stages[last].Steps, step)
	}
	return plan
}

func compareSteps(a, b Step) int {
	if a, b := a.Action == Prune, b.Action == Prune; a != b {
		if a {
			return 1
		}
		return -1
	}
	order := cmp.Or(
		cmp.Compare(a.Wave, b.Wave),
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
	return (a.Action == Prune) == (b.Action == Prune) && a.Wave == b.Wave &&
		kindRank(a.Group, a.Kind) == kindRank(b.Group, b.Kind)
}

// WaveOf reads the sync wave of an object; 0 when the annotation is absent or
// no number, as documented for Argo CD.
func WaveOf(obj *unstructured.Unstructured) int {
	wave, err := strconv.Atoi(strings.TrimSpace(obj.GetAnnotations()["argocd.argoproj.io/sync-wave"]))
	if err != nil {
		return 0
	}
	return wave
}
