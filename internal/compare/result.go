package compare

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Result is what a sync of one object would change.
type Result struct {
	// Added, Changed and Removed are the fields, as paths of
	// structured-merge-diff, that the live object would gain, change and lose.
	// None is nil.
	Added, Changed, Removed *fieldpath.Set
	// Reordered says that only the order of items in a keyed list changes,
	// which no field path expresses (environment variables, for example,
	// refer to earlier ones).
	Reordered bool
	// Certain is false when the difference may come from values that the API
	// server fills in. A dry run on the server settles it (see
	// [Comparer.Between]). A result without differences is always certain.
	Certain bool
}

// Synced says that a sync would change nothing.
func (r Result) Synced() bool {
	return !r.Reordered && r.Added.Empty() && r.Changed.Empty() && r.Removed.Empty()
}

// Fields lists the differing fields as readable paths such as
// ".spec.replicas", added ones first, then changed, then removed.
func (r Result) Fields() []string {
	var paths []string
	for path := range r.paths {
		paths = append(paths, path.String())
	}
	return paths
}

// paths yields the differing fields, as paths that the caller may keep.
func (r Result) paths(yield func(fieldpath.Path) bool) {
	for _, set := range []*fieldpath.Set{r.Added, r.Changed, r.Removed} {
		for _, path := range leaves(set) {
			if !yield(path) {
				return
			}
		}
	}
}

// leaves returns the leaves of a set. (The iterator of the library must not be
// left before its end, and changes the path that it gave.)
func leaves(set *fieldpath.Set) []fieldpath.Path {
	var paths []fieldpath.Path
	set.Leaves().Iterate(func(path fieldpath.Path) { paths = append(paths, path.Copy()) })
	return paths
}

// without returns the result but for some fields and what is below them.
func (r Result) without(fields *fieldpath.Set) Result {
	if fields.Empty() {
		return r
	}
	r.Added, r.Changed, r.Removed = less(r.Added, fields), less(r.Changed, fields), less(r.Removed, fields)
	return r
}

// less returns the leaves of a set that are neither in other nor below a leaf of it.
func less(set, other *fieldpath.Set) *fieldpath.Set {
	return set.Leaves().RecursiveDifference(other.Leaves())
}

// differenceOf returns what would be different in a live object that became will.
func differenceOf(have, will *typed.TypedValue) (Result, error) {
	comparison, err := have.Compare(will)
	if err != nil {
		return Result{}, fmt.Errorf("comparing the predicted object with the live one: %w", err)
	}
	result := Result{Added: comparison.Added, Changed: comparison.Modified, Removed: comparison.Removed}
	same := result.Synced()
	result.Reordered = same && !value.Equals(have.AsValue(), will.AsValue())
	result.Certain = same && !result.Reordered
	return result, nil
}

// settled says that no dry run is needed to know that there is a difference. A
// field that is removed may come back with its default. But a dry run does not
// know of the fields that an apply takes over from client-side apply: these
// are gone, whatever it says.
func (r Result) settled(owners ownership, will *unstructured.Unstructured) bool {
	if !r.Removed.Intersection(owners.takenOver).Empty() {
		return true
	}
	return r.Removed.Empty() && !r.touchesAtomicList(will)
}

// touchesAtomicList says whether one of the changed fields is a list or map
// that is replaced as a whole. Inside of those the API server may have filled
// in defaults, which a merge cannot tell from a change.
func (r Result) touchesAtomicList(will *unstructured.Unstructured) bool {
	for _, path := range leaves(r.Changed) {
		switch found := at(will.Object, path).(type) {
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
