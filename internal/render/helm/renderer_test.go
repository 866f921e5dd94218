package helm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// world is a destination with downloads and revisions, which notes what it was asked.
type world struct {
	cluster
	downloads map[string]string
}

func (w *world) Download(_ context.Context, url string) ([]byte, error) {
	w.note(url)
	text, ok := w.downloads[url]
	if !ok {
		return nil, fmt.Errorf("%s: 404 Not Found", url)
	}
	return []byte(text), nil
}

func (w *world) Variable(_ context.Context, name string) (string, error) {
	w.note(name)
	return "abcdef0", nil
}

// showing is a repository with a chart at apps/show that shows its values and what it is rendered for.
func showing() map[string]string {
	return map[string]string{
		"apps/show/Chart.yaml":  "apiVersion: v2\nname: show\nversion: 1.0.0\n",
		"apps/show/values.yaml": "from: chart\nnested: {a: 1, b: 2}\n",
		"apps/show/templates/show.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n" +
			"values: {{ .Values | toJson }}\nversion: {{ .Capabilities.KubeVersion.Version }}\n" +
			"has: {{ .Capabilities.APIVersions.Has \"example.com/v1\" }}\n",
		"apps/show/prod.yaml":      "from: prod\n",
		"apps/show/env/a.yaml":     "from: a\nlast: a\n",
		"apps/show/env/b.yaml":     "from: b\nlast: b\n",
		"apps/show/env/sub/c.yaml": "from: c\nlast: c\n",
		"apps/show/env/z.yaml":     "last: z\n",
		"apps/show/env/note.txt":   "a text, with a comma",
		"apps/shared.yaml":         "from: shared\n",
		"root.yaml":                "from: root\n",
		"apps/demo.yaml":           "from: file of the app\n",
	}
}

type shown struct {
	Metadata struct{ Name, Namespace string }
	Values   map[string]any
	Version  string
	Has      bool
}

