package compare

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// States are the two states of an object whose difference a [Result] tells, for people who want to see them: without the
// metadata of the API server and without what does not count.
type States struct {
	// Live is the object as it is, Predicted as a sync would make it.
	Live, Predicted *unstructured.Unstructured
}

// StatesOf returns the states of a pair. predicted is the answer of a dry run; nil to predict it here. They may share
// values with the objects of the pair.
func (c *Comparer) StatesOf(p Pair, predicted *unstructured.Unstructured) (out States, err error) {
	have, will := p.Rules.withoutServerFields(p.Live), predicted
	if predicted == nil {
		m, err := c.foresee(p)
		if err != nil {
			return States{}, err
		}
		will = m.will()
	}
	if out.Live, err = p.Rules.without(have); err != nil {
		return States{}, fmt.Errorf("leaving out what is ignored of the live %s: %w", describe(p.Live), err)
	}
	if out.Predicted, err = p.Rules.Without(will); err != nil {
		return States{}, fmt.Errorf("leaving out what is ignored of the predicted %s: %w", describe(p.Live), err)
	}
	return out, c.keepTrusted(p, &out)
}

// keepTrusted gives the fields that are left to other managers their live values in the predicted state.
func (c *Comparer) keepTrusted(p Pair, s *States) error {
	trusted, err := p.Rules.ownedBy(p.Live)
	if err != nil {
		return fmt.Errorf("reading the managed fields of %s: %w", describe(p.Live), err)
	}
	if trusted.Empty() {
		return nil
	}
	will, have, _, err := c.builtins.read(p.merger(c.builtins), s.Predicted, s.Live)
	if err != nil {
		return fmt.Errorf("reading the live and the predicted %s: %w", describe(p.Live), err)
	}
	kept, err := will.RemoveItems(trusted).Merge(have.ExtractItems(trusted, typed.WithAppendKeyFields()))
	if err != nil {
		return fmt.Errorf("leaving out what is ignored of the predicted %s: %w", describe(p.Live), err)
	}
	s.Predicted = objectOf(kept)
	return nil
}
