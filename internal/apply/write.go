package apply

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/csaupgrade"

	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// writer carries out one step.
type writer struct {
	*Applier
	plan.Step
	dryRun []string
	client dynamic.ResourceInterface
	// object is what is sent.
	object *unstructured.Unstructured
	place  *place
}

// write brings the object of a step to its desired state.
func (a *Applier) write(ctx context.Context, step plan.Step, opts Options, p *place) (*unstructured.Unstructured, Result, error) {
	client, err := a.client(ctx, step.Reference)
	if err != nil {
		return nil, "", err
	}
	w := &writer{Applier: a, Step: step, client: client, object: step.Desired, dryRun: opts.dryRun(), place: p}
	if step.Options.SkipValidation {
		w.object = compare.KnownFields(step.Desired)
	}
	if step.Options.Force && step.Options.Replace && recreatable(step.Reference) {
		return w.recreate(ctx)
	}
	written, result, err := w.change(ctx)
	if err == nil || reasonOf(err) != Immutable {
		return written, result, err
	}
	if step.Options.Force && recreatable(step.Reference) {
		return w.recreate(ctx)
	}
	return nil, "", w.naming(ctx, err)
}

// change writes the object without deleting it.
func (w *writer) change(ctx context.Context) (written *unstructured.Unstructured, result Result, err error) {
	err = w.try(ctx, func(ctx context.Context) error {
		if w.Options.Replace {
			written, result, err = w.replace(ctx)
			return err
		}
		result = Applied
		if err := w.takeOver(ctx); err != nil {
			return fmt.Errorf("taking over the fields of client-side apply: %w", err)
		}
		written, err = w.apply(ctx)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(w.dryRun) == 0 {
		w.target.Observe(written)
	}
	return written, result, nil
}

// apply is server-side apply: conflicts are forced, because Git is the owner of
// what it states.
func (w *writer) apply(ctx context.Context) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(w.object.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", w.Reference, err)
	}
	force := true
	return w.client.Patch(ctx, w.Name, types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: FieldManager, Force: &force, FieldValidation: w.validation(), DryRun: w.dryRun,
	})
}

func (w *writer) validation() string {
	if w.Options.SkipValidation {
		return metav1.FieldValidationIgnore
	}
	return metav1.FieldValidationStrict
}

// takeOver moves the fields that were applied on the client's side to our
// field manager. The live object may be older than the one in the cluster;
// then it is read again, once.
func (w *writer) takeOver(ctx context.Context) error {
	live := w.Live
	if live == nil || w.Options.KeepClientSide || len(w.dryRun) > 0 {
		return nil
	}
	for attempt := 0; ; attempt++ {
		managers := sets.New(compare.ClientSideManagers(live)...)
		if w.Options.MigrateFrom != "" {
			managers.Insert(w.Options.MigrateFrom)
		}
		if len(managers) == 0 {
			return nil
		}
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, managers, FieldManager)
		if err != nil || patch == nil {
			return err
		}
		_, err = w.client.Patch(ctx, w.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
		if apierrors.IsNotFound(err) {
			return nil // it is made anew
		}
		if !apierrors.IsConflict(err) || attempt > 0 {
			return err
		}
		if live, err = w.client.Get(ctx, w.Name, metav1.GetOptions{}); err != nil {
			return err
		}
	}
}
