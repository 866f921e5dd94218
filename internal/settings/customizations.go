package settings

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Customization is what the operator decides about objects of one kind, or of all kinds that a pattern matches
// (the keys resource.customizations and resource.customizations.<what>.<group>_<kind> of argocd-cm).
type Customization struct {
	// Group and Kind are glob patterns; the core group is the empty text.
	Group, Kind Pattern
	// Health is a Lua script that assesses objects; "" for none. UseOpenLibs gives it Lua's standard libraries.
	Health      string
	UseOpenLibs bool
	// Actions are what users may do to objects beside syncing them.
	Actions CustomActions
	// IgnoreDifferences are fields in which desired and live objects may differ.
	IgnoreDifferences FieldRules
	// IgnoreResourceUpdates are fields whose changes are no reason to look at an application again.
	IgnoreResourceUpdates FieldRules
	// KnownTypeFields are fields of custom resources that hold values of Kubernetes' own types.
	KnownTypeFields []KnownTypeField
}

// FieldRules name fields of an object in three ways.
type FieldRules struct {
	// JSONPointers are pointers by RFC 6901, such as /spec/replicas.
	JSONPointers []string `json:"jsonPointers,omitempty"`
	// JQPathExpressions are jq paths, such as .spec.template.spec.containers[] | select(.name == "injected").
	JQPathExpressions []string `json:"jqPathExpressions,omitempty"`
	// ManagedFieldsManagers are field managers; the fields are those that they own in the live object.
	ManagedFieldsManagers []string `json:"managedFieldsManagers,omitempty"`
}

// Empty says that no field is named.
func (f FieldRules) Empty() bool {
	return len(f.JSONPointers)+len(f.JQPathExpressions)+len(f.ManagedFieldsManagers) == 0
}

// CustomActions are scripts for actions on objects of one kind.
type CustomActions struct {
	// Discovery is the Lua script that tells which actions an object offers.
	Discovery string `json:"discovery.lua,omitempty"`
	// Definitions are the actions.
	Definitions []CustomAction `json:"definitions,omitempty"`
	// MergeBuiltinActions keeps the built-in actions of the kind beside these.
	MergeBuiltinActions bool `json:"mergeBuiltinActions,omitempty"`
}

// CustomAction is one action with its Lua script.
type CustomAction struct {
	Name   string `json:"name"`
	Script string `json:"action.lua"`
}

// KnownTypeField says that a field of a custom resource has one of Kubernetes' own types, such as core/v1/PodSpec.
type KnownTypeField struct {
	// Field is the path of the field with dots, such as spec.template.spec.
	Field string `json:"field"`
	// Type is "group/version/Name", or the name of a quantity or duration type.
	Type string `json:"type"`
}

// Customizations are all of them, the less specific ones first.
type Customizations []Customization

// For returns those that concern a kind, the less specific ones first.
func (c Customizations) For(group, kind string) Customizations {
	var out Customizations
	for _, one := range c {
		if one.Group.Match(group) && one.Kind.Match(kind) {
			out = append(out, one)
		}
	}
	return out
}

const customizationsKey = "resource.customizations"

// customizationValues are the customizations as the keys of the ConfigMap give them, kept so that a key that cannot be
// read keeps what it said before.
type customizationValues map[string][]Customization

func customizations(p *parser, last customizationValues) (Customizations, customizationValues) {
	values := make(customizationValues)
	for _, key := range slices.Sorted(maps.Keys(p.data)) {
		read, ok := customizationReader(key)
		if ok {
			values[key] = parsed(p, key, read, nil, last[key])
		}
	}
	var out Customizations
	for _, key := range slices.Sorted(maps.Keys(values)) { // the map of all kinds comes first
		for _, one := range values[key] {
			out = out.with(one)
		}
	}
	slices.SortStableFunc(out, func(a, b Customization) int { return cmp.Compare(a.specificity(), b.specificity()) })
	return out, values
}

// specificity orders patterns: */* before group/*, and that before an exact kind.
func (c Customization) specificity() int {
	literal := func(p Pattern) int { return len(p.text) - strings.Count(p.text, "*") }
	exact := 0
	if !strings.ContainsAny(c.Group.text+c.Kind.text, "*?[{") {
		exact = 1000
	}
	return exact + literal(c.Group) + literal(c.Kind)
}

