package application

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/plan"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// operatorRules keeps the rules of the settings compiled, once for all
// Applications. The zero value is ready for use.
type operatorRules struct {
	mu      sync.Mutex
	read    *settings.Settings
	current *settingsRules
}

// settingsRules are the rules that one reading of the settings, or several
// that say the same, lead to.
type settingsRules struct {
	customizations settings.Customizations
	comparison     settings.Comparison
	set            *compare.RuleSet
	problem        error // of those that cannot be used
}

// of returns the rules of the settings; the same ones until they change.
func (o *operatorRules) of(s *settings.Settings, jqTimeout time.Duration) *settingsRules {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.current != nil && o.read == s {
		return o.current
	}
	o.read = s
	if c := o.current; c != nil && c.comparison == s.Comparison && reflect.DeepEqual(c.customizations, s.Customizations) {
		return c
	}
	rules, known := rulesOf(s.Customizations)
	next := &settingsRules{customizations: s.Customizations, comparison: s.Comparison}
	next.set, next.problem = compare.NewRuleSet(rules, known, compare.RuleOptions{
		StatusOfAll:     s.Comparison.IgnoreStatus == settings.StatusOfAll,
		StatusOfCRDs:    s.Comparison.IgnoreStatus == settings.StatusOfCRDs,
		AggregatedRoles: s.Comparison.IgnoreAggregatedRoles,
		JQTimeout:       jqTimeout,
	})
	o.current = next
	return next
}

// manner is how the objects of an Application are compared. It is made anew
// when something that it depends on changes; results made in another manner do
// not hold.
type manner struct {
	operator *settingsRules
	ignored  v1alpha1.IgnoreDifferences
	rules    *compare.RuleSet // of both
	problem  error
	// serverSide asks the API server for every prediction; webhooks counts what
	// its webhooks change as a difference.
	serverSide, webhooks bool
}

// mannerOf returns how the Application's objects are compared now: the one that
// is remembered, unless something changed.
func (r *reconciliation) mannerOf() *manner {
	options := r.app.Annotations[v1alpha1.AnnotationCompareOptions]
	next := &manner{
		operator: r.rules.of(r.settings, r.jqTimeout()), ignored: r.app.Spec.IgnoreDifferences,
		serverSide: optionSet(options, "ServerSideDiff", r.ServerSideDiff), webhooks: optionSet(options, "IncludeMutationWebhook", false),
	}
	if last := r.memory.manner; last != nil && last.same(next) {
		return last
	}
	own := make([]compare.Rule, 0, len(next.ignored))
	for _, i := range next.ignored {
		own = append(own, compare.Rule{
			Group: i.Group, Kind: i.Kind, Namespace: i.Namespace, Name: i.Name,
			JSONPointers: i.JSONPointers, JQPathExpressions: i.JQPathExpressions, ManagedFieldsManagers: i.ManagedFieldsManagers,
		})
	}
	set, err := next.operator.set.With(own)
	next.rules, next.problem = set, errors.Join(next.operator.problem, err)
	r.memory.manner, r.memory.results = next, nil
	return next
}

func (m *manner) same(other *manner) bool {
	return m.operator == other.operator && m.serverSide == other.serverSide && m.webhooks == other.webhooks &&
		reflect.DeepEqual(m.ignored, other.ignored)
}

// DefaultJQTimeout is how long a jq expression may take for one object when
// nothing else is set.
const DefaultJQTimeout = time.Second

func (r *reconciliation) jqTimeout() time.Duration {
	if r.JQTimeout > 0 {
		return r.JQTimeout
	}
	return DefaultJQTimeout
}

// rulesOf turns what the operator customized into rules.
func rulesOf(customizations settings.Customizations) (rules []compare.Rule, known []compare.KnownField) {
	for _, c := range customizations {
		if fields := c.IgnoreDifferences; !fields.Empty() {
			rules = append(rules, compare.Rule{
				Group: c.Group.String(), Kind: c.Kind.String(),
				JSONPointers: fields.JSONPointers, JQPathExpressions: fields.JQPathExpressions, ManagedFieldsManagers: fields.ManagedFieldsManagers,
			})
		}
		for _, k := range c.KnownTypeFields {
			known = append(known, compare.KnownField{Group: c.Group.String(), Kind: c.Kind.String(), Field: k.Field, Type: k.Type})
		}
	}
	return rules, known
}

// rulesFor returns the rules that concern one target: those of the set, and
// those that its own annotation states.
func (m *manner) rulesFor(t target) (*compare.Rules, error) {
	rules := m.rules.For(t.key.Group, t.key.Kind, t.key.Namespace, t.key.Name)
	text := t.obj.GetAnnotations()[v1alpha1.AnnotationIgnoreDifferences]
	if text == "" {
		return rules, nil
	}
	var fields settings.FieldRules
	if err := yaml.UnmarshalStrict([]byte(text), &fields); err != nil {
		return nil, fmt.Errorf("the annotation %s of %s is no YAML of jsonPointers, jqPathExpressions and managedFieldsManagers: %w",
			v1alpha1.AnnotationIgnoreDifferences, plan.ReferenceTo(t.obj), err)
	}
	own, err := compare.NewRuleSet([]compare.Rule{{
		Group: "*", Kind: "*", JSONPointers: fields.JSONPointers, JQPathExpressions: fields.JQPathExpressions, ManagedFieldsManagers: fields.ManagedFieldsManagers,
	}}, nil, compare.RuleOptions{})
	if err != nil {
		return nil, fmt.Errorf("the annotation %s of %s: %w", v1alpha1.AnnotationIgnoreDifferences, plan.ReferenceTo(t.obj), err)
	}
	return rules.With(own.For(t.key.Group, t.key.Kind, t.key.Namespace, t.key.Name)), nil
}
