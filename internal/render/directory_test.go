package render_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// files makes a file system of path and content.
func files(content map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range content {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return fsys
}

// configMap is a manifest in one line.
func configMap(name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}\n", name)
}

// summarize prints a result shortly.
func summarize(r *render.Result) string {
	var lines []string
	for _, o := range r.Objects {
		lines = append(lines, fmt.Sprintf("%s %s %s:%d", o.GetKind(), o.GetName(), o.File, o.Line))
	}
	return strings.Join(lines, "\n")
}

func renderOnce(t *testing.T, content map[string]string, source v1alpha1.ApplicationSource) (*render.Result, error) {
	t.Helper()
	req := render.Request{
		AppName: "demo", Namespace: "namespace-a", Source: source, Settings: render.Settings{MaxManifestBytes: 10_000_000},
	}
	return newMemo(render.Options{}).Render(t.Context(), render.Inputs{Files: files(content)}, req, render.CallOptions{})
}

func TestDirectoriesAreRendered(t *testing.T) {
	tree := map[string]string{
		"app/a.yaml":          configMap("a"),
		"app/b.yml":           configMap("b"),
		"app/c.json":          `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"c"}}`,
		"app/readme.md":       "text",
		"app/config.yaml":     "# +argocd:skip-file-rendering\nnot: [a manifest",
		"app/values.yaml":     "replicas: 3\n",
		"app/d/e.yaml":        configMap("e"),
		"app/d/f/g.yaml":      configMap("g"),
		"app/x.yaml.sealed":   configMap("sealed"),
		"other/a.yaml":        configMap("other"),
		"app/d/Chart.yaml":    "apiVersion: v2\nname: x\n",
		"app/d/multiple.yaml": "---\n# nothing\n---\n" + configMap("m1") + "---\n" + configMap("m2") + "...\n---\n",
	}
	all := "ConfigMap a app/a.yaml:1\nConfigMap b app/b.yml:1\nSecret c app/c.json:1"
	deep := all + "\nConfigMap e app/d/e.yaml:1\nConfigMap g app/d/f/g.yaml:1\nConfigMap m1 app/d/multiple.yaml:4\nConfigMap m2 app/d/multiple.yaml:6"
	for name, c := range map[string]struct {
		path      string
		directory *v1alpha1.ApplicationSourceDirectory
		want      string
	}{
		"the folder itself":                 {"app", nil, all},
		"a path that is not clean":          {"./app/", nil, all},
		"with sub-folders":                  {"app", &v1alpha1.ApplicationSourceDirectory{Recurse: true}, deep},
		"the root":                          {"", &v1alpha1.ApplicationSourceDirectory{Recurse: true, Include: "other/*"}, "ConfigMap other other/a.yaml:1"},
		"only what is included":             {"app", &v1alpha1.ApplicationSourceDirectory{Include: "*.yaml"}, "ConfigMap a app/a.yaml:1"},
		"a list of patterns":                {"app", &v1alpha1.ApplicationSourceDirectory{Include: "{a.yaml,b.yml}"}, "ConfigMap a app/a.yaml:1\nConfigMap b app/b.yml:1"},
		"without what is excluded":          {"app", &v1alpha1.ApplicationSourceDirectory{Exclude: "{*.json,b.yml}"}, "ConfigMap a app/a.yaml:1"},
		"an asterisk matches slashes":       {"app", &v1alpha1.ApplicationSourceDirectory{Recurse: true, Include: "d/*g.yaml"}, "ConfigMap g app/d/f/g.yaml:1"},
		"excluded goes before included":     {"app", &v1alpha1.ApplicationSourceDirectory{Recurse: true, Include: "d/*", Exclude: "{d/f/*,*multiple*}"}, "ConfigMap e app/d/e.yaml:1"},
		"other extensions when asked for":   {"app", &v1alpha1.ApplicationSourceDirectory{DisableExtensionFilter: true, Include: "*.sealed"}, "ConfigMap sealed app/x.yaml.sealed:1"},
		"other extensions are not included": {"app", &v1alpha1.ApplicationSourceDirectory{Include: "*.sealed"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := renderOnce(t, tree, v1alpha1.ApplicationSource{Path: c.path, Directory: c.directory})
			if err != nil {
				t.Fatal(err)
			}
			sorted := func(s string) string {
				lines := strings.Split(s, "\n")
				return strings.Join(sortStrings(lines), "\n")
			}
			if sorted(summarize(got)) != sorted(c.want) {
				t.Errorf("objects:\n%s\nwant:\n%s", summarize(got), c.want)
			}
			if got.SourceType != v1alpha1.ApplicationSourceTypeDirectory {
				t.Errorf("type %s", got.SourceType)
			}
		})
	}
}

