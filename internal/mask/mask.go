package mask

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What stands for the first value of a key, and what each further one adds to it.
const (
	first   = "++++++++"
	further = "++++"
)

// IsSecret tells whether an object is a Secret of Kubernetes, of whatever version.
func IsSecret(obj *unstructured.Unstructured) bool {
	if obj == nil || obj.GetKind() != "Secret" {
		return false
	}
	group, _, named := strings.Cut(obj.GetAPIVersion(), "/")
	return !named || group == ""
}

// Objects returns several states of one object with the values of Secrets masked, equal values alike in all of them.
// annotations are the keys of annotations that count as values too. A state that is nil stays so, and one that is no
// Secret is returned as it is; the others are copies.
func Objects(annotations []string, states ...*unstructured.Unstructured) []*unstructured.Unstructured {
	m := masker{known: make(map[string][]string), annotations: annotations}
	out := make([]*unstructured.Unstructured, len(states))
	for i, state := range states {
		out[i] = state
		if IsSecret(state) {
			out[i] = state.DeepCopy()
			m.object(out[i].Object)
		}
	}
	return out
}

// masker remembers the values of each key that it has seen.
type masker struct {
	known       map[string][]string
	annotations []string
}

func (m *masker) object(content map[string]any) {
	m.values(content, "data", func(value any) string { return fmt.Sprint(value) })
	m.values(content, "stringData", func(value any) string { return base64.StdEncoding.EncodeToString(fmt.Append(nil, value)) })
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return
	}
	annotations, ok := metadata["annotations"].(map[string]any)
	if !ok {
		return
	}
	if applied, ok := annotations[corev1.LastAppliedConfigAnnotation]; ok {
		annotations[corev1.LastAppliedConfigAnnotation] = m.lastApplied(applied)
	}
	for _, key := range m.annotations {
		if value, ok := annotations[key]; ok {
			annotations[key] = m.of("annotation/"+key, fmt.Sprint(value))
		}
	}
}

// values masks a field that holds values by their keys. Anything else in its place may be a secret as well.
func (m *masker) values(content map[string]any, field string, stored func(any) string) {
	value, ok := content[field]
	if !ok || value == nil {
		return
	}
	values, ok := value.(map[string]any)
	if !ok {
		content[field] = m.of("field/"+field, fmt.Sprint(value))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		values[key] = m.of("data/"+key, stored(values[key]))
	}
}

// lastApplied masks the copy of the object that kubectl leaves in an annotation.
func (m *masker) lastApplied(value any) string {
	var content map[string]any
	if err := json.Unmarshal(fmt.Append(nil, value), &content); err != nil || content == nil {
		return first
	}
	if metadata, ok := content["metadata"].(map[string]any); ok {
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			delete(annotations, corev1.LastAppliedConfigAnnotation)
		}
	}
	m.object(content)
	masked, err := json.Marshal(content)
	if err != nil {
		return first
	}
	return string(masked)
}

// of is what stands for a value of a key.
func (m *masker) of(key, value string) string {
	at := slices.Index(m.known[key], value)
	if at < 0 {
		at = len(m.known[key])
		m.known[key] = append(m.known[key], value)
	}
	return first + strings.Repeat(further, at)
}
