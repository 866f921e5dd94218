package application

import (
	"context"
	"errors"
	"slices"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// selected returns the objects that an operation means: all, or the named ones.
func selected(objects []object, named []v1alpha1.SyncOperationResource) []object {
	if len(named) == 0 {
		return slices.Clone(objects)
	}
	var out []object
	for _, o := range objects {
		if slices.ContainsFunc(named, func(n v1alpha1.SyncOperationResource) bool {
			return n.Group == o.Group && n.Kind == o.Kind && n.Name == o.Name && (n.Namespace == "" || n.Namespace == o.Namespace)
		}) {
			out = append(out, o)
		}
	}
	return out
}

// recordOutcomes notes what became of the steps that were begun.
func recordOutcomes(result *v1alpha1.SyncOperationResult, outcomes []apply.Outcome) {
	for i := range outcomes {
		done := &outcomes[i]
		if errors.Is(done.Err, context.Canceled) {
			continue
		}
		e := resultOf(result, done.Reference, done.Phase)
		e.Status, e.Message, e.Images, e.HookPhase = v1alpha1.ResultCodeSynced, done.Message(), imagesOf(done.Desired), v1alpha1.OperationRunning
		switch {
		case done.Err != nil:
			e.Status, e.HookPhase = v1alpha1.ResultCodeSyncFailed, v1alpha1.OperationFailed
		case done.Action == plan.Prune:
			e.Status, e.HookPhase = v1alpha1.ResultCodePruned, v1alpha1.OperationSucceeded
		}
	}
}

// outcome is the result of one object of an operation.
type outcome struct{ *v1alpha1.ResourceResult }

// resultOf returns the result of an object, a new one where there is none.
func resultOf(result *v1alpha1.SyncOperationResult, ref plan.Reference, phase plan.Phase) outcome {
	if found := find(result, ref, phase); found != nil {
		return outcome{found}
	}
	made := &v1alpha1.ResourceResult{
		Group: ref.Group, Version: ref.Version, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name,
		SyncPhase: v1alpha1.SyncPhase(phase),
	}
	result.Resources = append(result.Resources, made)
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

func find(result *v1alpha1.SyncOperationResult, ref plan.Reference, phase plan.Phase) *v1alpha1.ResourceResult {
	return result.Resources.Find(ref.Group, ref.Kind, ref.Namespace, ref.Name, v1alpha1.SyncPhase(phase))
}