func TestDocumentsAreRead(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"comments and blank documents": {"a.yaml", "# one\n---\n\n---\n# two\n" + configMap("a") + "---\n---\n", "ConfigMap a a.yaml:6"},
		"Windows line ends":            {"a.yaml", strings.ReplaceAll("---\n"+configMap("a")+"---\n"+configMap("b"), "\n", "\r\n"), "ConfigMap a a.yaml:2\nConfigMap b a.yaml:4"},
		"a byte order mark":            {"a.yaml", "\xef\xbb\xbf" + configMap("a"), "ConfigMap a a.yaml:1"},
		"UTF-16":                       {"a.yaml", utf16Text(configMap("a")), "ConfigMap a a.yaml:1"},
		"no line end at the end":       {"a.yaml", configMap("a") + "---", "ConfigMap a a.yaml:1"},
		"text after the marker":        {"a.yaml", "--- " + configMap("a") + "--- # comment\n" + configMap("b"), "ConfigMap a a.yaml:1\nConfigMap b a.yaml:3"},
		"directives":                   {"a.yaml", "%YAML 1.1\n---\n" + configMap("a"), "ConfigMap a a.yaml:3"},
		"dashes inside of a text":      {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: |\n    ---\n    y\n", "ConfigMap a a.yaml:1"},
		"JSON in YAML":                 {"a.yaml", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"c"}}`, "Secret c a.yaml:1"},
		"a List":                       {"a.yaml", "apiVersion: v1\nkind: List\nitems:\n- " + configMap("a") + "- " + configMap("b"), "ConfigMap a a.yaml:1\nConfigMap b a.yaml:1"},
		"a typed list":                 {"a.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n", "ConfigMap a a.yaml:1"},
		"a list in a list":             {"a.yaml", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [" + strings.TrimSpace(configMap("a")) + "]}", "ConfigMap a a.yaml:1"},
		"a list of nothing":            {"a.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems: null\n", ""},
		"an empty list":                {"a.yaml", "apiVersion: v1\nkind: List\nitems: []\n", ""},
		"an array in JSON":             {"a.json", "[" + strings.ReplaceAll(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"c"}}`, "\n", "") + "]", "Secret c a.json:1"},
		"an empty JSON file":           {"a.json", " \n", ""},
		"an empty file":                {"a.yaml", "", ""},
		"generateName":                 {"a.yaml", "{apiVersion: v1, kind: Pod, metadata: {generateName: p-}}\n---\n{apiVersion: v1, kind: Pod, metadata: {generateName: p-}}\n", "Pod  a.yaml:1\nPod  a.yaml:3"},
		"anchors and aliases":          {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: &n a, labels: {x: *n}}\n", "ConfigMap a a.yaml:1"},
		"values for another tool":      {"a.yaml", "image: x\n---\nkey: y\n", ""},
		"a template of another tool":   {"a.yaml", "{{ if .x }}\nfoo: bar\n{{ end }}\n", ""},
		"a manifest of OCI":            {"a.json", `{"schemaVersion": 2, "layers": []}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := renderOnce(t, map[string]string{c.file: c.content}, v1alpha1.ApplicationSource{Path: "."})
			if err != nil {
				t.Fatal(err)
			}
			if summarize(got) != c.want {
				t.Errorf("objects:\n%s\nwant:\n%s", summarize(got), c.want)
			}
		})
	}
}

func TestMistakesAreToldWithFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"syntax in the second document": {
			"a.yaml", configMap("a") + "---\nkind: ConfigMap\napiVersion: v1\nmetadata:\n  name: [a\n",
			"a.yaml:6 (document 2): invalid YAML",
		},
		"syntax":                  {"a.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: x\n   labels: y\n", "a.yaml:5: invalid YAML"},
		"a tab":                   {"a.yaml", "kind: ConfigMap\napiVersion: v1\n\tmetadata: x\n", "a.yaml:3: invalid YAML"},
		"no kind":                 {"a.yaml", "# comment\n---\napiVersion: v1\nmetadata: {name: x}\n", "a.yaml:3: the object has no kind"},
		"no apiVersion":           {"a.yaml", "kind: x\nmetadata: {name: x}\n", "a.yaml:1: the object has no apiVersion"},
		"no metadata":             {"a.yaml", "apiVersion: v1\nkind: Pod\n", "a.yaml:1: the Pod has no metadata"},
		"no name":                 {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {labels: {}}\n", "a.yaml:1: the Pod has no metadata.name"},
		"a name that is a number": {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\n", "a.yaml:1: metadata.name of the Pod is not a string"},
		"an item without kind":    {"a.yaml", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, metadata: {name: x}}]\n", "a.yaml:1: item 1 of the list: the object has no kind"},
		"an item that is none":    {"a.yaml", "apiVersion: v1\nkind: List\nitems: [5]\n", "a.yaml:1: item 1 of the list is not an object"},
		"JSON syntax":             {"a.json", "{\n\"kind\": \"Pod\",\n}", "a.json:3: invalid JSON"},
		"two values in JSON":      {"a.json", "{}\n{}", "a.json:2: the file has more than one JSON value"},
		"an alias of itself":      {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: &a {b: *a}\n", "a.yaml:1"},
		"an exploding alias":      {"a.yaml", bomb(), "aliases expand to more than"},
		"a long text repeated":    {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: &a " + strings.Repeat("x", 100_000) + "\n  b: [" + strings.Repeat("*a, ", 1000) + "]\n", "aliases expand to more than"},
		"lists without end":       {"a.yaml", strings.Repeat("{apiVersion: v1, kind: List, items: [", 20) + strings.Repeat("]}", 20), "lists are nested more than 8 deep"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := renderOnce(t, map[string]string{c.file: c.content}, v1alpha1.ApplicationSource{Path: "."})
			if !errors.Is(err, render.ErrInvalidManifest) {
				t.Fatalf("Render = %v, %v, want ErrInvalidManifest", got, err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q, want %q in it", err, c.want)
			}
		})
	}
}

// bomb is the well-known document that grows ninefold with every line.
func bomb() string {
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nl0: &l0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("l%d: &l%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 9), ", "))
	}
	return text
}

func TestSourcesThatCannotBeRendered(t *testing.T) {
	tree := map[string]string{
		"helm/Chart.yaml": "name: x", "kustomize/kustomization.yaml": "resources: []", "both/Chart.yaml": "", "both/Kustomization": "",
		"jsonnet/a.jsonnet": "{}", "plain/a.yaml": configMap("a"),
		"large/a.yaml": configMap("a") + strings.Repeat("#", 6_000_000), "large/b.yaml": strings.Repeat("#", 6_000_000),
	}
	for name, c := range map[string]struct {
		source v1alpha1.ApplicationSource
		want   error
		text   string
	}{
		"no such path":      {v1alpha1.ApplicationSource{Path: "nothing"}, render.ErrPathNotFound, "nothing: app path does not exist"},
		"an absolute path":  {v1alpha1.ApplicationSource{Path: "/plain"}, render.ErrInvalidSource, "app path is absolute"},
		"a path outside":    {v1alpha1.ApplicationSource{Path: "plain/../../x"}, render.ErrInvalidSource, "app path outside root"},
		"a file":            {v1alpha1.ApplicationSource{Path: "plain/a.yaml"}, render.ErrInvalidSource, "app path is not a directory"},
		"a chart":           {v1alpha1.ApplicationSource{Path: "helm"}, render.ErrUnsupported, "rendering Helm charts is not supported by this build"},
		"a chart elsewhere": {v1alpha1.ApplicationSource{Chart: "x"}, render.ErrUnsupported, "rendering Helm charts"},
		"a kustomization":   {v1alpha1.ApplicationSource{Path: "kustomize"}, render.ErrUnsupported, "rendering Kustomize folders"},
		"both":              {v1alpha1.ApplicationSource{Path: "both"}, render.ErrUnsupported, "rendering Kustomize folders"},
		"jsonnet":           {v1alpha1.ApplicationSource{Path: "jsonnet"}, render.ErrUnsupported, "rendering Jsonnet"},
		"a plugin":          {v1alpha1.ApplicationSource{Path: "plain", Plugin: &v1alpha1.ApplicationSourcePlugin{}}, render.ErrUnsupported, "plugins"},
		"the type is said":  {v1alpha1.ApplicationSource{Path: "plain", Helm: &v1alpha1.ApplicationSourceHelm{}}, render.ErrUnsupported, "Helm"},
		"two types are said": {
			v1alpha1.ApplicationSource{Path: "plain", Helm: &v1alpha1.ApplicationSourceHelm{}, Kustomize: &v1alpha1.ApplicationSourceKustomize{}},
			render.ErrInvalidSource, "multiple application sources defined: Kustomize,Helm",
		},
		"a bad pattern": {
			v1alpha1.ApplicationSource{Path: "plain", Directory: &v1alpha1.ApplicationSourceDirectory{Include: "{a"}},
			render.ErrInvalidSource, "directory.include",
		},
		"too much": {v1alpha1.ApplicationSource{Path: "large"}, render.ErrTooLarge, "exceeded max combined manifest file size"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := renderOnce(t, tree, c.source)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("Render = %v, %v, want %v with %q", got, err, c.want, c.text)
			}
		})
	}
	t.Run("a folder with a chart when it is said to be a directory", func(t *testing.T) {
		source := v1alpha1.ApplicationSource{Path: "helm", Directory: &v1alpha1.ApplicationSourceDirectory{}}
		if _, err := renderOnce(t, tree, source); err != nil {
			t.Error(err)
		}
	})
}

func TestRepeatedObjectsAreReportedAndTheLastCounts(t *testing.T) {
	got, err := renderOnce(t, map[string]string{
		"a.yaml": configMap("x") + "---\n" + configMap("z"),
		"b.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: namespace-a}, data: {v: last}}\n---\n" +
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: namespace-b}}\n",
	}, v1alpha1.ApplicationSource{Path: "."})
	if err != nil {
		t.Fatal(err)
	}
	want := "ConfigMap z a.yaml:3\nConfigMap x b.yaml:1\nConfigMap x b.yaml:3"
	if summarize(got) != want {
		t.Errorf("objects:\n%s\nwant:\n%s", summarize(got), want)
	}
	if len(got.Warnings) != 1 || got.Warnings[0].Reason != render.WarningRepeated ||
		!strings.Contains(got.Warnings[0].Message, "/ConfigMap/namespace-a/x appeared 2 times") {
		t.Errorf("warnings %v", got.Warnings)
	}
}

func TestValuesMeanWhatTheyMeanToKubectl(t *testing.T) {
	got, err := renderOnce(t, map[string]string{
		"a.yaml": "apiVersion: v1\nkind: X\nmetadata: {name: a}\nvalues: {a: yes, b: 0644, c: 1e3, d: 12345678901, e: 2001-01-01, f: '5', g: 1.5, h: ~}\n",
	}, v1alpha1.ApplicationSource{Path: "."})
	if err != nil {
		t.Fatal(err)
	}
	values := got.Objects[0].Object["values"]
	if s := fmt.Sprintf("%T %v", values, values); s != "map[string]interface {} map[a:true b:420 c:1000 d:12345678901 e:2001-01-01 f:5 g:1.5 h:<nil>]" {
		t.Errorf("values = %s", s)
	}
}
