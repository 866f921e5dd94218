package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestPluginsWithoutASidecarAreRead(t *testing.T) {
	s := Parse(Input{ConfigMaps: map[string]map[string]string{ConfigMapName: {"configManagementPlugins": `
- name: first
  init:
    command: [sh, -c]
    args: ["true"]
  generate:
    command: [sh, -c]
    args: ["cat *.yaml"]
  lockRepo: true
- name: second
  generate: {command: [cat, all.yaml]}
`}}}, nil, nil)
	want := []v1alpha1.ConfigManagementPlugin{
		{
			Name: "first", LockRepo: true, Init: &v1alpha1.Command{Command: []string{"sh", "-c"}, Args: []string{"true"}},
			Generate: v1alpha1.Command{Command: []string{"sh", "-c"}, Args: []string{"cat *.yaml"}},
		},
		{Name: "second", Generate: v1alpha1.Command{Command: []string{"cat", "all.yaml"}}},
	}
	if diff := cmp.Diff(want, s.Rendering.Plugins); diff != "" || len(s.Warnings) > 0 {
		t.Errorf("%s, warnings %v", diff, s.Warnings)
	}
}

func TestAListOfPluginsThatCannotBeUsedLeavesTheLastGoodOne(t *testing.T) {
	last := Defaults()
	last.Rendering.Plugins = []v1alpha1.ConfigManagementPlugin{{Name: "before"}}
	for name, c := range map[string]struct {
		value string
		want  []string
	}{
		"no list":             {"name: a", []string{"not a YAML list of plugins"}},
		"everything is wrong": {"- generate: {command: [a]}\n- name: b\n- name: b\n  init: {args: [x]}\n  generate: {command: [c]}\n", []string{"the plugin at 1 has no name", `"b" has no generate.command`, `two plugins named "b"`, `"b" has init.args and no init.command`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Parse(Input{ConfigMaps: map[string]map[string]string{ConfigMapName: {"configManagementPlugins": c.value}}}, nil, last)
			if len(s.Rendering.Plugins) != 1 || s.Rendering.Plugins[0].Name != "before" || len(s.Warnings) != 1 {
				t.Fatalf("plugins %v, warnings %v", s.Rendering.Plugins, s.Warnings)
			}
			for _, want := range c.want {
				if !strings.Contains(s.Warnings[0].Message, want) {
					t.Errorf("warning %q does not say %q", s.Warnings[0].Message, want)
				}
			}
		})
	}
}
