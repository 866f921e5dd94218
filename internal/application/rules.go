package application

import (
	"reflect"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// manner is how the objects of an Application are compared. It is made anew
// when something that it depends on changes; results made in another manner do
// not hold.
type manner struct {
	customizations settings.Customizations
	comparison     settings.Comparison
	ignored        v1alpha1.IgnoreDifferences

	rules *compare.RuleSet
	// serverSide asks the API server for every prediction; webhooks counts what
	// its webhooks change as a difference.
	serverSide, webhooks bool
	conditions           []v1alpha1.ApplicationCondition
}

// mannerOf returns how the Application's objects are compared now: the one that
// is remembered, unless something changed.
func (r *reconciliation) mannerOf() *manner {
	options := r.app.Annotations[v1alpha1.AnnotationCompareOptions]
	next := &manner{
		customizations: r.settings.Customizations, comparison: r.settings.Comparison, ignored: r.app.Spec.IgnoreDifferences,
		serverSide: optionSet(options, "ServerSideDiff", r.ServerSideDiff), webhooks: optionSet(options, "IncludeMutationWebhook", false),
	}
	if last := r.memory.manner; last != nil && last.same(next) {
		return last
	}
	rules, known := rulesOf(next.customizations)
	for _, i := range next.ignored {
		rules = append(rules, compare.Rule{
			Group: i.Group, Kind: i.Kind, Namespace: i.Namespace, Name: i.Name,
			JSONPointers: i.JSONPointers, JQPathExpressions: i.JQPathExpressions, ManagedFieldsManagers: i.ManagedFieldsManagers,
		})
	}
	set, err := compare.NewRuleSet(rules, known, compare.RuleOptions{
		StatusOfAll:     next.comparison.IgnoreStatus == settings.StatusOfAll,
		StatusOfCRDs:    next.comparison.IgnoreStatus == settings.StatusOfCRDs,
		AggregatedRoles: next.comparison.IgnoreAggregatedRoles,
		JQTimeout:       r.jqTimeout(),
	})
	next.rules = set
	if err != nil {
		next.conditions = append(next.conditions, r.condition(v1alpha1.ApplicationConditionComparisonError,
			"some rules about ignored differences cannot be used: "+err.Error()))
	}
	r.memory.manner, r.memory.results = next, nil
	return next
}

func (m *manner) same(other *manner) bool {
	return m.serverSide == other.serverSide && m.webhooks == other.webhooks && m.comparison == other.comparison &&
		reflect.DeepEqual(m.ignored, other.ignored) && reflect.DeepEqual(m.customizations, other.customizations)
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
func (m *manner) rulesFor(t target) *compare.Rules {
	rules := m.rules.For(t.key.Group, t.key.Kind, t.key.Namespace, t.key.Name)
	text := t.obj.GetAnnotations()[v1alpha1.AnnotationIgnoreDifferences]
	if text == "" {
		return rules
	}
	var fields settings.FieldRules
	if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
		return rules
	}
	own, _ := compare.NewRuleSet([]compare.Rule{{
		Group: "*", Kind: "*", JSONPointers: fields.JSONPointers, JQPathExpressions: fields.JQPathExpressions, ManagedFieldsManagers: fields.ManagedFieldsManagers,
	}}, nil, compare.RuleOptions{})
	return rules.With(own.For(t.key.Group, t.key.Kind, t.key.Namespace, t.key.Name))
}
