package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

// recreatable tells the kinds that Force may delete. With a Namespace or a
// definition everything in it would go.
func recreatable(ref plan.Reference) bool {
	return !(ref.Group == "" && ref.Kind == "Namespace") && !(ref.Group == "apiextensions.k8s.io" && ref.Kind == "CustomResourceDefinition")
}

// recreate deletes the live object, waits until it is gone, and makes it anew.
// Beginning again at any point does no harm.
func (w *writer) recreate(ctx context.Context) (*unstructured.Unstructured, Result, error) {
	var live *unstructured.Unstructured
	err := w.try(ctx, func(ctx context.Context) (err error) {
		live, err = w.client.Get(ctx, w.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			live = nil
			return nil
		}
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if live == nil {
		return w.change(ctx)
	}
	w.UID = live.GetUID()
	if err := w.remove(ctx); err != nil {
		return nil, "", fmt.Errorf("deleting it to make it anew: %w", err)
	}
	if len(w.dryRun) > 0 {
		return nil, Recreated, nil // the API server would take what is still there for an obstacle
	}
	if err := w.place.without(ctx, func() error { return w.awaitGone(ctx) }); err != nil {
		return nil, "", err
	}
	w.Action, w.Live = plan.Create, nil
	written, _, err := w.change(ctx)
	return written, Recreated, err
}

// goneLook is the pause between two looks where watching is not possible.
const goneLook = time.Second

// awaitGone waits until the object that was deleted does not exist any more.
func (w *writer) awaitGone(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, w.patience.gone)
	defer cancel()
	var last *unstructured.Unstructured
	for {
		if gone := w.look(bounded, &last); gone {
			return nil
		}
		select {
		case <-time.After(goneLook):
		case <-bounded.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return heldBy(w.Reference, last, w.patience.gone)
		}
	}
}

// look watches the object for a while, and tells whether it is gone. last is
// what was last seen of it.
func (w *writer) look(ctx context.Context, last **unstructured.Unstructured) (gone bool) {
	ctx, cancel := context.WithTimeout(ctx, w.patience.attempt) // an API server that hangs is asked again
	defer cancel()
	live, err := w.client.Get(ctx, w.Name, metav1.GetOptions{})
	if err != nil || live.GetUID() != w.UID {
		return err == nil || apierrors.IsNotFound(err)
	}
	*last = live
	stream, err := w.client.Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("metadata.name", w.Name).String(), ResourceVersion: live.GetResourceVersion(),
	})
	if err != nil {
		return false
	}
	defer stream.Stop()
	for event := range stream.ResultChan() {
		obj, ok := event.Object.(*unstructured.Unstructured)
		switch {
		case !ok || event.Type == watch.Error:
			return false
		case event.Type == watch.Deleted && obj.GetUID() == w.UID:
			return true
		case obj.GetUID() == w.UID:
			*last = obj
		}
	}
	return false
}

func heldBy(ref plan.Reference, live *unstructured.Unstructured, after time.Duration) *Refusal {
	why := "it is not known why"
	if live != nil {
		why = holders(live.GetFinalizers())
	}
	return &Refusal{
		Reference: ref, Reason: Held, Retry: true,
		sentence: fmt.Sprintf("%s was deleted to be made anew, but is still there after %s: %s", ref, after, why),
	}
}

// holders says what keeps a deleted object.
func holders(finalizers []string) string {
	switch {
	case len(finalizers) == 0:
		return "it has no finalizers; its pods or its node may not have ended"
	case len(finalizers) == 1 && finalizers[0] == metav1.FinalizerDeleteDependents:
		return "what belongs to it is not gone yet (finalizer " + finalizers[0] + ")"
	default:
		return "held by the finalizers " + strings.Join(finalizers, ", ") + "; see to it that their controllers run, or remove them"
	}
}

// remove deletes the object that has the uid of the step. One that is gone, or
// gone and made again by somebody else, is removed already.
func (w *writer) remove(ctx context.Context) error {
	propagation := w.Options.Propagation
	if propagation == "" {
		propagation = metav1.DeletePropagationForeground
	}
	deletion := metav1.DeleteOptions{PropagationPolicy: &propagation, DryRun: w.dryRun}
	if w.UID != "" {
		deletion.Preconditions = &metav1.Preconditions{UID: &w.UID}
	}
	return w.try(ctx, func(ctx context.Context) error {
		err := w.client.Delete(ctx, w.Name, deletion)
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case apierrors.IsConflict(err):
			return w.removedAnyway(ctx, w.UID, err)
		}
		return err
	})
}

// removedAnyway looks whether a conflict means that the object is another, or
// is being deleted.
func (w *writer) removedAnyway(ctx context.Context, uid types.UID, conflict error) error {
	live, err := w.client.Get(ctx, w.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case uid != "" && live.GetUID() != uid, live.GetDeletionTimestamp() != nil:
		return nil
	}
	return conflict
}
