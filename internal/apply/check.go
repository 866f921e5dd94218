package apply

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// Check asks the API server about everything that a sync is going to write,
// before anything is written, and returns the refusals that nothing else in the
// sync can change: objects that are not valid, and kinds that do not exist.
// Whatever may depend on objects that the sync writes before, such as a quota or
// a webhook, is left to the write itself. The API server holds an object against
// the schema of its kind before it looks for the namespace, so that unknown fields
// and wrong types are found in namespaces that the sync makes, too.
//
// steps are all that the sync does, prunes and hooks too: the kinds that they
// define, and what they remove, count. defined tells of kinds that the sync
// defines otherwise; nil stands for none. The error is that of ctx.
func (a *Applier) Check(ctx context.Context, steps []plan.Step, defined func(schema.GroupKind) bool) ([]*Refusal, error) {
	coming := comingFrom(steps)
	found := make([]*Refusal, len(steps))
	a.each(ctx, len(steps), func(i int, p *place, err error) {
		step := steps[i]
		kind := schema.GroupKind{Group: step.Group, Kind: step.Kind}
		if err != nil || step.Action == plan.Prune || coming.kinds[kind] || defined != nil && defined(kind) {
			return
		}
		outcome := Outcome{Step: step}
		a.carryOut(ctx, &outcome, Options{DryRun: true}, p)
		if refusal, ok := errors.AsType[*Refusal](outcome.Err); ok && coming.certain(step, refusal) {
			found[i] = refusal
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var refusals []*Refusal
	for _, refusal := range found {
		if refusal != nil {
			refusals = append(refusals, refusal)
		}
	}
	return refusals, nil
}

// coming is what a sync is going to do, as far as it decides about other objects.
type coming struct {
	// kinds are those that its definitions make, or change: an object may be of a
	// version, or use a field, that is not there yet.
	kinds map[schema.GroupKind]bool
	// services says that a Service is pruned or changed, and may give up a port.
	services bool
}

func comingFrom(steps []plan.Step) coming {
	c := coming{kinds: make(map[schema.GroupKind]bool)}
	for _, step := range steps {
		switch {
		case step.Group == "" && step.Kind == "Service" && step.Action != plan.Create:
			c.services = true
		case step.Group == "apiextensions.k8s.io" && step.Kind == "CustomResourceDefinition" && step.Desired != nil:
			group, _, _ := unstructured.NestedString(step.Desired.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(step.Desired.Object, "spec", "names", "kind")
			c.kinds[schema.GroupKind{Group: group, Kind: kind}] = true
		}
	}
	return c
}

// certain says that a refusal stands, whatever else the sync does.
func (c coming) certain(step plan.Step, refusal *Refusal) bool {
	switch refusal.Reason {
	case Invalid, TooLarge:
		return true
	case Immutable:
		return !step.Options.Force && !step.Options.Replace
	case UnknownKind:
		return !step.Options.SkipDryRunOnMissingResource && !errors.Is(refusal, cluster.ErrKindUncertain)
	case PortTaken:
		return !c.services
	}
	return false
}
