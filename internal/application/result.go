package application

import (
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

// recordUnchanged notes the objects that the operation leaves alone.
func recordUnchanged(result *v1alpha1.SyncOperationResult, objects, skipped []object) {
	for i := range objects {
		o := &objects[i]
		if o.desired != nil && o.synced() && find(result, o.Reference) == nil {
			recordResource(result, o.Reference, v1alpha1.ResultCodeSynced, o.Reference.String()+" unchanged", nil)
		}
	}
	for i := range skipped {
		recordResource(result, skipped[i].Reference, v1alpha1.ResultCodePruneSkipped, "not desired any more, but pruning was not asked for or is forbidden by the object", nil)
	}
}

// recordOutcomes notes what became of the steps and counts those that failed.
func recordOutcomes(result *v1alpha1.SyncOperationResult, outcomes []apply.Outcome) (failed int) {
	for i := range outcomes {
		outcome := &outcomes[i]
		code := v1alpha1.ResultCodeSynced
		switch {
		case outcome.Err != nil:
			failed++
			code = v1alpha1.ResultCodeSyncFailed
		case outcome.Action == plan.Prune:
			code = v1alpha1.ResultCodePruned
		}
		recordResource(result, outcome.Reference, code, outcome.Message(), imagesOf(outcome.Desired))
	}
	return failed
}

func firstError(outcomes []apply.Outcome) string {
	for i := range outcomes {
		if outcomes[i].Err != nil {
			return outcomes[i].Message()
		}
	}
	return ""
}

// recordResource notes the result of one object, in place of an earlier one.
func recordResource(result *v1alpha1.SyncOperationResult, ref plan.Reference, code v1alpha1.ResultCode, message string, images []string) {
	entry := find(result, ref)
	if entry == nil {
		entry = &v1alpha1.ResourceResult{
			Group: ref.Group, Version: ref.Version, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name,
			SyncPhase: v1alpha1.SyncPhaseSync,
		}
		result.Resources = append(result.Resources, entry)
	}
	entry.Status, entry.Message, entry.Images = code, message, images
	entry.HookPhase = v1alpha1.OperationRunning
	if code == v1alpha1.ResultCodeSyncFailed {
		entry.HookPhase = v1alpha1.OperationFailed
	}
}

func find(result *v1alpha1.SyncOperationResult, ref plan.Reference) *v1alpha1.ResourceResult {
	return result.Resources.Find(ref.Group, ref.Kind, ref.Namespace, ref.Name, v1alpha1.SyncPhaseSync)
}