// with adds what one key says about a kind to what others say about it.
func (c Customizations) with(more Customization) Customizations {
	i := slices.IndexFunc(c, func(one Customization) bool {
		return one.Group.text == more.Group.text && one.Kind.text == more.Kind.text
	})
	if i < 0 {
		return append(c, more)
	}
	one := &c[i]
	one.Health = cmp.Or(more.Health, one.Health)
	one.UseOpenLibs = one.UseOpenLibs || more.UseOpenLibs
	if more.Actions.Discovery != "" || len(more.Actions.Definitions) > 0 {
		one.Actions = more.Actions
	}
	if !more.IgnoreDifferences.Empty() {
		one.IgnoreDifferences = more.IgnoreDifferences
	}
	if !more.IgnoreResourceUpdates.Empty() {
		one.IgnoreResourceUpdates = more.IgnoreResourceUpdates
	}
	if len(more.KnownTypeFields) > 0 {
		one.KnownTypeFields = more.KnownTypeFields
	}
	return c
}

// customizationReader returns how the value of a key is read, and false for a key that is none of these.
func customizationReader(key string) (func(string) ([]Customization, error), bool) {
	if key == customizationsKey {
		return customizationMap, true
	}
	rest, ok := strings.CutPrefix(key, customizationsKey+".")
	if !ok {
		return nil, false
	}
	return func(value string) ([]Customization, error) {
		what, name, _ := strings.Cut(rest, ".")
		group, kind, err := customizedKind(what, name)
		if err != nil {
			return nil, err
		}
		one := Customization{Group: group, Kind: kind}
		switch what {
		case "health":
			one.Health = value
		case "useOpenLibs":
			one.UseOpenLibs, err = strconv.ParseBool(value)
		case "actions":
			err = yaml.Unmarshal([]byte(value), &one.Actions)
		case "ignoreDifferences":
			err = yaml.Unmarshal([]byte(value), &one.IgnoreDifferences)
		case "ignoreResourceUpdates":
			err = yaml.Unmarshal([]byte(value), &one.IgnoreResourceUpdates)
		case "knownTypeFields":
			err = yaml.Unmarshal([]byte(value), &one.KnownTypeFields)
		default:
			err = fmt.Errorf("there is nothing called %q to customize; known are health, useOpenLibs, actions, ignoreDifferences, ignoreResourceUpdates and knownTypeFields", what)
		}
		if err != nil {
			return nil, err
		}
		return []Customization{one}, nil
	}, true
}

// customizedKind reads the end of a key: group_Kind, Kind in the core group, or all where rules about fields may hold
// for every kind.
func customizedKind(what, name string) (group, kind Pattern, err error) {
	switch {
	case name == "":
		return group, kind, errors.New("the key names no kind; it has to end in .<group>_<kind>")
	case name == "all" && (what == "ignoreDifferences" || what == "ignoreResourceUpdates"):
		return kindPatterns("*", "*")
	}
	before, after, ok := strings.Cut(name, "_")
	if !ok {
		before, after = "", name
	}
	return kindPatterns(before, after)
}

func kindPatterns(group, kind string) (g, k Pattern, err error) {
	if g, err = NewPattern(group); err != nil {
		return g, k, err
	}
	k, err = NewPattern(kind)
	return g, k, err
}

// customizationMap reads the older form: one YAML map of all kinds, in which rules and actions are texts of YAML again.
func customizationMap(text string) ([]Customization, error) {
	var entries map[string]struct {
		Health                string           `json:"health.lua"`
		UseOpenLibs           bool             `json:"health.lua.useOpenLibs"`
		Actions               string           `json:"actions"`
		IgnoreDifferences     string           `json:"ignoreDifferences"`
		IgnoreResourceUpdates string           `json:"ignoreResourceUpdates"`
		KnownTypeFields       []KnownTypeField `json:"knownTypeFields"`
	}
	if err := yaml.Unmarshal([]byte(text), &entries); err != nil {
		return nil, fmt.Errorf("the value is not a YAML map of group/kind to customizations: %w", err)
	}
	out := make([]Customization, 0, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		group, kind, ok := strings.Cut(name, "/")
		if !ok {
			group, kind = "", name
		}
		g, k, err := kindPatterns(group, kind)
		if err != nil {
			return nil, err
		}
		entry := entries[name]
		one := Customization{Group: g, Kind: k, Health: entry.Health, UseOpenLibs: entry.UseOpenLibs, KnownTypeFields: entry.KnownTypeFields}
		for _, part := range []struct {
			field, text string
			into        any
		}{
			{"actions", entry.Actions, &one.Actions},
			{"ignoreDifferences", entry.IgnoreDifferences, &one.IgnoreDifferences},
			{"ignoreResourceUpdates", entry.IgnoreResourceUpdates, &one.IgnoreResourceUpdates},
		} {
			if err := yaml.Unmarshal([]byte(part.text), part.into); err != nil {
				return nil, fmt.Errorf("%s of %s: %w", part.field, name, err)
			}
		}
		out = append(out, one)
	}
	return out, nil
}
