package compare

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// canonical returns obj with its values written as the API server stores them:
// quantities and times in their canonical form, nulls and empty values that
// the type omits gone. Fields that the type does not know stay, so that the API
// server can complain about them. Objects of kinds that are not known here, or
// that do not fit their type, only lose their nulls. The result shares nothing
// that it changes with obj.
func canonical(obj *unstructured.Unstructured) *unstructured.Unstructured {
	return asStored(obj, func(value any) bool { return !isEmpty(value) })
}

// KnownFields returns obj without the fields that its type does not know, as
// an API server stores it that was told not to validate. Server-side apply
// refuses such fields whatever it is told, so they have to be dropped before.
// Objects of kinds that are not known here are returned as they are; the result
// shares nothing that it changes with obj.
func KnownFields(obj *unstructured.Unstructured) *unstructured.Unstructured {
	return asStored(obj, func(any) bool { return false })
}

// asStored returns obj with its values as the API server would store them.
// Of what would not be stored, because it is empty or its field unknown, the
// values stay that keep accepts.
func asStored(obj *unstructured.Unstructured, keep func(value any) bool) *unstructured.Unstructured {
	clean := withoutNulls(obj.Object)
	typedObject, err := scheme.Scheme.New(obj.GroupVersionKind())
	if err != nil {
		return &unstructured.Unstructured{Object: clean}
	}
	converter := runtime.DefaultUnstructuredConverter
	if err := converter.FromUnstructured(clean, typedObject); err != nil {
		return &unstructured.Unstructured{Object: clean}
	}
	stored, err := converter.ToUnstructured(typedObject)
	if err != nil {
		return &unstructured.Unstructured{Object: clean}
	}
	return &unstructured.Unstructured{Object: canonicalMap(clean, stored, keep)}
}

// canonicalMap takes every scalar of want as stored writes it, and drops what
// is not stored, unless keep accepts it.
func canonicalMap(want, stored map[string]any, keep func(any) bool) map[string]any {
	out := make(map[string]any, len(want))
	for field, value := range want {
		kept, ok := stored[field]
		if !ok {
			if keep(value) {
				out[field] = value
			}
			continue
		}
		out[field] = canonicalValue(value, kept, keep)
	}
	return out
}

func canonicalValue(want, stored any, keep func(any) bool) any {
	switch want := want.(type) {
	case map[string]any:
		if stored, ok := stored.(map[string]any); ok {
			return canonicalMap(want, stored, keep)
		}
		return stored
	case []any:
		kept, ok := stored.([]any)
		if !ok || len(kept) != len(want) {
			return want
		}
		out := make([]any, len(want))
		for i := range want {
			out[i] = canonicalValue(want[i], kept[i], keep)
		}
		return out
	default:
		return stored
	}
}

// wanted returns the desired object as it is sent: of custom resources, whose
// schema decides what a null means, as it stands, and of others as the API
// server stores it.
func (p Pair) wanted(desired *unstructured.Unstructured) *unstructured.Unstructured {
	if p.Schema != nil {
		return desired
	}
	return canonical(desired)
}

// withoutEmpties returns obj without nulls and empty lists.
func withoutEmpties(obj *unstructured.Unstructured) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: mapWithoutEmpties(obj.Object)}
}

func mapWithoutEmpties(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for field, value := range m {
		switch value := value.(type) {
		case nil:
		case map[string]any:
			out[field] = mapWithoutEmpties(value)
		case []any:
			if len(value) > 0 {
				out[field] = itemsWithoutEmpties(value)
			}
		default:
			out[field] = value
		}
	}
	return out
}

func itemsWithoutEmpties(list []any) []any {
	out := make([]any, len(list))
	for i, item := range list {
		switch item := item.(type) {
		case map[string]any:
			out[i] = mapWithoutEmpties(item)
		case []any:
			out[i] = itemsWithoutEmpties(item)
		default:
			out[i] = item
		}
	}
	return out
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	case string:
		return value == ""
	case bool:
		return !value
	case int64:
		return value == 0
	case float64:
		return value == 0
	}
	return value == nil
}

func withoutNulls(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for field, value := range m {
		if value == nil {
			continue
		}
		out[field] = withoutNullsValue(value)
	}
	return out
}

func withoutNullsValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return withoutNulls(value)
	case []any:
		out := make([]any, len(value))
		for i := range value {
			out[i] = withoutNullsValue(value[i])
		}
		return out
	}
	return value
}
