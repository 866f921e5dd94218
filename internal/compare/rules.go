package compare

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gobwas/glob"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Rule names fields that do not count in the comparison of some objects.
type Rule struct {
	// Group and Kind are glob patterns; the core group is the empty text.
	Group, Kind string
	// Namespace and Name limit the rule to one namespace and name; "" stands for all.
	Namespace, Name string
	// JSONPointers are pointers by RFC 6901, JQPathExpressions paths of jq, and
	// ManagedFieldsManagers field managers whose fields are meant.
	JSONPointers, JQPathExpressions, ManagedFieldsManagers []string
}

// KnownField says that a field of custom resources holds a value of one of
// Kubernetes' own types, so that its spelling does not count (1000m is 1).
type KnownField struct {
	Group, Kind string
	// Field is a path with dots, and Type a name such as core/v1/PodSpec.
	Field, Type string
}

// RuleSet are the rules of one Application, ready to be used. It is immutable
// and safe for concurrent use. A nil RuleSet has no rules.
type RuleSet struct {
	rules   []compiledRule
	known   []compiledKnownField
	options RuleOptions
}

// RuleOptions are rules that concern every object, or say how rules are followed.
type RuleOptions struct {
	// StatusOfAll and StatusOfCRDs leave out the field status, of every object or
	// of CustomResourceDefinitions alone.
	StatusOfAll, StatusOfCRDs bool
	// AggregatedRoles leaves out the rules of ClusterRoles that are aggregated.
	AggregatedRoles bool
	// JQTimeout is how long one expression may take for one object.
	JQTimeout time.Duration
}

type compiledRule struct {
	group, kind     *glob.Pattern
	namespace, name string
	pointers        [][]string
	expressions     []expression
	managers        []string
}

// NewRuleSet compiles rules. The error names every rule that cannot be used;
// the set that is returned with it has the others.
func NewRuleSet(rules []Rule, known []KnownField, options RuleOptions) (*RuleSet, error) {
	set, err := (&RuleSet{options: options}).With(rules)
	problems := []error{err}
	for _, k := range known {
		compiled, err := compileKnownField(k)
		if err != nil {
			problems = append(problems, fmt.Errorf("the known field of %s: %w", kindName(k.Group, k.Kind), err))
			continue
		}
		set.known = append(set.known, compiled)
	}
	return set, errors.Join(problems...)
}

// With returns the set with more rules. The error is that of [NewRuleSet].
func (s *RuleSet) With(rules []Rule) (*RuleSet, error) {
	out := *s
	out.rules = slices.Clone(s.rules)
	var problems []error
	for _, r := range rules {
		compiled, err := compileRule(r)
		if err != nil {
			problems = append(problems, fmt.Errorf("the rule about differences of %s: %w", kindName(r.Group, r.Kind), err))
		}
		out.rules = append(out.rules, compiled)
	}
	return &out, errors.Join(problems...)
}

// compileRule returns what can be used of a rule, and what cannot as an error.
func compileRule(r Rule) (compiledRule, error) {
	var problems []error
	out := compiledRule{namespace: r.Namespace, name: r.Name, managers: r.ManagedFieldsManagers}
	var err error
	if out.group, out.kind, err = kindPatterns(r.Group, r.Kind); err != nil {
		return compiledRule{}, err
	}
	for _, text := range r.JSONPointers {
		pointer, err := parsePointer(text)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		out.pointers = append(out.pointers, pointer)
	}
	for _, text := range r.JQPathExpressions {
		compiled, err := compileExpression(text)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		out.expressions = append(out.expressions, compiled)
	}
	return out, errors.Join(problems...)
}

func kindPatterns(group, kind string) (g, k *glob.Pattern, err error) {
	if g, err = glob.Compile(group); err != nil {
		return nil, nil, fmt.Errorf("the group %q is no glob pattern: %w", group, err)
	}
	if k, err = glob.Compile(kind); err != nil {
		return nil, nil, fmt.Errorf("the kind %q is no glob pattern: %w", kind, err)
	}
	return g, k, nil
}

func kindName(group, kind string) string {
	if group == "" {
		return kind
	}
	return group + "/" + kind
}

