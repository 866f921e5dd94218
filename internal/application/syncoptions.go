package application

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// syncOptions are the options of one sync: those of its operation or, when it
// states none, of the specification. An object may have others for itself, in
// its annotation.
type syncOptions struct {
	list  v1alpha1.SyncOptions
	force bool // for all objects, by the strategy of the operation
	hooks bool
}

func (r *reconciliation) syncOptions(op *v1alpha1.SyncOperation) syncOptions {
	options := syncOptions{list: op.SyncOptions, hooks: true}
	if len(options.list) == 0 && r.app.Spec.SyncPolicy != nil {
		options.list = r.app.Spec.SyncPolicy.SyncOptions
	}
	if strategy := op.SyncStrategy; strategy != nil {
		options.hooks = strategy.Apply == nil
		options.force = strategy.Apply != nil && strategy.Apply.Force || strategy.Hook != nil && strategy.Hook.Force
	}
	return options
}

// has says whether an option of the whole sync has a value.
func (o syncOptions) has(option string) bool { return o.list.Has(option) }

// of returns the value of an option for an object: its own, or that of the sync.
func (o syncOptions) of(obj *unstructured.Unstructured, name string) string {
	for option := range strings.SplitSeq(obj.GetAnnotations()[v1alpha1.AnnotationSyncOptions], ",") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(option), name+"="); ok {
			return value
		}
	}
	value, _ := o.list.Get(name)
	return value
}

// write says how an object is written.
func (o syncOptions) write(obj *unstructured.Unstructured) plan.Options {
	return plan.Options{
		Replace:                     o.of(obj, "Replace") == "true",
		Force:                       o.force || o.of(obj, "Force") == "true",
		SkipValidation:              o.of(obj, "Validate") == "false",
		SkipDryRunOnMissingResource: o.of(obj, "SkipDryRunOnMissingResource") == "true",
		KeepClientSide:              o.of(obj, "ClientSideApplyMigration") == "false",
		MigrateFrom:                 obj.GetAnnotations()[v1alpha1.AnnotationClientSideApplyMigrationManager],
		Propagation:                 o.propagation(),
	}
}

// propagation is how prunes and replacements are deleted: in the foreground,
// if the option does not say otherwise.
func (o syncOptions) propagation() metav1.DeletionPropagation {
	value, _ := o.list.Get("PrunePropagationPolicy")
	return map[string]metav1.DeletionPropagation{
		"background": metav1.DeletePropagationBackground,
		"orphan":     metav1.DeletePropagationOrphan,
	}[value]
}

// anyway says that an object is written although it does not differ: to write
// it whole, or to make it anew, is an act of its own.
func (o syncOptions) anyway(write plan.Options) bool {
	return (write.Replace || write.Force && !o.force) && !o.has("ApplyOutOfSyncOnly=true")
}

// mayPrune says whether the sync may prune at all.
func (o syncOptions) mayPrune(op *v1alpha1.SyncOperation) bool {
	return op.Prune && !o.has("Prune=false")
}

// hookPhases are the phases of a sync that may have hooks, without the one
// that comes when it failed.
var hookPhases = []plan.Phase{plan.PreSync, plan.Sync, plan.PostSync}

// allPhases are all that hooks run in.
var allPhases = []plan.Phase{plan.PreDelete, plan.PreSync, plan.Sync, plan.PostSync, plan.PostDelete, plan.SyncFail}

// runsIn is when a hook runs in a sync or a deletion.
func (h hook) runsIn(event plan.Event, phases ...plan.Phase) []plan.Phase {
	return slices.DeleteFunc(slices.Clone(phases), func(phase plan.Phase) bool { return !h.RunsIn(h.obj, phase, event) })
}
