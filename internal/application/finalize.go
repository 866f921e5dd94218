package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
	"github.com/fairlead-cd/fairlead/internal/tracking"
)

// resourceFinalizers ask for the objects of an Application to be deleted with
// it, and how.
var resourceFinalizers = map[string]metav1.DeletionPropagation{
	v1alpha1.FinalizerResources:           metav1.DeletePropagationForeground,
	v1alpha1.FinalizerResourcesForeground: metav1.DeletePropagationForeground,
	v1alpha1.FinalizerResourcesBackground: metav1.DeletePropagationBackground,
}

// finalize deletes what a deleted Application manages, waits until it is gone,
// and then lets the Application go. Without a resource finalizer the objects
// stay.
func (r *reconciliation) finalize(ctx context.Context) error {
	at := slices.IndexFunc(r.app.Finalizers, func(name string) bool { _, ours := resourceFinalizers[name]; return ours })
	if at < 0 {
		return nil
	}
	if r.dependentsRemain() {
		return r.write(ctx)
	}
	remaining, err := r.deleteObjects(ctx, resourceFinalizers[r.app.Finalizers[at]])
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch {
	case errors.Is(err, errLater):
		return nil
	case err != nil:
		r.deletionProblem(err)
		r.again = time.Minute // an event may come sooner
	case remaining == 0:
		r.app.Finalizers = slices.DeleteFunc(slices.Clone(r.app.Finalizers), func(name string) bool { _, ours := resourceFinalizers[name]; return ours })
		r.Logger.Info("the objects of a deleted Application are gone", "application", r.key)
	}
	return r.write(ctx)
}

// deleteObjects deletes the live objects that carry the Application's mark, in
// the reverse order of their creation, and counts those that are still there.
func (r *reconciliation) deleteObjects(ctx context.Context, propagation metav1.DeletionPropagation) (remaining int, err error) {
	instance := tracking.InstanceName(r.app.Namespace, r.app.Name, r.Namespace)
	destination, err := r.Clusters.For(instance, r.app.Spec.Destination, true)
	if errors.Is(err, errRegistration) {
		return 0, err
	}
	if err != nil {
		// Nothing can be deleted in a cluster that is not known any more.
		r.Logger.Warn("the cluster of a deleted Application is not known; its objects stay there", "application", r.key, "error", err)
		return 0, nil
	}
	r.destination = destination
	if err := r.awaitLive(); err != nil {
		return 0, err
	}
	var steps []plan.Step
	for _, found := range destination.Live.Managed(instance) {
		live := found.Live()
		if hasController(live) || hasOption(live, v1alpha1.AnnotationSyncOptions, "Delete=false") {
			continue
		}
		remaining++
		if found.Deleting.IsZero() {
			steps = append(steps, plan.Step{
				Action: plan.Prune, Reference: plan.ReferenceTo(live), Wave: plan.WaveOf(live), UID: found.UID,
			})
		}
	}
	for _, stage := range plan.Build(steps).Stages {
		for _, outcome := range destination.Applier.Run(ctx, stage.Steps, apply.Options{Propagation: propagation}) {
			if outcome.Err != nil {
				return remaining, fmt.Errorf("deleting %s: %w", outcome.Reference, outcome.Err)
			}
		}
	}
	return remaining, nil
}

func (r *reconciliation) deletionProblem(err error) {
	r.app.Status.SetConditions(r.now, []v1alpha1.ApplicationCondition{
		r.condition(v1alpha1.ApplicationConditionDeletionError, err.Error()),
	}, v1alpha1.ApplicationConditionDeletionError)
}
