package compare

import (
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// touchesAtomicList says whether one of the changed fields is a list or map
// that is replaced as a whole. Inside of those the API server may have filled
// in defaults, which a merge cannot tell from a change.
func touchesAtomicList(will *typed.TypedValue, comparison *typed.Comparison) bool {
	for path := range comparison.Modified.Leaves().All() {
		switch found := at(will.AsValue().Unstructured(), path).(type) {
		case map[string]any:
			return true
		case []any:
			if len(found) > 0 {
				return true
			}
		}
	}
	return false
}

// at returns the value that a path leads to, or nil.
func at(root any, path fieldpath.Path) any {
	for _, element := range path {
		switch {
		case element.FieldName != nil:
			m, ok := root.(map[string]any)
			if !ok {
				return nil
			}
			root = m[*element.FieldName]
		case element.Index != nil:
			list, ok := root.([]any)
			if !ok || *element.Index < 0 || *element.Index >= len(list) {
				return nil
			}
			root = list[*element.Index]
		case element.Key != nil:
			root = itemByKey(root, *element.Key)
		default: // an item of a set is a scalar
			return nil
		}
	}
	return root
}

func itemByKey(list any, key value.FieldList) any {
	items, ok := list.([]any)
	if !ok {
		return nil
	}
	for _, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			continue
		}
		matches := true
		for _, field := range key {
			have, present := fields[field.Name]
			// A key that is absent has its default, which may be any value.
			if present && !value.Equals(value.NewValueInterface(have), field.Value) {
				matches = false
				break
			}
		}
		if matches {
			return item
		}
	}
	return nil
}
