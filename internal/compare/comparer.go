package compare

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// Comparer compares objects on behalf of one field manager. It is safe for
// concurrent use.
type Comparer struct {
	manager  string
	builtins builtins
}

// New returns a Comparer that predicts applies under the given field manager.
func New(fieldManager string) *Comparer {
	return &Comparer{manager: fieldManager, builtins: newBuiltins()}
}

// Pair is one object in two states that are to be compared. Nothing of it is
// modified.
type Pair struct {
	// Desired is the object as it stands in the source, Live the one in the
	// cluster. They have the same group, version, kind, namespace and name.
	Desired, Live *unstructured.Unstructured
	// Schema is that of a custom resource; nil for kinds of Kubernetes, and
	// where it is not known.
	Schema *Schema
	// Rules say what does not count; nil for the status alone.
	Rules *Rules
}

// merger returns how the API server merges the object.
func (p Pair) merger(known builtins) merger {
	return known.mergerFor(p.Schema, p.Live.GroupVersionKind())
}

// Compare predicts what applying the desired object would change in the live
// one. The live object's managedFields decide which fields an apply would
// remove.
func (c *Comparer) Compare(p Pair) (Result, error) {
	m, err := c.foresee(p)
	if err != nil || m.difference.Synced() {
		return m.difference, err
	}
	// Of what differs, some may be values that the API server fills in, and some may not count.
	will := m.will()
	result, err := c.between(p, m.have, will)
	if err != nil {
		return Result{}, err
	}
	result.Certain = result.Synced() || m.exact || result.settled(m.owners, will)
	return result, nil
}

// merged is a desired object merged into its live one.
type merged struct {
	merger
	owners     ownership
	have       *unstructured.Unstructured
	predicted  *typed.TypedValue
	difference Result
}

func (c *Comparer) foresee(p Pair) (m merged, err error) {
	want := p.wanted(p.Rules.withoutServerFields(p.Desired))
	m.have = p.Rules.withoutServerFields(p.Live)
	wantTyped, haveTyped, merger, err := c.builtins.read(p.merger(c.builtins), want, m.have)
	if err != nil {
		return merged{}, fmt.Errorf("reading the desired and the live %s: %w", describe(p.Live), err)
	}
	m.merger = merger
	if m.owners, err = ownershipOf(p.Live, c.manager, merger); err != nil {
		return merged{}, fmt.Errorf("reading the managed fields of %s: %w", describe(p.Live), err)
	}
	if m.predicted, err = c.merge(p.Live.GetAPIVersion(), m.owners, haveTyped, wantTyped); err != nil {
		return merged{}, fmt.Errorf("merging the desired %s into the live one: %w", describe(p.Desired), err)
	}
	m.difference, err = differenceOf(haveTyped, m.predicted)
	return m, err
}

// will is the predicted object with the values that the API server fills in.
func (m merged) will() *unstructured.Unstructured {
	will := objectOf(m.predicted)
	if m.complete != nil {
		m.complete(will.Object)
	}
	return will
}

// Between compares two states of one object as they stand, without merging:
// what would be different in the live object if it became predicted, the answer
// of a dry run. Desired is not looked at. Fields that every write changes
// (resourceVersion, managedFields, …) do not count.
func (c *Comparer) Between(p Pair, predicted *unstructured.Unstructured) (Result, error) {
	have, will := p.Rules.withoutServerFields(p.Live), p.Rules.withoutServerFields(predicted)
	result, err := c.between(p, have, will)
	result.Certain = true
	return result, err
}

// between compares two states but for what is ignored.
func (c *Comparer) between(p Pair, have, will *unstructured.Unstructured) (Result, error) {
	have, err := p.Rules.without(have)
	if err != nil {
		return Result{}, fmt.Errorf("leaving out what is ignored of the live %s: %w", describe(p.Live), err)
	}
	if will, err = p.Rules.without(will); err != nil {
		return Result{}, fmt.Errorf("leaving out what is ignored of the predicted %s: %w", describe(p.Live), err)
	}
	merger := p.merger(c.builtins)
	if merger.typedStorage {
		have, will = withoutEmpties(have), withoutEmpties(will)
	}
	haveTyped, willTyped, _, err := c.builtins.read(merger, have, will)
	if err != nil {
		return Result{}, fmt.Errorf("reading the live and the predicted %s: %w", describe(p.Live), err)
	}
	result, err := differenceOf(haveTyped, willTyped)
	if err != nil {
		return Result{}, err
	}
	trusted, err := p.Rules.ownedBy(p.Live)
	if err != nil {
		return Result{}, fmt.Errorf("reading the managed fields of %s: %w", describe(p.Live), err)
	}
	return result.without(trusted), nil
}

// merge does what the API server does with an apply.
func (c *Comparer) merge(apiVersion string, owners ownership, have, want *typed.TypedValue) (*typed.TypedValue, error) {
	version := fieldpath.APIVersion(apiVersion)
	updater := (&merge.UpdaterBuilder{Converter: sameVersion{version}, ReturnInputOnNoop: true}).BuildUpdater()
	predicted, _, err := updater.Apply(have, want, version, owners.managers, c.manager, true)
	return predicted, err
}

// objectOf returns a value as an object of its own.
func objectOf(value *typed.TypedValue) *unstructured.Unstructured {
	object, ok := value.AsValue().Unstructured().(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	return (&unstructured.Unstructured{Object: object}).DeepCopy()
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
