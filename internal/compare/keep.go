package compare

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// KeepIgnored returns the desired object of a pair with the live values in the
// fields that do not count, so that applying it leaves those alone (sync option
// RespectIgnoreDifferences). A field that does not exist in the live object is
// left out. The result may share values with the objects of the pair.
func (c *Comparer) KeepIgnored(p Pair) (*unstructured.Unstructured, error) {
	if p.Rules == nil {
		return p.Desired, nil
	}
	want, have := p.wanted(p.Desired), p.Rules.withoutServerFields(p.Live)
	wantTyped, haveTyped, merger, err := c.builtins.read(p.merger(c.builtins), want, have)
	if err != nil {
		return nil, fmt.Errorf("reading the desired and the live %s: %w", describe(p.Live), err)
	}
	ignored, err := p.Rules.ownedBy(p.Live)
	if err != nil {
		return nil, err
	}
	for _, side := range []struct {
		obj   *unstructured.Unstructured
		typed *typed.TypedValue
	}{{want, wantTyped}, {have, haveTyped}} {
		fields, err := p.Rules.fieldsIn(side.obj, side.typed, merger)
		if err != nil {
			return nil, err
		}
		ignored = ignored.Union(fields)
	}
	if ignored.Empty() {
		return p.Desired, nil
	}
	kept, err := wantTyped.RemoveItems(ignored).Merge(haveTyped.ExtractItems(ignored, typed.WithAppendKeyFields()))
	if err != nil {
		return nil, fmt.Errorf("keeping ignored fields of the live %s: %w", describe(p.Live), err)
	}
	return objectOf(kept), nil
}

// fieldsIn returns the fields of an object that the rules leave out.
func (r *Rules) fieldsIn(obj *unstructured.Unstructured, whole *typed.TypedValue, merger merger) (*fieldpath.Set, error) {
	rest, err := r.without(obj)
	if err != nil {
		return nil, err
	}
	restTyped, err := merger.typed(rest)
	if err != nil {
		return nil, fmt.Errorf("%s does not fit its schema without the ignored fields; name fields that are no keys of list items: %w", describe(obj), err)
	}
	comparison, err := whole.Compare(restTyped)
	if err != nil {
		return nil, fmt.Errorf("finding the ignored fields of %s: %w", describe(obj), err)
	}
	return comparison.Removed.Union(comparison.Modified), nil
}