// show renders the showing chart and gives what it shows.
func show(t *testing.T, repository map[string]string, settings v1alpha1.ApplicationSourceHelm, change func(*render.Inputs, *render.Request)) (shown, *world, error) {
	t.Helper()
	w := &world{downloads: map[string]string{"https://example.com/v.yaml": "from: download\n"}}
	in := render.Inputs{
		Files: tree(repository), External: w,
		Refs: map[string]fs.FS{"values": tree(map[string]string{"x/a.yaml": "from: ref a\n", "x/b.yaml": "from: ref b\n", "cert.pem": "CERT"})},
	}
	req := render.Request{
		AppName: "demo", AppNamespace: "argocd", Namespace: "namespace-a", Project: "team", KubeVersion: "1.33.2",
		Source: v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/a.git", Path: "apps/show", Helm: &settings},
	}
	if change != nil {
		change(&in, &req)
	}
	result, err := helm.Renderer{Engine: helm.New(helm.Options{})}.Render(t.Context(), in, req)
	if err != nil {
		return shown{}, w, err
	}
	text, err := json.Marshal(result.Objects[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	var s shown
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s, w, nil
}

func TestValuesComeInTheOrderOfPrecedence(t *testing.T) {
	parameter := func(name, value string) v1alpha1.HelmParameter {
		return v1alpha1.HelmParameter{Name: name, Value: value}
	}
	forced := func(name, value string) v1alpha1.HelmParameter {
		return v1alpha1.HelmParameter{Name: name, Value: value, ForceString: true}
	}
	for name, test := range map[string]struct {
		settings v1alpha1.ApplicationSourceHelm
		want     string // of the values that differ from the chart's own
		asked    string
	}{
		"nothing but the chart":                {want: `{"from":"chart"}`},
		"a value file":                         {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"prod.yaml"}}, want: `{"from":"prod"}`},
		"the last value file":                  {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"env/a.yaml", "prod.yaml"}}, want: `{"from":"prod","last":"a"}`},
		"a value file above the chart":         {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"../shared.yaml"}}, want: `{"from":"shared"}`},
		"a value file from the root":           {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"/root.yaml"}}, want: `{"from":"root"}`},
		"a value file of another source":       {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"$values/x/a.yaml"}}, want: `{"from":"ref a"}`},
		"a glob in another source":             {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"$values/x/*.yaml"}}, want: `{"from":"ref b"}`},
		"a value file from the network":        {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"https://example.com/v.yaml"}}, want: `{"from":"download"}`, asked: "https://example.com/v.yaml"},
		"a value file named after the app":     {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"../$ARGOCD_APP_NAME.yaml"}}, want: `{"from":"file of the app"}`},
		"a path that begins with a variable":   {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"${ARGOCD_APP_SOURCE_PATH}", "$ARGOCD_APP_NAME-none.yaml"}, IgnoreMissingValueFiles: true}, want: `{"from":"chart"}`},
		"a glob":                               {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"env/*.yaml"}}, want: `{"from":"b","last":"z"}`},
		"a glob over all levels":               {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"env/**/*.yaml"}}, want: `{"from":"c","last":"c"}`},
		"a glob and a file of it after it":     {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"env/*.yaml", "env/a.yaml"}}, want: `{"from":"a","last":"a"}`},
		"a glob and a file of it before it":    {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"env/z.yaml", "env/?.yaml"}}, want: `{"from":"b","last":"b"}`},
		"two globs of the same files":          {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"env/[ab].yaml", "env/z.yaml", "env/**/[abc].yaml"}}, want: `{"from":"c","last":"c"}`},
		"a glob that matches nothing":          {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"none/*.yaml"}, IgnoreMissingValueFiles: true}, want: `{"from":"chart"}`},
		"missing value files":                  {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"none.yaml", "$values/none.yaml", "/x/y.yaml", "prod.yaml"}, IgnoreMissingValueFiles: true}, want: `{"from":"prod"}`},
		"inline values over files":             {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"prod.yaml"}, Values: "from: inline\n$ARGOCD_APP_NAME: as it is\n"}, want: `{"$ARGOCD_APP_NAME":"as it is","from":"inline"}`},
		"an object of values over text":        {settings: v1alpha1.ApplicationSourceHelm{Values: "from: text\nother: 1\n", ValuesObject: raw(t, map[string]any{"from": "object"})}, want: `{"from":"object"}`},
		"parameters over all":                  {settings: v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"prod.yaml"}, Values: "from: inline", Parameters: []v1alpha1.HelmParameter{parameter("from", "parameter")}}, want: `{"from":"parameter"}`},
		"the last parameter of a name":         {settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{parameter("from", "1"), parameter("from", "2")}}, want: `{"from":2}`},
		"types of parameters":                  {settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{parameter("i", "7"), parameter("t", "true"), parameter("n", "null"), parameter("z", "007"), forced("s", "7"), forced("st", "true")}}, want: `{"from":"chart","i":7,"n":null,"s":"7","st":"true","t":true,"z":"007"}`},
		"forced strings after the others":      {settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{forced("x", "1"), parameter("x", "2")}}, want: `{"from":"chart","x":"1"}`},
		"commas in parameters":                 {settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{parameter("x", "a,b=c,,d"), forced("y", `e\,f`), parameter("l", "{a,b}")}}, want: `{"from":"chart","l":["a","b"],"x":"a,b=c,,d","y":"e,f"}`},
		"paths in parameters":                  {settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{parameter("list[0].name", "x"), parameter(`dots\.in\.key`, "y")}}, want: `{"dots.in.key":"y","from":"chart","list":[{"name":"x"}]}`},
		"the build environment in parameters":  {settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{parameter("tag", "${ARGOCD_APP_REVISION_SHORT}-$ARGOCD_APP_PROJECT_NAME"), forced("price", "$$5")}}, want: `{"from":"chart","price":"$5","tag":"abcdef0-team"}`, asked: "ARGOCD_APP_REVISION_SHORT"},
		"a file as parameter":                  {settings: v1alpha1.ApplicationSourceHelm{FileParameters: []v1alpha1.HelmFileParameter{{Name: "text", Path: "env/note.txt"}, {Name: "deep.cert", Path: "$values/cert.pem"}}}, want: `{"deep":{"cert":"CERT"},"from":"chart","text":"a text, with a comma"}`},
		"a file as parameter over a parameter": {settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{parameter("from", "parameter")}, FileParameters: []v1alpha1.HelmFileParameter{{Name: "from", Path: "/apps/$ARGOCD_APP_NAME.yaml"}}}, want: `{"from":"from: file of the app\n"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, w, err := show(t, showing(), test.settings, nil)
			if err != nil {
				t.Fatal(err)
			}
			delete(got.Values, "nested")
			text, _ := json.Marshal(got.Values)
			if string(text) != test.want {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
			asked := slices.DeleteFunc(w.asked, func(s string) bool { return s == "example.com/v1" })
			if strings.Join(asked, " ") != test.asked {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
		})
	}
}

func TestAReleaseHasItsNamesAndVersions(t *testing.T) {
	for name, test := range map[string]struct {
		settings v1alpha1.ApplicationSourceHelm
		want     string
	}{
		"as the application says": {want: "demo namespace-a v1.33.2 false"},
		"given": {
			settings: v1alpha1.ApplicationSourceHelm{ReleaseName: "other", Namespace: "namespace-b", KubeVersion: "1.29", APIVersions: []string{"example.com/v1"}, Version: "v3", PassCredentials: true},
			want:     "other namespace-b v1.29 true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := show(t, showing(), test.settings, nil)
			if err != nil {
				t.Fatal(err)
			}
			if line := fmt.Sprintf("%s %s %s %v", got.Metadata.Name, got.Metadata.Namespace, got.Version, got.Has); line != test.want {
				t.Errorf("got %s, want %s", line, test.want)
			}
		})
	}
}

func TestOnlyTheAPIVersionsThatATemplateAsksForAreRead(t *testing.T) {
	for name, test := range map[string]struct{ template, values, asked string }{
		"nothing":                    {"a: b", "", ""},
		"one version":                {`a: {{ .Capabilities.APIVersions.Has "example.com/v1" }}`, "", "example.com/v1"},
		"a built-in version":         {`a: {{ .Capabilities.APIVersions.Has "apps/v1" }}`, "", ""},
		"a version behind a choice":  {`a: {{ if false }}{{ .Capabilities.APIVersions.Has "example.com/v1" }}{{ end }}`, "", ""},
		"from within a range":        {`a: {{ range list 1 }}{{ $.Capabilities.APIVersions.Has "x/v1" }}{{ end }}`, "", "x/v1"},
		"a comment":                  {`a: b {{/* range .Capabilities.APIVersions */}}`, "", ""},
		"a range":                    {`a: {{ range .Capabilities.APIVersions }}{{ end }}`, "", "list"},
		"a variable":                 {`{{ $v := .Capabilities.APIVersions }}a: {{ $v.Has "x" }}`, "", "list"},
		"a parameter of a function":  {`a: {{ has "x" .Capabilities.APIVersions }}`, "", "list"},
		"a lookup by name":           {`a: {{ len (get (dict "APIVersions" .Capabilities.APIVersions) "APIVersions") }}`, "", "list"},
		"all capabilities":           {`{{ $c := .Capabilities }}a: {{ $c.APIVersions.Has "x" }}`, "", "list"},
		"the Kubernetes version":     {`{{ $c := .Capabilities.KubeVersion }}a: {{ $c.Version }}`, "", ""},
		"with":                       {`{{ with .Capabilities.APIVersions }}a: {{ .Has "x" }}{{ end }}`, "", "list"},
		"a copy of everything":       {`{{ $c := deepCopy . }}a: {{ $c.Capabilities.APIVersions.Has "x/v1" }}`, "", "x/v1"},
		"printing everything":        {`a: {{ toJson . | len }}`, "", "list"},
		"a template in the values":   {`a: {{ tpl .Values.t . }}`, `t: '{{ .Capabilities.APIVersions | join "," | quote }}'`, "list"},
		"a question in the values":   {`a: {{ tpl .Values.t . }}`, `t: '{{ .Capabilities.APIVersions.Has "y/v1" }}'`, "y/v1"},
		"a word in the values":       {`a: {{ .Values.t }}`, `t: Capabilities`, ""},
		"a template in the template": {`a: {{ tpl "{{ .Capabilities.APIVersions | len }}" . }}`, "", "list"},
	} {
		t.Run(name, func(t *testing.T) {
			files := tree(map[string]string{
				"Chart.yaml":       "apiVersion: v2\nname: c\nversion: 1.0.0\n",
				"values.yaml":      test.values,
				"templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n" + test.template,
			})
			c := &cluster{serves: served()}
			if _, err := template(t.Context(), render.Inputs{Files: files, External: c}, ".", nil, helm.Release{}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(c.asked, " "); got != test.asked {
				t.Errorf("asked for %q, want %q", got, test.asked)
			}
		})
	}
}

func TestObjectsNameTheirFiles(t *testing.T) {
	files := map[string]string{
		"a/b/Chart.yaml":               "apiVersion: v2\nname: other-name\nversion: 1.0.0\ndependencies: [{name: d, version: 1.0.0, alias: e, repository: 'file://../d'}]\n",
		"a/b/templates/t.yaml":         configMap("t"),
		"a/b/templates/sub/u.yaml":     configMap("u"),
		"a/b/crds/c.yaml":              "# A comment.\n" + configMap("c"),
		"a/b/charts/v/Chart.yaml":      "apiVersion: v2\nname: v\nversion: 1.0.0\n",
		"a/b/charts/v/templates/v.yml": configMap("v"),
		"a/d/Chart.yaml":               "apiVersion: v2\nname: d\nversion: 1.0.0\n",
		"a/d/templates/d.yaml":         configMap("d"),
		"a/d/crds/j.json":              `[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"}}]`,
	}
	result, err := helm.Renderer{Engine: helm.New(helm.Options{})}.Render(t.Context(), render.Inputs{Files: tree(files)},
		render.Request{AppName: "demo", Source: v1alpha1.ApplicationSource{Path: "a/b"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range result.Objects {
		got[o.GetName()] = fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	want := map[string]string{
		"t": "a/b/templates/t.yaml:0", "u": "a/b/templates/sub/u.yaml:0", "c": "a/b/crds/c.yaml:2",
		"v": "a/b/charts/v/templates/v.yml:0", "d": "a/b/charts/e/templates/d.yaml:0", "j": "a/b/charts/e/crds/j.json:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// configMap is a manifest.
func configMap(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n"
}

func TestValueFilesAreDecrypted(t *testing.T) {
	repository := showing()
	repository["apps/show/secret.yaml"] = "from: ENCRYPTED\n"
	var names []string
	renderer := helm.Renderer{Engine: helm.New(helm.Options{}), Decrypt: func(_ context.Context, in render.Inputs, name string, content []byte) ([]byte, error) {
		if in.External == nil {
			return nil, errors.New("no External")
		}
		names = append(names, name)
		return []byte(strings.ReplaceAll(string(content), "ENCRYPTED", "plain")), nil
	}}
	settings := v1alpha1.ApplicationSourceHelm{
		ValueFiles:     []string{"secret.yaml", "$values/v.yaml"},
		FileParameters: []v1alpha1.HelmFileParameter{{Name: "file", Path: "/apps/show/secret.yaml"}},
		Values:         "inline: ENCRYPTED",
	}
	result, err := renderer.Render(t.Context(), render.Inputs{
		Files: tree(repository), Refs: map[string]fs.FS{"values": tree(map[string]string{"v.yaml": "ref: ENCRYPTED"})},
	}, render.Request{AppName: "demo", Source: v1alpha1.ApplicationSource{Path: "apps/show", Helm: &settings}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(result.Objects[0].Object["values"])
	if want := `{"file":"from: plain\n","from":"plain","inline":"ENCRYPTED","nested":{"a":1,"b":2},"ref":"plain"}`; string(text) != want {
		t.Errorf("got %s", text)
	}
	if got := strings.Join(names, ", "); got != "apps/show/secret.yaml, v.yaml in the source with ref values, apps/show/secret.yaml" {
		t.Errorf("decrypted %s", got)
	}
}

func TestMistakesInASourceAreExplained(t *testing.T) {
	helmSettings := func(h v1alpha1.ApplicationSourceHelm) v1alpha1.ApplicationSourceHelm { return h }
	files := func(names ...string) v1alpha1.ApplicationSourceHelm {
		return v1alpha1.ApplicationSourceHelm{ValueFiles: names}
	}
	for name, test := range map[string]struct {
		settings v1alpha1.ApplicationSourceHelm
		change   func(*render.Inputs, *render.Request)
		add      map[string]string
		want     []string
		is       error
	}{
		"a missing value file":                            {settings: files("prod.yaml", "none.yaml"), want: []string{"none.yaml does not exist", "apps/show/none.yaml", "the repository"}, is: fs.ErrNotExist},
		"a missing value file elsewhere":                  {settings: files("$values/none.yaml"), want: []string{"$values/none.yaml does not exist", "the source with ref values"}, is: fs.ErrNotExist},
		"a ref of nobody":                                 {settings: files("$other/a.yaml"), want: []string{"no source of the application has the ref other", "known are values"}, is: render.ErrInvalidSource},
		"a way out of the repository":                     {settings: files("../../../a.yaml"), want: []string{"../../../a.yaml leads out of the repository"}, is: render.ErrInvalidSource},
		"a way out of another source":                     {settings: files("$values/../../a.yaml"), want: []string{"leads out of the repository"}, is: render.ErrInvalidSource},
		"a glob out of the repository":                    {settings: files("../../../*.yaml"), want: []string{"leads out of the repository"}, is: render.ErrInvalidSource},
		"a glob that matches nothing":                     {settings: files("none/*.yaml"), want: []string{`values file glob "none/*.yaml" matched no files`}, is: render.ErrInvalidSource},
		"a glob that is none":                             {settings: files("env/[a.yaml"), want: []string{"env/[a.yaml"}, is: render.ErrInvalidSource},
		"a folder":                                        {settings: files("env"), want: []string{"apps/show/env is a folder"}, is: render.ErrInvalidSource},
		"a scheme that is not allowed":                    {settings: files("ftp://example.com/a.yaml"), want: []string{"the URL scheme 'ftp' is not allowed"}, is: render.ErrInvalidSource},
		"a scheme that the operator forbids":              {settings: files("http://u:secret@example.com/a.yaml"), change: func(_ *render.Inputs, r *render.Request) { r.Settings.ValuesFileSchemes = []string{"https"} }, want: []string{"the URL scheme 'http' is not allowed"}, is: render.ErrInvalidSource},
		"a download that fails":                           {settings: helmSettings(v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"https://example.com/none.yaml"}, IgnoreMissingValueFiles: true}), want: []string{"https://example.com/none.yaml: 404"}},
		"a missing file of a parameter":                   {settings: helmSettings(v1alpha1.ApplicationSourceHelm{FileParameters: []v1alpha1.HelmFileParameter{{Name: "cert", Path: "none.pem"}}}), want: []string{"helm.fileParameters: cert", "apps/show/none.pem"}, is: fs.ErrNotExist},
		"a parameter that cannot be set":                  {settings: helmSettings(v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{{Name: "a[x]", Value: "secret"}}}), want: []string{"helm.parameters: a[x] cannot be set"}, is: render.ErrInvalidSource},
		"values that are no YAML":                         {settings: helmSettings(v1alpha1.ApplicationSourceHelm{Values: "a: [secret"}), want: []string{"helm.values"}, is: render.ErrInvalidSource},
		"a key that is none":                              {settings: helmSettings(v1alpha1.ApplicationSourceHelm{Values: "? ~\n: secret\n"}), want: []string{"helm.values", "unsupported map key"}, is: render.ErrInvalidSource},
		"values of the chart that explode":                {add: map[string]string{"apps/show/values.yaml": bomb()}, want: []string{"values.yaml", "aliases expand"}, is: render.ErrTooLarge},
		"a Chart.yaml that explodes":                      {add: map[string]string{"apps/show/Chart.yaml": "apiVersion: v2\nname: show\nversion: 1.0.0\n" + bomb()}, want: []string{"Chart.yaml", "aliases expand"}, is: render.ErrTooLarge},
		"a Chart.lock that explodes":                      {add: map[string]string{"apps/show/Chart.lock": bomb()}, want: []string{"Chart.lock", "aliases expand"}, is: render.ErrTooLarge},
		"a second document of a value file that explodes": {settings: files("bomb.yaml"), add: map[string]string{"apps/show/bomb.yaml": "a: b\n---\n" + bomb()}, want: []string{"apps/show/bomb.yaml", "aliases expand"}, is: render.ErrTooLarge},
		"values that contain themselves":                  {settings: files("bomb.yaml"), add: map[string]string{"apps/show/bomb.yaml": "a: &a [*a]\n"}, want: []string{"apps/show/bomb.yaml", "contains itself"}, is: render.ErrInvalidManifest},
		"inline values that explode":                      {settings: v1alpha1.ApplicationSourceHelm{Values: bomb()}, want: []string{"helm.values", "aliases expand"}, is: render.ErrTooLarge},
		"output that explodes":                            {add: map[string]string{"apps/show/bomb.txt": bomb(), "apps/show/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n{{ .Files.Get \"bomb.txt\" }}"}, want: []string{"apps/show/templates/x.yaml", "aliases expand"}, is: render.ErrTooLarge},
		"a value file that is a list":                     {settings: files("list.yaml"), add: map[string]string{"apps/show/list.yaml": "- a\n"}, want: []string{"apps/show/list.yaml"}, is: render.ErrInvalidSource},
		"a value file that explodes":                      {settings: files("bomb.yaml"), add: map[string]string{"apps/show/bomb.yaml": bomb()}, want: []string{"apps/show/bomb.yaml", "aliases expand"}, is: render.ErrTooLarge},
		"an unknown version of Helm":                      {settings: helmSettings(v1alpha1.ApplicationSourceHelm{Version: "v2"}), want: []string{`helm.version "v2" is not known`}, is: render.ErrInvalidSource},
		"a name that is no release's":                     {settings: helmSettings(v1alpha1.ApplicationSourceHelm{ReleaseName: "Not_One"}), want: []string{`release name "Not_One"`}, is: render.ErrInvalidSource},
		"a name that is too long":                         {change: func(_ *render.Inputs, r *render.Request) { r.AppName = strings.Repeat("a", 54) }, want: []string{"release name", "53"}, is: render.ErrInvalidSource},
		"a Kubernetes version that is none":               {settings: helmSettings(v1alpha1.ApplicationSourceHelm{KubeVersion: "new"}), want: []string{`Kubernetes version "new"`}, is: render.ErrInvalidSource},
		"a chart for another Kubernetes":                  {add: map[string]string{"apps/show/Chart.yaml": "apiVersion: v2\nname: show\nversion: 1.0.0\nkubeVersion: '>=1.40'\n"}, want: []string{"chart requires kubeVersion: >=1.40 which is incompatible with Kubernetes v1.33.2"}, is: render.ErrInvalidSource},
		"a library":                                       {add: map[string]string{"apps/show/Chart.yaml": "apiVersion: v2\nname: show\nversion: 1.0.0\ntype: library\n"}, want: []string{"library charts are not installable"}, is: render.ErrInvalidSource},
		"no chart":                                        {add: map[string]string{"apps/show/Chart.yaml": ""}, change: func(_ *render.Inputs, r *render.Request) { r.Source.Path = "apps/show/env" }, want: []string{"apps/show/env", "Chart.yaml file is missing"}, is: render.ErrInvalidSource},
		"a template that cannot be parsed":                {add: map[string]string{"apps/show/templates/x.yaml": "a\n{{ nothing }}"}, want: []string{"show/templates/x.yaml:2", `function "nothing" not defined`}, is: helm.ErrTemplate},
		"a template that fails":                           {add: map[string]string{"apps/show/templates/x.yaml": "a\n\n{{ .Values.from.x }}"}, want: []string{"show/templates/x.yaml:3", "can't evaluate field x"}, is: helm.ErrTemplate},
		"a template that says why":                        {add: map[string]string{"apps/show/templates/x.yaml": "{{ fail \"do it better\" }}"}, want: []string{"show/templates/x.yaml:1", "do it better"}, is: helm.ErrTemplate},
		"a template without end":                          {add: map[string]string{"apps/show/templates/x.yaml": "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}"}, want: []string{"nested reference name: a"}, is: helm.ErrTemplate},
		"a template of a secret value":                    {settings: helmSettings(v1alpha1.ApplicationSourceHelm{Values: "t: 'secret \"quoted\" {{ nothing }}'"}), add: map[string]string{"apps/show/templates/x.yaml": "{{ tpl .Values.t . }}"}, want: []string{"show/templates/x.yaml:1", `function "nothing" not defined`}, is: helm.ErrTemplate},
		"a secret value that fails as tpl":                {settings: helmSettings(v1alpha1.ApplicationSourceHelm{Values: "t: 'secret {{ fail \"x\" }}'"}), add: map[string]string{"apps/show/templates/x.yaml": "{{ tpl .Values.t . }}"}, want: []string{"show/templates/x.yaml:1"}, is: helm.ErrTemplate},
		"output that is no YAML":                          {add: map[string]string{"apps/show/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [x\n"}, want: []string{"apps/show/templates/x.yaml (line ", "as rendered)"}, is: render.ErrInvalidManifest},
		"output that is no object":                        {add: map[string]string{"apps/show/templates/x.yaml": "just: text\n"}, want: []string{"apps/show/templates/x.yaml", "no apiVersion"}, is: render.ErrInvalidManifest},
		"an ignore file that cannot be read":              {add: map[string]string{"apps/show/.helmignore": "a/**\n"}, want: []string{".helmignore", "double-star"}, is: render.ErrInvalidSource},
		"a subchart's values that are no map":             {settings: helmSettings(v1alpha1.ApplicationSourceHelm{Values: "v: text"}), add: map[string]string{"apps/show/charts/v/Chart.yaml": "apiVersion: v2\nname: v\nversion: 1.0.0\n"}, want: []string{"type mismatch on v"}, is: render.ErrInvalidSource},
		"a folder of charts with another file":            {add: map[string]string{"apps/show/charts/README.md": "text"}, want: []string{"charts/README.md", "Chart.yaml file is missing"}, is: render.ErrInvalidSource},
	} {
		t.Run(name, func(t *testing.T) {
			repository := showing()
			maps.Copy(repository, test.add)
			_, _, err := show(t, repository, test.settings, test.change)
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in %q", want, err)
				}
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%q is not %q", err, test.is)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret is shown: %q", err)
			}
		})
	}
}

// bomb is YAML whose aliases expand to gigabytes.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	return b.String()
}