// Rules are those of a RuleSet that concern one object. A nil value leaves out
// the status and nothing else.
type Rules struct {
	pointers    [][]string
	expressions []expression
	managers    []string
	known       []compiledKnownField
	keepStatus  bool
	// aggregated leaves out the rules of a role that is aggregated.
	aggregated bool
	timeout    time.Duration
}

// For returns the rules that concern an object.
func (s *RuleSet) For(group, kind, namespace, name string) *Rules {
	if s == nil {
		return nil
	}
	out := &Rules{timeout: s.options.JQTimeout}
	out.keepStatus = !s.options.StatusOfAll && (!s.options.StatusOfCRDs || kind != "CustomResourceDefinition")
	out.aggregated = s.options.AggregatedRoles && group == "rbac.authorization.k8s.io" && kind == "ClusterRole"
	for i := range s.rules {
		r := &s.rules[i]
		if r.group == nil || !r.group.Match(group) || !r.kind.Match(kind) ||
			(r.namespace != "" && r.namespace != namespace) || (r.name != "" && r.name != name) {
			continue
		}
		out.pointers = append(out.pointers, r.pointers...)
		out.expressions = append(out.expressions, r.expressions...)
		out.managers = append(out.managers, r.managers...)
	}
	for _, k := range s.known {
		if k.group.Match(group) && k.kind.Match(kind) {
			out.known = append(out.known, k)
		}
	}
	return out
}

// With returns the rules with those of more beside them.
func (r *Rules) With(more *Rules) *Rules {
	if more == nil {
		return r
	}
	out := &Rules{}
	if r != nil {
		*out = *r
	}
	out.pointers = append(slices.Clone(out.pointers), more.pointers...)
	out.expressions = append(slices.Clone(out.expressions), more.expressions...)
	out.managers = append(slices.Clone(out.managers), more.managers...)
	return out
}

// serverFields are the metadata that the API server alone writes.
var serverFields = []string{
	"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
	"resourceVersion", "selfLink", "uid",
}

// withoutServerFields returns a view of obj without what never counts: the metadata
// of the API server, and the status where it does not. Values are shared with obj.
func (r *Rules) withoutServerFields(obj *unstructured.Unstructured) *unstructured.Unstructured {
	top := maps.Clone(obj.Object)
	if r == nil || !r.keepStatus {
		delete(top, "status")
	}
	if metadata, ok := top["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		for _, field := range serverFields {
			delete(metadata, field)
		}
		top["metadata"] = metadata
	}
	return &unstructured.Unstructured{Object: top}
}

// Without returns the content of an object that counts: without the metadata
// that the API server writes, and without the fields that the rules name. The
// result may share values with obj.
func (r *Rules) Without(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return r.without(r.withoutServerFields(obj))
}

// without returns obj without the fields that the rules name, and with known
// fields in their canonical spelling. It is obj itself where that changes nothing.
func (r *Rules) without(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if r == nil || (len(r.pointers) == 0 && len(r.expressions) == 0 && len(r.known) == 0 && !r.aggregated) {
		return obj, nil
	}
	out := obj.DeepCopy()
	if r.aggregated && out.Object["aggregationRule"] != nil {
		delete(out.Object, "rules")
	}
	for _, pointer := range r.pointers {
		removeAt(out.Object, pointer)
	}
	for _, e := range r.expressions {
		var err error
		if out.Object, err = e.deleteFrom(out.Object, r.timeout); err != nil {
			return nil, err
		}
	}
	for _, k := range r.known {
		k.rewrite(out.Object)
	}
	return out, nil
}

// ownedBy returns the fields of a live object that belong to the managers whose
// fields do not count.
func (r *Rules) ownedBy(live *unstructured.Unstructured) (*fieldpath.Set, error) {
	out := fieldpath.NewSet()
	if r == nil || len(r.managers) == 0 {
		return out, nil
	}
	for _, entry := range live.GetManagedFields() {
		if !slices.Contains(r.managers, entry.Manager) || entry.FieldsV1 == nil {
			continue
		}
		set, err := fieldsOf(entry)
		if err != nil {
			return nil, err
		}
		out = out.Union(set)
	}
	return out, nil
}

func fieldsOf(entry metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if entry.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
		return nil, fmt.Errorf("the fields of manager %s: %w", entry.Manager, err)
	}
	return set, nil
}
