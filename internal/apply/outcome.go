package apply

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

// Result is what was done to an object, in the words of kubectl where it has
// them.
type Result string

// The results of a step.
const (
	Applied   Result = "serverside-applied"
	Created   Result = "created"
	Replaced  Result = "replaced"
	Recreated Result = "deleted and created anew"
	Pruned    Result = "pruned"
)

// Outcome is what became of one step.
type Outcome struct {
	plan.Step
	// Object is the object as the API server returned it; nil after a prune,
	// after an error, and after a dry run of making it anew.
	Object *unstructured.Unstructured
	// Result says how the step was carried out; it means nothing with an error.
	Result Result
	// Err is nil when the step was carried out, a [Refusal] when it was not, or
	// the error of the context when that ended.
	Err error
}

// Message says in a few words, as kubectl does, what happened.
func (o Outcome) Message() string {
	if o.Err != nil {
		return o.Err.Error()
	}
	return o.Reference.String() + " " + string(o.Result)
}

func (o Options) dryRun() []string {
	if o.DryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}
