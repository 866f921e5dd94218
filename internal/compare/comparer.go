package compare

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
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
	// server fills in inside of lists whose schema is not known here. A dry
	// run on the server settles it (see [Comparer.Between]). A result without
	// differences is always certain.
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
	for _, set := range []*fieldpath.Set{r.Added, r.Changed, r.Removed} {
		for path := range set.Leaves().All() {
			paths = append(paths, path.String())
		}
	}
	return paths
}

// Comparer compares objects on behalf of one field manager. It is safe for
// concurrent use.
type Comparer struct {
	manager string
	builtin managedfields.TypeConverter
	deduced managedfields.TypeConverter
}

// New returns a Comparer that predicts applies under the given field manager.
func New(fieldManager string) *Comparer {
	return &Comparer{
		manager: fieldManager,
		builtin: applyconfigurations.NewTypeConverter(scheme.Scheme),
		deduced: managedfields.NewDeducedTypeConverter(),
	}
}

// Compare predicts what applying desired would change in live. Both must have
// the same group, version, kind, namespace and name; neither is modified. The
// live object's managedFields decide which fields an apply would remove.
func (c *Comparer) Compare(desired, live *unstructured.Unstructured) (Result, error) {
	managers, err := decodeManagers(live, c.manager)
	if err != nil {
		return Result{}, fmt.Errorf("reading the managed fields of %s: %w", describe(live), err)
	}
	want, have := canonical(withoutServerFields(desired)), withoutServerFields(live)
	converter, known := c.converterFor(want, have)
	wantTyped, err := converter.ObjectToTyped(want, typed.AllowDuplicates)
	if err != nil {
		return Result{}, fmt.Errorf("reading the desired %s: %w", describe(desired), err)
	}
	haveTyped, err := converter.ObjectToTyped(have, typed.AllowDuplicates)
	if err != nil {
		return Result{}, fmt.Errorf("reading the live %s: %w", describe(live), err)
	}
	version := fieldpath.APIVersion(live.GetAPIVersion())
	updater := (&merge.UpdaterBuilder{Converter: sameVersion{version}, ReturnInputOnNoop: true}).BuildUpdater()
	predicted, _, err := updater.Apply(haveTyped, wantTyped, version, managers, c.manager, true)
	if err != nil {
		return Result{}, fmt.Errorf("merging the desired %s into the live one: %w", describe(desired), err)
	}
	return difference(haveTyped, predicted, known)
}

// Between compares two states of one object as they stand, without merging:
// what would be different in live if it became predicted, the answer of a dry
// run. Fields that every write changes (resourceVersion, managedFields, …) and
// the status do not count.
func (c *Comparer) Between(live, predicted *unstructured.Unstructured) (Result, error) {
	have, will := withoutServerFields(live), withoutServerFields(predicted)
	converter, _ := c.converterFor(have, will)
	haveTyped, err := converter.ObjectToTyped(have, typed.AllowDuplicates)
	if err != nil {
		return Result{}, fmt.Errorf("reading the live %s: %w", describe(live), err)
	}
	willTyped, err := converter.ObjectToTyped(will, typed.AllowDuplicates)
	if err != nil {
		return Result{}, fmt.Errorf("reading the predicted %s: %w", describe(predicted), err)
	}
	result, err := difference(haveTyped, willTyped, true)
	result.Certain = true
	return result, err
}

// converterFor returns the converter with the schemas of Kubernetes' own kinds
// when it understands both objects, and otherwise the deducing one. The second
// result says whether the schema is known.
func (c *Comparer) converterFor(a, b *unstructured.Unstructured) (managedfields.TypeConverter, bool) {
	if !scheme.Scheme.Recognizes(a.GroupVersionKind()) {
		return c.deduced, false
	}
	for _, obj := range []*unstructured.Unstructured{a, b} {
		if _, err := c.builtin.ObjectToTyped(obj, typed.AllowDuplicates); err != nil {
			return c.deduced, false
		}
	}
	return c.builtin, true
}

func difference(have, will *typed.TypedValue, schemaKnown bool) (Result, error) {
	comparison, err := have.Compare(will)
	if err != nil {
		return Result{}, fmt.Errorf("comparing the predicted object with the live one: %w", err)
	}
	result := Result{Added: comparison.Added, Changed: comparison.Modified, Removed: comparison.Removed}
	result.Reordered = result.Synced() && !value.Equals(have.AsValue(), will.AsValue())
	result.Certain = result.Synced() || (schemaKnown && !touchesAtomicList(will, comparison))
	return result, nil
}

func describe(obj *unstructured.Unstructured) string {
	if ns := obj.GetNamespace(); ns != "" {
		return fmt.Sprintf("%s %s/%s", obj.GetKind(), ns, obj.GetName())
	}
	return fmt.Sprintf("%s %s", obj.GetKind(), obj.GetName())
}

// sameVersion is the converter of the updater: an object has one version here,
// and field sets recorded at another one are left out, as the API server does
// for versions that it no longer knows.
type sameVersion struct{ version fieldpath.APIVersion }

func (s sameVersion) Convert(object *typed.TypedValue, version fieldpath.APIVersion) (*typed.TypedValue, error) {
	if version != s.version {
		return nil, errOtherVersion
	}
	return object, nil
}

func (s sameVersion) IsMissingVersionError(err error) bool { return errors.Is(err, errOtherVersion) }
