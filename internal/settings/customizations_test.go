package settings_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

func TestCustomizations(t *testing.T) {
	type data = map[string]string
	for sentence, c := range map[string]struct {
		data        data
		group, kind string
		holds       func(settings.Customizations) bool
	}{
		"a script of one kind": {
			data{"resource.customizations.health.example.com_Widget": "return {}"}, "example.com", "Widget",
			func(c settings.Customizations) bool {
				return len(c) == 1 && c[0].Health == "return {}" && !c[0].UseOpenLibs
			},
		},
		"libraries for a script": {
			data{"resource.customizations.health.Node": "x", "resource.customizations.useOpenLibs.Node": "true"}, "", "Node",
			func(c settings.Customizations) bool { return len(c) == 1 && c[0].Health == "x" && c[0].UseOpenLibs },
		},
		"another kind has none": {
			data{"resource.customizations.health.example.com_Widget": "return {}"}, "example.com", "Gadget",
			func(c settings.Customizations) bool { return len(c) == 0 },
		},
		"a pattern and then the kind itself": {
			data{"resource.customizations": "'*.example.com/*': {health.lua: general}\na.example.com/Widget: {health.lua: special, health.lua.useOpenLibs: true}\n'*/*': {health.lua: most general}"}, "a.example.com", "Widget",
			func(c settings.Customizations) bool {
				return len(c) == 3 && c[0].Health == "most general" && c[1].Health == "general" && c[2].Health == "special" && c[2].UseOpenLibs
			},
		},
		"the key of a kind goes before the map of all": {
			data{"resource.customizations": "apps/Deployment: {health.lua: old, ignoreDifferences: 'jsonPointers: [/spec/replicas]'}", "resource.customizations.health.apps_Deployment": "new"}, "apps", "Deployment",
			func(c settings.Customizations) bool {
				return len(c) == 1 && c[0].Health == "new" && reflect.DeepEqual(c[0].IgnoreDifferences.JSONPointers, []string{"/spec/replicas"})
			},
		},
		"differences of all kinds": {
			data{"resource.customizations.ignoreDifferences.all": "jsonPointers: [/a]\njqPathExpressions: ['.b']\nmanagedFieldsManagers: [c]"}, "anything", "Else",
			func(c settings.Customizations) bool {
				return len(c) == 1 && reflect.DeepEqual(c[0].IgnoreDifferences, settings.FieldRules{JSONPointers: []string{"/a"}, JQPathExpressions: []string{".b"}, ManagedFieldsManagers: []string{"c"}})
			},
		},
		"updates of a kind": {
			data{"resource.customizations.ignoreResourceUpdates.apps_Deployment": "jsonPointers: [/status]"}, "apps", "Deployment",
			func(c settings.Customizations) bool { return len(c) == 1 && !c[0].IgnoreResourceUpdates.Empty() },
		},
		"actions": {
			data{"resource.customizations.actions.apps_Deployment": "discovery.lua: d\nmergeBuiltinActions: true\ndefinitions: [{name: restart, action.lua: r}]"}, "apps", "Deployment",
			func(c settings.Customizations) bool {
				a := c[0].Actions
				return a.Discovery == "d" && a.MergeBuiltinActions && len(a.Definitions) == 1 && a.Definitions[0].Script == "r"
			},
		},
		"fields of known types": {
			data{"resource.customizations.knownTypeFields.example.com_Widget": "- field: spec.template.spec\n  type: core/v1/PodSpec"}, "example.com", "Widget",
			func(c settings.Customizations) bool {
				return c[0].KnownTypeFields[0] == settings.KnownTypeField{Field: "spec.template.spec", Type: "core/v1/PodSpec"}
			},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := settings.Parse(withConfig(c.data), nil, nil)
			if found := s.Customizations.For(c.group, c.kind); len(s.Warnings) > 0 || !c.holds(found) {
				t.Errorf("found %+v, warnings %v", found, s.Warnings)
			}
		})
	}
}

func TestBadCustomizationKeepsTheLast(t *testing.T) {
	const key = "resource.customizations.ignoreDifferences.apps_Deployment"
	good := settings.Parse(withConfig(map[string]string{key: "jsonPointers: [/spec/replicas]"}), nil, nil)
	for sentence, c := range map[string]struct{ key, value, says string }{
		"no YAML":         {key, "jsonPointers: [", key},
		"a wrong type":    {key, "jsonPointers: {a: b}", key},
		"an unknown part": {"resource.customizations.helth.apps_Deployment", "x", "helth"},
		"no kind":         {"resource.customizations.health", "x", "names no kind"},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := settings.Parse(withConfig(map[string]string{c.key: c.value}), nil, good)
			if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0].Key+s.Warnings[0].Message, c.says) {
				t.Fatalf("warnings are %v", s.Warnings)
			}
			if c.key == key && s.Customizations.For("apps", "Deployment")[0].IgnoreDifferences.Empty() {
				t.Error("the last good rule is gone")
			}
		})
	}
}

func TestComparison(t *testing.T) {
	for sentence, c := range map[string]struct {
		options string
		want    settings.Comparison
	}{
		"nothing set":          {"", settings.Comparison{IgnoreStatus: "all", IgnoreDifferencesOnUpdates: true, IgnoreUpdates: true}},
		"the status of CRDs":   {"ignoreResourceStatusField: crd", settings.Comparison{IgnoreStatus: "crd", IgnoreDifferencesOnUpdates: true, IgnoreUpdates: true}},
		"no status":            {"ignoreResourceStatusField: none", settings.Comparison{IgnoreStatus: "none", IgnoreDifferencesOnUpdates: true, IgnoreUpdates: true}},
		"off means none":       {"ignoreResourceStatusField: off", settings.Comparison{IgnoreStatus: "none", IgnoreDifferencesOnUpdates: true, IgnoreUpdates: true}},
		"aggregated roles":     {"ignoreAggregatedRoles: true", settings.Comparison{IgnoreAggregatedRoles: true, IgnoreStatus: "all", IgnoreDifferencesOnUpdates: true, IgnoreUpdates: true}},
		"updates on their own": {"ignoreDifferencesOnResourceUpdates: false", settings.Comparison{IgnoreStatus: "all", IgnoreUpdates: true}},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := settings.Parse(withConfig(map[string]string{"resource.compareoptions": c.options}), nil, nil)
			if s.Comparison != c.want || len(s.Warnings) > 0 {
				t.Errorf("got %+v, warnings %v", s.Comparison, s.Warnings)
			}
		})
	}
}
