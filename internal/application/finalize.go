package application

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
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

// finalize ends a deleted Application, one finalizer after the other: hooks run,
// what it manages is deleted, hooks run again, each waiting for what comes
// before. Without a resource finalizer the objects stay.
func (r *reconciliation) finalize(ctx context.Context) error {
	if len(r.app.Finalizers) > 0 && r.dependentsRemain() {
		return r.write(ctx)
	}
	for _, part := range []struct {
		finalizers []string
		do         func(context.Context) (done bool, err error)
	}{
		{preDeleteFinalizers, func(ctx context.Context) (bool, error) { return r.runDeletionHooks(ctx, plan.PreDelete) }},
		{slices.Collect(maps.Keys(resourceFinalizers)), r.deleteObjects},
		{postDeleteFinalizers, func(ctx context.Context) (bool, error) { return r.runDeletionHooks(ctx, plan.PostDelete) }},
	} {
		ours := func(name string) bool { return slices.Contains(part.finalizers, name) }
		if !slices.ContainsFunc(r.app.Finalizers, ours) {
			continue
		}
		done, err := part.do(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errLater), errors.Is(err, errWaiting):
			return nil
		case err != nil:
			r.deletionProblem(err)
			r.lookIn(time.Minute) // an event may come sooner
			return r.write(ctx)
		case !done:
			return r.write(ctx)
		}
		r.app.Finalizers = slices.DeleteFunc(slices.Clone(r.app.Finalizers), ours)
		if err := r.write(ctx); err != nil {
			return err
		}
	}
	return nil
}

// deleteObjects deletes the live objects that carry the Application's mark,
// the waves in the reverse order of their creation, each once the one before is
// gone.
func (r *reconciliation) deleteObjects(ctx context.Context) (done bool, err error) {
	destination, err := r.deletionDestination()
	if destination == nil || err != nil {
		return err == nil, err
	}
	options := r.syncOptions(&v1alpha1.SyncOperation{})
	var steps []plan.Step
	var unconfirmed []string
	remaining, last := 0, math.MinInt
	for _, found := range destination.Live.Managed(r.instance) {
		live := found.Live()
		if hasController(live) || options.of(live, "Delete") == "false" {
			continue
		}
		if plan.IsHook(live) && slices.Contains(live.GetFinalizers(), v1alpha1.FinalizerHook) {
			if err := r.dropHook(ctx, live, true); err != nil {
				return false, err
			}
		}
		remaining++
		last = max(last, plan.WaveOf(live))
		if options.of(live, "Delete") == "confirm" {
			unconfirmed = append(unconfirmed, plan.ReferenceTo(live).String())
		}
		step := plan.Step{Action: plan.Prune, Reference: plan.ReferenceTo(live), Wave: plan.WaveOf(live), UID: found.UID}
		step.Options.Propagation = r.propagation()
		if !found.Deleting.IsZero() {
			step.UID = "" // only to know that its wave is not over
		}
		steps = append(steps, step)
	}
	if len(unconfirmed) > 0 && !approvedSince(r.app, *r.app.DeletionTimestamp) {
		return false, fmt.Errorf("the deletion of %s has to be confirmed: to agree, set the annotation %s of the Application to the present time",
			named3(unconfirmed), v1alpha1.AnnotationDeletionApproved)
	}
	steps = slices.DeleteFunc(steps, func(step plan.Step) bool { return step.Wave < last || step.UID == "" })
	for _, stage := range plan.Build(steps).Stages {
		for _, outcome := range destination.Applier.Run(ctx, stage.Steps, apply.Options{}) {
			if outcome.Err != nil {
				return false, fmt.Errorf("deleting its objects: %w", outcome.Err)
			}
		}
	}
	if remaining == 0 {
		r.Logger.Info("the objects of a deleted Application are gone", "application", r.key)
	}
	return remaining == 0, nil
}

// propagation is how the finalizer of the Application asks for deletion.
func (r *reconciliation) propagation() metav1.DeletionPropagation {
	for _, name := range r.app.Finalizers {
		if propagation, ok := resourceFinalizers[name]; ok {
			return propagation
		}
	}
	return metav1.DeletePropagationForeground
}

// deletionDestination finds the cluster of a deleted Application; nil when it
// is not known any more, so that nothing can be done there.
func (r *reconciliation) deletionDestination() (*Destination, error) {
	r.instance = tracking.InstanceName(r.app.Namespace, r.app.Name, r.Namespace)
	destination, err := r.Clusters.For(r.instance, r.app.Spec.Destination, true)
	if errors.Is(err, errRegistration) {
		return nil, err
	}
	if err != nil {
		r.Logger.Warn("the cluster of a deleted Application is not known; its objects stay there", "application", r.key, "error", err)
		return nil, nil
	}
	r.destination, r.tracker = destination, TrackerOf(r.settings)
	return destination, r.awaitLive()
}

func (r *reconciliation) deletionProblem(err error) {
	r.app.Status.SetConditions(r.now, []v1alpha1.ApplicationCondition{
		r.condition(v1alpha1.ApplicationConditionDeletionError, err.Error()),
	}, v1alpha1.ApplicationConditionDeletionError)
}
