package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead-cd/fairlead/internal/action"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// ActionManager is the field manager of what actions write. It is another than
// that of syncs, so that a sync does not take back a restart.
const ActionManager = "argocd-server"

// actAttempts is how often an action is computed anew because its object
// changed in between.
const actAttempts = 4

// Act runs an action on an object: run gets the object as it is in the cluster
// now and returns what is to change, or an error that ends it. The patch of the
// object is written first and only if the object is still the one that run saw;
// when somebody was faster, everything begins anew. Then the new objects are
// made. What was written is returned.
func (a *Applier) Act(ctx context.Context, ref plan.Reference, run func(live *unstructured.Unstructured) ([]action.Change, error)) ([]*unstructured.Unstructured, error) {
	p, err := a.limit.take(ctx)
	if err != nil {
		return nil, err
	}
	defer p.leave()
	client, err := a.client(ctx, ref)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		written, err := a.actOnce(ctx, client, ref, run)
		if !apierrors.IsConflict(err) || attempt == actAttempts {
			return written, err
		}
	}
}

func (a *Applier) actOnce(ctx context.Context, client dynamic.ResourceInterface, ref plan.Reference, run func(*unstructured.Unstructured) ([]action.Change, error)) ([]*unstructured.Unstructured, error) {
	live, err := client.Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ref, err)
	}
	changes, err := run(live)
	if err != nil {
		return nil, err
	}
	var written []*unstructured.Unstructured
	for _, change := range changes {
		if change.Operation != action.Patch {
			continue
		}
		if live, err = a.patchTo(ctx, client, live, change.Object); err != nil {
			return written, fmt.Errorf("changing %s: %w", ref, err)
		}
		written = append(written, live)
	}
	for _, change := range changes {
		if change.Operation != action.Create {
			continue
		}
		made, err := a.create(ctx, change.Object)
		if err != nil {
			// A conflict here is no reason to run the action again.
			return written, errors.New("creating " + plan.ReferenceTo(change.Object).String() + ": " + err.Error())
		}
		written = append(written, made)
	}
	return written, nil
}

// patchTo brings a live object to a wanted state by merge patches: of the
// object, and of its status, which most kinds take at an address of its own.
func (a *Applier) patchTo(ctx context.Context, client dynamic.ResourceInterface, live, wanted *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	difference, err := mergePatch(live, wanted)
	if err != nil {
		return nil, err
	}
	status, hasStatus := difference["status"]
	delete(difference, "status")
	if len(difference) > 0 {
		if live, err = a.patch(ctx, client, live, difference); err != nil {
			return nil, err
		}
	}
	if !hasStatus {
		return live, nil
	}
	difference = map[string]any{"status": status}
	changed, err := a.patch(ctx, client, live, difference, "status")
	if apierrors.IsNotFound(err) { // the kind keeps its status in the object itself
		return a.patch(ctx, client, live, difference)
	}
	return changed, err
}

func (a *Applier) patch(ctx context.Context, client dynamic.ResourceInterface, live *unstructured.Unstructured, difference map[string]any, subresources ...string) (*unstructured.Unstructured, error) {
	meta, ok := difference["metadata"].(map[string]any)
	if !ok {
		meta = map[string]any{}
	}
	meta["resourceVersion"], meta["uid"] = live.GetResourceVersion(), string(live.GetUID())
	difference["metadata"] = meta
	body, err := json.Marshal(difference)
	if err != nil {
		return nil, fmt.Errorf("encoding the change: %w", err)
	}
	changed, err := client.Patch(ctx, live.GetName(), types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: ActionManager, FieldValidation: metav1.FieldValidationStrict}, subresources...)
	if err != nil {
		return nil, err
	}
	a.target.Observe(changed)
	return changed, nil
}

func mergePatch(live, wanted *unstructured.Unstructured) (map[string]any, error) {
	before, err := json.Marshal(live.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding the live object: %w", err)
	}
	after, err := json.Marshal(wanted.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding the changed object: %w", err)
	}
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(before, after, before)
	if err != nil {
		return nil, fmt.Errorf("computing the change: %w", err)
	}
	var difference map[string]any
	if err := json.Unmarshal(patch, &difference); err != nil {
		return nil, fmt.Errorf("computing the change: %w", err)
	}
	return difference, nil
}

func (a *Applier) create(ctx context.Context, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, plan.ReferenceTo(obj))
	if err != nil {
		return nil, err
	}
	made, err := client.Create(ctx, obj, metav1.CreateOptions{FieldManager: ActionManager, FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		return nil, err
	}
	a.target.Observe(made)
	return made, nil
}
