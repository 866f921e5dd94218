package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/server"
)

const everything = `
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata:
  name: my-plugin
spec:
  version: v1.0
  init:
    command: [sh]
    args: [-c, 'echo "Initializing..."']
  generate:
    command: [sh, -c]
    args: ['cat *.yaml']
  discover:
    fileName: "./subdir/s*.yaml"
    find:
      glob: "**/Chart.yaml"
      command: [sh, -c, find . -name env.yaml]
  parameters:
    static:
      - name: string-param
        title: Description of the string param
        tooltip: Shown beside it
        required: true
        itemType: number
        collectionType: string
        string: default-string-value
      - name: array-param
        array: [default, items]
        collectionType: array
      - name: map-param
        map:
          some: value
        collectionType: map
    dynamic:
      command: [echo, '[{"name": "example-param"}]']
  preserveFileMode: true
  provideGitCreds: true
`

func TestEveryFieldOfAConfigurationIsRead(t *testing.T) {
	got, warnings, err := server.ParseConfig([]byte(everything))
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := &server.Config{
		Name: "my-plugin", Version: "v1.0",
		Init:     v1alpha1.Command{Command: []string{"sh"}, Args: []string{"-c", `echo "Initializing..."`}},
		Generate: v1alpha1.Command{Command: []string{"sh", "-c"}, Args: []string{"cat *.yaml"}},
		Discover: server.Discover{
			FileName: "./subdir/s*.yaml", Glob: "**/Chart.yaml",
			Command: v1alpha1.Command{Command: []string{"sh", "-c", "find . -name env.yaml"}},
		},
		Static: []protocol.Parameter{
			{
				Name: "string-param", Title: "Description of the string param", Tooltip: "Shown beside it", Required: true,
				ItemType: "number", CollectionType: "string", String: "default-string-value",
			},
			{Name: "array-param", CollectionType: "array", Array: []string{"default", "items"}},
			{Name: "map-param", CollectionType: "map", Map: map[string]string{"some": "value"}},
		},
		Dynamic:          v1alpha1.Command{Command: []string{"echo", `[{"name": "example-param"}]`}},
		PreserveFileMode: true, ProvideGitCreds: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.FullName() != "my-plugin-v1.0" {
		t.Errorf("the name is %s", got.FullName())
	}
}

func TestAConfigurationIsToldAllThatIsWrong(t *testing.T) {
	_, _, err := server.ParseConfig([]byte(`
kind: Plugin
metadata: {name: a/b}
spec:
  version: ../x
  init: {args: [a]}
  discover: {fileName: "[a", find: {glob: "{a", args: [b]}}
  parameters:
    static: [{title: no name}, {name: p, collectionType: set}]
    dynamic: {args: [c]}
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`kind is "Plugin"`, `metadata.name is "a/b"`, `spec.version is "../x"`, "spec.generate.command is empty",
		"spec.init has args and no command", "spec.discover.find has args", "spec.parameters.dynamic has args",
		`spec.discover.fileName is "[a"`, `spec.discover.find.glob is "{a"`, "static[0] has no name", `static[1].collectionType is "set"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

func TestWhatHasNoEffectInAConfigurationIsSaid(t *testing.T) {
	c, warnings, err := server.ParseConfig([]byte(`
apiVersion: v1
kind: ConfigManagementPlugin
metadata: {name: p}
spec:
  generate: {command: [a]}
  lockRepo: true
  discovery: {}
`))
	if err != nil || c.FullName() != "p" || c.Discover.IsSet() {
		t.Fatal(c, err)
	}
	if got := strings.Join(warnings, "\n"); !strings.Contains(got, `"discovery"`) || !strings.Contains(got, `apiVersion is "v1"`) || len(warnings) != 2 {
		t.Errorf("warnings %q", got)
	}
}

func TestWhatIsNoConfigurationIsRefused(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "no YAML": "\t{", "a list": "- a", "a command that is a text": "spec: {generate: {command: cat}}"} {
		t.Run(name, func(t *testing.T) {
			if c, _, err := server.ParseConfig([]byte(text)); err == nil {
				t.Errorf("read as %+v", c)
			}
		})
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(everything))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := server.ParseConfig(data)
		if err == nil && (c.Name == "" || len(c.Generate.Command) == 0 || strings.ContainsAny(c.FullName(), "/\x00")) {
			t.Errorf("accepted %+v", c)
		}
	})
}
