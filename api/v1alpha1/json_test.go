package v1alpha1_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func rawObject(text string) *runtime.RawExtension {
	return &runtime.RawExtension{Raw: []byte(text)}
}

func TestPluginParameterJSON(t *testing.T) {
	text := "x"
	for name, test := range map[string]struct {
		parameter v1alpha1.ApplicationSourcePluginParameter
		want      string
	}{
		"nothing but the empty name": {v1alpha1.ApplicationSourcePluginParameter{}, `{"name":""}`},
		"a string":                   {v1alpha1.ApplicationSourcePluginParameter{Name: "n", String_: &text}, `{"name":"n","string":"x"}`},
		"an empty map": {
			v1alpha1.ApplicationSourcePluginParameter{Name: "n", OptionalMap: &v1alpha1.OptionalMap{}},
			`{"map":{},"name":"n"}`,
		},
		"an empty array": {
			v1alpha1.ApplicationSourcePluginParameter{Name: "n", OptionalArray: &v1alpha1.OptionalArray{}},
			`{"array":[],"name":"n"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(test.parameter)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestResourceOverrideJSONHoldsRulesAsYAML(t *testing.T) {
	const text = `{
		"health.lua": "return hs", "health.lua.useOpenLibs": true, "actions": "definitions: []",
		"ignoreDifferences": "jsonPointers:\n- /spec/replicas\n",
		"knownTypeFields": [{"field": "spec.template", "type": "core/v1/PodSpec"}]
	}`
	var got v1alpha1.ResourceOverride
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.ResourceOverride{
		HealthLua: "return hs", UseOpenLibs: true, Actions: "definitions: []",
		IgnoreDifferences: v1alpha1.OverrideIgnoreDiff{JSONPointers: []string{"/spec/replicas"}},
		KnownTypeFields:   []v1alpha1.KnownTypeField{{Field: "spec.template", Type: "core/v1/PodSpec"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("override (-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(`{"ignoreDifferences": "- a list"}`), &got); err == nil {
		t.Error("rules that are no rules were accepted")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a failed read changed the value (-want +got):\n%s", diff)
	}
}
