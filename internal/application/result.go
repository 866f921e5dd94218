package application

import (
	"context"
	"errors"
	"slices"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// selected returns the objects that an operation means: all, or the named ones.
func selected(objects []object, named []v1alpha1.SyncOperationResource) []object {
	if len(named) == 0 {
		return slices.Clone(objects)
	}
	means := make(map[cluster.Key]struct{}, len(named))
	for _, n := range named {
		means[cluster.Key{Group: n.Group, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name}] = struct{}{}
	}
	var out []object
	for i := range objects {
		key := keyAt(objects[i].Reference)
		_, is := means[key]
		if !is {
			key.Namespace = "" // named without one, it is meant in all
			_, is = means[key]
		}
		if is {
			out = append(out, objects[i])
		}
	}
	return out
}

// positions finds objects by what they are.
func positions(objects []object) map[plan.Reference]*object {
	at := make(map[plan.Reference]*object, len(objects))
	for i := range objects {
		at[objects[i].Reference] = &objects[i]
	}
	return at
}

func keyAt(ref plan.Reference) cluster.Key {
	return cluster.Key{Group: ref.Group, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
}

// entries are the results of an operation, one for each object and hook in each
// phase, found by what they are about.
type entries struct {
	result *v1alpha1.SyncOperationResult
	at     map[resultKey]*v1alpha1.ResourceResult
}

type resultKey struct {
	cluster.Key
	phase v1alpha1.SyncPhase
}

// entriesOf finds the entries that a result has.
func entriesOf(result *v1alpha1.SyncOperationResult) *entries {
	e := &entries{result: result, at: make(map[resultKey]*v1alpha1.ResourceResult, len(result.Resources))}
	for _, made := range result.Resources {
		e.at[resultKey{keyAt(referenceOf(made)), made.SyncPhase}] = made
	}
	return e
}

// find returns the result of an object, nil when there is none.
func (e *entries) find(ref plan.Reference, phase plan.Phase) *v1alpha1.ResourceResult {
	return e.at[resultKey{keyAt(ref), v1alpha1.SyncPhase(phase)}]
}

// record notes what became of the steps that were begun.
func (e *entries) record(outcomes []apply.Outcome) {
	for i := range outcomes {
		done := &outcomes[i]
		if errors.Is(done.Err, context.Canceled) {
			continue
		}
		o := e.of(done.Reference, done.Phase)
		o.Status, o.Message, o.Images, o.HookPhase = v1alpha1.ResultCodeSynced, done.Message(), imagesOf(done.Desired), v1alpha1.OperationRunning
		switch {
		case done.Err != nil:
			o.Status, o.HookPhase = v1alpha1.ResultCodeSyncFailed, v1alpha1.OperationFailed
		case done.Action == plan.Prune:
			o.Status, o.HookPhase = v1alpha1.ResultCodePruned, v1alpha1.OperationSucceeded
		}
	}
}

// outcome is the result of one object of an operation.
type outcome struct{ *v1alpha1.ResourceResult }

// of returns the result of an object, a new one where there is none.
func (e *entries) of(ref plan.Reference, phase plan.Phase) outcome {
	if found := e.find(ref, phase); found != nil {
		return outcome{found}
	}
	made := &v1alpha1.ResourceResult{
		Group: ref.Group, Version: ref.Version, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name,
		SyncPhase: v1alpha1.SyncPhase(phase),
	}
	e.result.Resources = append(e.result.Resources, made)
	e.at[resultKey{keyAt(ref), made.SyncPhase}] = made
	return outcome{made}
}

// unchanged notes that the operation leaves the object alone.
func (e outcome) unchanged() {
	e.Status, e.HookPhase, e.Message = v1alpha1.ResultCodeSynced, v1alpha1.OperationRunning, unchangedMessage(e.ResourceResult)
}

func unchangedMessage(e *v1alpha1.ResourceResult) string {
	return referenceOf(e).String() + " unchanged"
}

// skipped notes that the object is not pruned.
func (e outcome) skipped() {
	e.Status, e.HookPhase = v1alpha1.ResultCodePruneSkipped, v1alpha1.OperationRunning
	e.Message = "not desired any more, but pruning was not asked for or is forbidden by the object"
}

// refused notes that the object cannot be written.
func (e outcome) refused(err error) {
	e.Status, e.HookPhase, e.Message = v1alpha1.ResultCodeSyncFailed, v1alpha1.OperationFailed, err.Error()
}

// hook notes how far a hook got.
func (e outcome) hook(phase v1alpha1.OperationPhase, message string) {
	e.HookType, e.HookPhase, e.Message = v1alpha1.HookType(e.SyncPhase), phase, message
	if e.Status == "" {
		e.Status = v1alpha1.ResultCodeSynced
	}
}

func referenceOf(e *v1alpha1.ResourceResult) plan.Reference {
	return plan.Reference{Group: e.Group, Version: e.Version, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name}
}
