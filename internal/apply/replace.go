package apply

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

// replace writes the whole object, as kubectl create and kubectl replace do:
// what others added to it goes away.
func (w *writer) replace(ctx context.Context) (*unstructured.Unstructured, Result, error) {
	if w.Action == plan.Create {
		made, err := w.create(ctx)
		if !apierrors.IsAlreadyExists(err) {
			return made, Created, err
		}
	}
	live, err := w.client.Get(ctx, w.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		made, err := w.create(ctx)
		return made, Created, err
	}
	if err != nil {
		return nil, "", err
	}
	whole := w.object.DeepCopy()
	whole.SetResourceVersion(live.GetResourceVersion())
	carryAddress(whole, live)
	written, err := w.client.Update(ctx, whole, metav1.UpdateOptions{
		FieldManager: FieldManager, FieldValidation: w.validation(), DryRun: w.dryRun,
	})
	return written, Replaced, err
}

func (w *writer) create(ctx context.Context) (*unstructured.Unstructured, error) {
	return w.client.Create(ctx, w.object, metav1.CreateOptions{
		FieldManager: FieldManager, FieldValidation: w.validation(), DryRun: w.dryRun,
	})
}

// carryAddress keeps the addresses that a Service was given: they cannot be
// changed, and Git rarely states them.
func carryAddress(whole, live *unstructured.Unstructured) {
	if ref := plan.ReferenceTo(live); ref.Group != "" || ref.Kind != "Service" {
		return
	}
	if kind, _, _ := unstructured.NestedString(whole.Object, "spec", "type"); kind == "ExternalName" {
		return
	}
	spec, _, _ := unstructured.NestedMap(whole.Object, "spec")
	if spec == nil || spec["clusterIP"] != nil || spec["clusterIPs"] != nil {
		return
	}
	for _, field := range []string{"clusterIP", "clusterIPs"} {
		if value, found, _ := unstructured.NestedFieldCopy(live.Object, "spec", field); found {
			spec[field] = value
		}
	}
	whole.Object["spec"] = spec
}
