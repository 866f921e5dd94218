package application

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// managedNamespace returns the step that brings the destination's namespace to
// what spec.syncPolicy asks for: it exists, with the labels and annotations of
// managedNamespaceMetadata. It is nil when that is so already, and when the
// namespace is an object of the source.
func (r *reconciliation) managedNamespace() *plan.Step {
	name := r.app.Spec.Destination.Namespace
	key := cluster.Key{Kind: "Namespace", Name: name}
	if _, ok := r.memory.targets.keys[key]; ok {
		return nil
	}
	desired := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}}
	var labels, annotations map[string]string
	if policy := r.app.Spec.SyncPolicy; policy != nil && policy.ManagedNamespaceMetadata != nil {
		labels, annotations = policy.ManagedNamespaceMetadata.Labels, policy.ManagedNamespaceMetadata.Annotations
	}
	if len(labels) > 0 {
		desired.SetLabels(labels)
	}
	if len(annotations) > 0 {
		desired.SetAnnotations(annotations)
	}
	step := &plan.Step{Action: plan.Create, Reference: plan.ReferenceTo(desired), Desired: desired, Wave: firstWave(r.memory.targets)}
	found, exists := r.destination.Live.Get(key)
	if !exists {
		return step
	}
	if len(labels)+len(annotations) == 0 {
		return nil
	}
	if live := found.Live(); live != nil && contains(live.GetLabels(), labels) && contains(live.GetAnnotations(), annotations) {
		return nil
	}
	step.Action = plan.Change
	return step
}

// firstWave is the wave in which the namespace has to stand: no later than
// anything in it.
func firstWave(t targets) int {
	first := 0
	for _, target := range t.list {
		first = min(first, plan.WaveOf(target.obj))
	}
	return first
}

func contains(have, want map[string]string) bool {
	merged := maps.Clone(want)
	for name := range merged {
		if value, ok := have[name]; !ok || value != want[name] {
			return false
		}
	}
	return true
}
