package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

// RemoveFinalizer takes one finalizer from an object, if it is still the object
// of that uid and has it. An object that is gone has none.
func (a *Applier) RemoveFinalizer(ctx context.Context, ref plan.Reference, uid types.UID, finalizer string) error {
	p, err := a.limit.take(ctx)
	if err != nil {
		return err
	}
	defer p.leave()
	client, err := a.client(ctx, ref)
	if err != nil {
		return explain(ref, err)
	}
	return explain(ref, a.try(ctx, func(ctx context.Context) error {
		live, err := client.Get(ctx, ref.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		case live.GetUID() != uid || !slices.Contains(live.GetFinalizers(), finalizer):
			return nil
		}
		left := slices.DeleteFunc(live.GetFinalizers(), func(name string) bool { return name == finalizer })
		body, err := json.Marshal(map[string]any{"metadata": map[string]any{
			"uid": uid, "resourceVersion": live.GetResourceVersion(), "finalizers": left,
		}})
		if err != nil {
			return fmt.Errorf("encoding the change of %s: %w", ref, err)
		}
		changed, err := client.Patch(ctx, ref.Name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: FieldManager})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil && (changed.GetDeletionTimestamp() == nil || len(left) > 0) {
			a.target.Observe(changed)
		}
		return err
	}))
}
