package helm

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartv2util "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// charts are files below a root chart, beside its Chart.yaml if there is none.
type charts map[string]string

// loaded gives the chart and what its templates see, made anew, because templates may change both.
func (files charts) loaded(t testing.TB, values string) (*chartv2.Chart, common.Values) {
	t.Helper()
	var all []*archive.BufferedFile
	for name, text := range files {
		all = append(all, &archive.BufferedFile{Name: name, Data: []byte(text)})
	}
	if _, ok := files["Chart.yaml"]; !ok {
		all = append(all, &archive.BufferedFile{Name: "Chart.yaml", Data: []byte("apiVersion: v2\nname: root\nversion: 1.0.0\n")})
	}
	c, err := loader.LoadFiles(all)
	if err != nil {
		t.Fatal(err)
	}
	given, err := MergeValues(ValueFile{Name: "values", Content: []byte(values)})
	if err != nil {
		t.Fatal(err)
	}
	if err := chartv2util.ProcessDependencies(c, given); err != nil {
		t.Fatal(err)
	}
	scope, err := chartutil.ToRenderValues(c, given, common.ReleaseOptions{Name: "demo", Namespace: "a", Revision: 1, IsInstall: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, scope
}

// both executes with Helm's engine and with ours.
func (files charts) both(t testing.TB, values string) (theirs, ours map[string]string, theirError, ourError error) {
	t.Helper()
	c, scope := files.loaded(t, values)
	theirs, theirError = engine.Engine{}.RenderWithContext(t.Context(), c, scope)
	c, scope = files.loaded(t, values)
	ours, ourError = newCompiler(1<<20).execute(c, scope)
	return theirs, ours, theirError, ourError
}

const names = `{{ define "who" }}%s{{ end }}`

func named(who string) string { return fmt.Sprintf(names, who) }

func subchart(name string) string { return "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n" }

func TestTemplatesGiveWhatTheyGiveInHelm(t *testing.T) {
	for name, test := range map[string]struct {
		files  charts
		values string
	}{
		"of names that are defined twice, the one that Helm takes counts": {files: charts{
			"templates/_a.tpl": named("root a"), "templates/_b.tpl": named("root b"), "templates/deep/er/_c.tpl": named("root c"),
			"templates/x.yaml":      `{{ include "who" . }} {{ template "who" . }}`,
			"charts/one/Chart.yaml": subchart("one"), "charts/one/templates/_a.tpl": named("one"),
			"charts/one/templates/x.yaml": `{{ include "who" . }}`,
			"charts/two/Chart.yaml":       subchart("two"), "charts/two/templates/_a.tpl": named("two"),
			"charts/two/charts/in/Chart.yaml": subchart("in"), "charts/two/charts/in/templates/_a.tpl": named("in"),
		}},
		"a name of a deeper chart stays until a higher one takes it": {files: charts{
			"templates/x.yaml":      `{{ include "who" . }}`,
			"charts/one/Chart.yaml": subchart("one"), "charts/one/templates/_a.tpl": named("one"),
			"charts/two/Chart.yaml": subchart("two"), "charts/two/templates/_a.tpl": named("two"),
		}},
		"an empty definition takes no name away": {files: charts{
			"templates/_a.tpl": named("a"), "templates/_b.tpl": named("b"), "templates/_0.tpl": named(" "), "templates/x.yaml": `[{{ include "who" . }}]`,
		}},
		"a file can be included by its full name": {files: charts{
			"templates/x.yaml": `{{ include "root/templates/_y.tpl" . }}{{ include (print $.Template.BasePath "/z.yaml") . | sha256sum }}`,
			"templates/_y.tpl": `y of {{ .Template.Name }}`, "templates/z.yaml": `z`,
		}},
		"a definition can have the name of another file": {files: charts{
			"templates/a.yaml": `a`, "templates/b.yaml": `b{{ define "root/templates/a.yaml" }}other{{ end }}`,
			"templates/c.yaml": `c{{ define "root/templates/d.yaml" }}other{{ end }}`, "templates/d.yaml": ``,
		}},
		"templates know their own name": {files: charts{
			"templates/x.yaml":            `{{ .Template.Name }} {{ .Template.BasePath }}`,
			"charts/one/Chart.yaml":       subchart("one"),
			"charts/one/templates/y.yaml": `{{ .Template.Name }} {{ .Template.BasePath }} {{ .Chart.Name }} {{ .Chart.IsRoot }}`,
		}},
		"values and globals go down, and not up": {values: "a: 1\none: {b: 2}\nglobal: {g: 3}\n", files: charts{
			"templates/x.yaml":            `{{ .Values | toJson }} {{ .Subcharts.one.Values.b }} {{ keys .Subcharts | sortAlpha }} {{ .Subcharts.one.Chart.Name }}`,
			"charts/one/Chart.yaml":       subchart("one"),
			"charts/one/values.yaml":      "c: 4\n",
			"charts/one/templates/y.yaml": `{{ .Values | toJson }} {{ .Release.Name }} {{ .Release.Namespace }} {{ .Capabilities.KubeVersion.Major }} {{ .Release.IsInstall }}`,
		}},
		"the same chart under two aliases": {values: "a: {who: A}\nb: {who: B}\n", files: charts{
			"Chart.yaml": "apiVersion: v2\nname: root\nversion: 1.0.0\ndependencies:\n" +
				"- {name: one, alias: a, version: 1.0.0, repository: ''}\n- {name: one, alias: b, version: 1.0.0, repository: ''}\n",
			"charts/one/Chart.yaml": subchart("one"), "charts/one/templates/_n.tpl": `{{ define "n" }}{{ .Chart.Name }}-{{ .Values.who }}{{ end }}`,
			"charts/one/templates/y.yaml": `{{ include "n" . }} {{ .Template.Name }}`,
		}},
		"a library chart gives its partials alone": {files: charts{
			"templates/x.yaml":      `{{ include "who" . }}`,
			"charts/lib/Chart.yaml": subchart("lib") + "type: library\n", "charts/lib/templates/_a.tpl": named("library"),
			"charts/lib/templates/no.yaml": `never`,
		}},
		"partials are not printed, wherever they lie, and notes are": {files: charts{
			"templates/_x.yaml": `no`, "templates/in/_y.yaml": `no`, "templates/NOTES.txt": `{{ "notes" | upper }}`, "templates/_dir/z.yaml": `z`,
		}},
		"tpl sees what is defined, and nobody sees what it defines": {values: "t: '{{ define \"in\" }}in {{ .x }}{{ end }}{{ include \"in\" . }} {{ include \"who\" . }}'\n", files: charts{
			"templates/_a.tpl": named("outer"),
			"templates/x.yaml": `{{ tpl .Values.t (dict "x" 1) }} {{ tpl "{{ include \"who\" . }}" . }}`,
		}},
		"tpl can define what is there already, for itself": {values: "t: '{{ define \"who\" }}inner{{ end }}{{ include \"who\" . }}'\n", files: charts{
			"templates/_a.tpl": named("outer"), "templates/x.yaml": `{{ tpl .Values.t . }} {{ include "who" . }}`,
		}},
		"tpl in include in tpl": {values: "t: '{{ include \"second\" . }}'\nu: '{{ tpl \"{{ .Values.v | upper | quote }}\" . }}'\nv: deep\n", files: charts{
			"templates/_a.tpl": `{{ define "second" }}<{{ tpl .Values.u . }}>{{ end }}{{ define "first" }}{{ tpl .Values.t . }}{{ end }}`,
			"templates/x.yaml": `{{ include "first" . | indent 2 }} {{ tpl (tpl "{{ .Values.u }}" .) . }}`,
		}},
		"tpl in tpl sees what the outer one defines": {files: charts{
			"templates/x.yaml": `{{ tpl "{{ define \"d\" }}D{{ end }}{{ tpl \"{{ include \\\"d\\\" . }}\" . }}" . }}`,
		}},
		"tpl that only defines": {files: charts{"templates/x.yaml": `[{{ tpl "{{ define \"d\" }}D{{ end }}" . }}]`}},
		"tpl of plain text, of nothing, and of no value": {values: "empty: null\n", files: charts{
			"templates/x.yaml": `{{ tpl "plain }} text <no value>" . }}|{{ tpl "" . }}|{{ tpl "{{ .Values.none }}" . }}|{{ tpl "{{/* nothing */}}" . }}|{{ tpl (toYaml .Values) . }}`,
		}},
		"tpl of functions that no file mentions": {files: charts{
			"templates/x.yaml": `{{ tpl "{{ list 3 1 2 | sortAlpha | join \"-\" }}" . }}{{ tpl "{{ define \"d\" }}{{ \"x\" | b64enc }}{{ end }}{{ include \"d\" . }}" . }}{{ tpl "{{ \"x\" | b64enc }}" . }}`,
		}},
		"tpl that uses template instead of include": {files: charts{
			"templates/_a.tpl": named("A"), "templates/x.yaml": `{{ tpl "{{ template \"who\" . }}{{ block \"b\" . }}B{{ end }}" . }}`,
		}},
		"include of itself with an end": {files: charts{
			"templates/_a.tpl": `{{ define "down" }}{{ . }}{{ if gt (int .) 0 }}{{ include "down" (sub (int .) 1) }}{{ end }}{{ end }}`,
			"templates/x.yaml": `{{ include "down" 500 }}`,
		}},
		"what is missing": {values: "a: {}\nn: null\n", files: charts{
			"templates/x.yaml": `{{ .Values.none }}|{{ .Values.a.none }}|{{ .Values.n }}|{{ printf "%v" .Values.none }}|{{ .Values.a.b | default "d" }}|{{ index .Values "none" }}`,
		}},
		"required and fail that do not fail": {values: "a: 0\nb: false\nc: []\n", files: charts{
			"templates/x.yaml": `{{ required "m" .Values.a }}{{ required "m" .Values.b }}{{ required "m" .Values.c }}{{ if false }}{{ fail "no" }}{{ end }}`,
		}},
		"lookups and names find nothing": {files: charts{
			"templates/x.yaml": `{{ lookup "v1" "Secret" "a" "b" }}{{ (lookup "v1" "Secret" "a" "").items }}{{ if not (lookup "v1" "Secret" "a" "b") }}none{{ end }}[{{ getHostByName "localhost" }}]`,
		}},
		"values that templates change": {values: "m: {a: 1}\n", files: charts{
			"templates/a.yaml": `{{ .Values.m | toJson }}{{ .Values.seen }}`, "templates/b.yaml": `{{ $_ := set .Values "seen" "yes" }}{{ $_ := set .Values.m "b" 2 }}{{ .Values.m | toJson }}`,
			"templates/c.yaml": `{{ $_ := set .Chart "Name" "other" }}{{ .Chart.Name }}{{ $_ := unset .Values.m "a" }}`,
		}},
		"files": {files: charts{
			"config/a.txt": "a\nb\n", "config/b.json": `{"x": "y"}`, "c.bin": "\xff\x00",
			"templates/x.yaml": `{{ .Files.Get "config/a.txt" }}|{{ .Files.GetBytes "c.bin" | len }}|{{ .Files.Get "none" }}|{{ .Files.Lines "config/a.txt" | toJson }}|{{ .Files.Lines "none" | len }}
{{ (.Files.Glob "config/*").AsConfig }}|{{ (.Files.Glob "config/**").AsSecrets }}|{{ (.Files.Glob "none").AsConfig }}|{{ len .Files }}
{{ range $name, $_ := .Files.Glob "**.{txt,json}" }}{{ $name }} {{ $.Files.Get $name }}{{ end }}{{ len (.Files.Glob "[") }}{{ index .Files "c.bin" | len }}{{ kindOf .Files }}`,
		}},
		"control structures": {values: "l: [1, 2, 3, 4]\nm: {b: 1, a: 2}\n", files: charts{
			"templates/x.yaml": `{{ range $i, $v := .Values.l }}{{ if eq (int $v) 2 }}{{ continue }}{{ end }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ $v }}{{ else }}none{{ end }}{{ range $k, $v := .Values.m }}{{ $k }}{{ $v }}{{ end }}{{ with .Values.none }}x{{ else with .Values.m }}{{ .a }}{{ end }}{{ range until 3 }}{{ . }}{{ end }}`,
		}},
		"builtin functions": {values: "l: [1, 2]\n", files: charts{
			"templates/x.yaml": `{{ and 1 0 }}{{ or 0 2 }}{{ not true }}{{ len .Values.l }}{{ index .Values.l 1 }}{{ slice .Values.l 0 1 }}{{ print 1 "a" }}{{ printf "%s" "x" }}{{ println "y" }}{{ html "<" }}{{ js "'" }}{{ urlquery "a b" }}{{ eq 1 1 }}{{ ne 1 1 }}{{ lt 1 2 }}{{ le 1 2 }}{{ gt 1 2 }}{{ ge 1 2 }}`,
		}},
		"white space and comments": {files: charts{
			"templates/x.yaml": "a: \n  {{- /* c */ -}}\n  b\n{{- `raw {{ }}` }}\n{{ \"{{ not }}\" -}}\n\n  end\r\n",
		}},
		"numbers of values": {values: "i: 8080\nf: 1.5\nbig: 12345678901234567890\nz: 1.0\ne: 1e3\nneg: -0\n", files: charts{
			"templates/x.yaml": `{{ .Values.i }} {{ .Values.f }} {{ .Values.big }} {{ .Values.z }} {{ .Values.e }} {{ add .Values.i 1 }} {{ .Values.i | int64 }} {{ mulf .Values.f 2 }} {{ toYaml .Values }} {{ toJson .Values }} {{ kindOf .Values.i }} {{ .Values.i | quote }}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			theirs, ours, theirError, ourError := test.files.both(t, test.values)
			if theirError != nil || ourError != nil {
				t.Fatalf("Helm's error: %v\nours: %v", theirError, ourError)
			}
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("Helm gives -, we give +:\n%s", diff)
			}
		})
	}
}

func TestWhatFailsInHelmFails(t *testing.T) {
	for name, test := range map[string]struct{ text, values string }{
		"an unknown function":                {text: `{{ if false }}{{ nosuch }}{{ end }}`},
		"a function of the environment":      {text: `{{ env "HOME" }}`},
		"a template that is not closed":      {text: `{{ if true }}`},
		"a name that one file defines twice": {text: `{{ define "a" }}1{{ end }}{{ define "a" }}2{{ end }}`},
		"a name that nobody defines":         {text: `{{ include "none" . }}`},
		"a file that defines itself":         {text: `x{{ define "root/templates/x.yaml" }}y{{ end }}`},
		"include without end":                {text: `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`},
		"tpl without end":                    {text: `{{ tpl .Values.t . }}`, values: `t: '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}'`},
		"tpl of what cannot be parsed":       {text: `{{ tpl "{{ if }}" . }}`},
		"tpl of an unknown function":         {text: `{{ tpl "{{ if false }}{{ nosuch }}{{ end }}" . }}`},
		"a field of nothing":                 {text: `{{ .Values.a.b.c }}`},
		"required":                           {text: `{{ required "needed" .Values.none }}`},
		"required of an empty text":          {text: `{{ required "needed" "" }}`},
		"fail":                               {text: `{{ fail "no" }}`},
		"a function that panics":             {text: `{{ mustToYaml (dict "a" (list (dict))) | mustFromJson }}`},
		"a must function that cannot":        {text: `{{ mustToDuration "x" }}`},
		"a duration of nothing":              {text: `{{ mustToDuration nil }}`},
		"a map that is compared":             {text: `{{ eq .Values .Values }}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, theirs, ours := charts{"templates/x.yaml": test.text}.both(t, test.values)
			if theirs == nil || ours == nil {
				t.Errorf("Helm's error: %v\nours: %v", theirs, ours)
			}
		})
	}
}

func TestWhatIsUncommonIsLeftToHelm(t *testing.T) {
	for name, test := range map[string]struct {
		files  charts
		values string
	}{
		"a text that includes itself by the name of all texts": {files: charts{"templates/x.yaml": `{{ tpl .Values.t 2 }}`}, values: `t: '{{ . }}{{ if gt (int .) 0 }}{{ include "gotpl" (sub . 1) }}{{ end }}'`},
		"an empty file that defines itself":                    {files: charts{"templates/x.yaml": `{{ define "root/templates/x.yaml" }}y{{ end }}`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, theirs, ours := test.files.both(t, test.values)
			if theirs != nil || !errors.Is(ours, errUncommon) {
				t.Errorf("Helm's error: %v\nours: %v", theirs, ours)
			}
		})
	}
}

// helmFunctions reads the names of the functions that Helm adds to Sprig's from its source.
func helmFunctions(t *testing.T) []string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "helm.sh/helm/v4").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "pkg/engine/funcs.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.BasicLit); ok {
				name, _ := strconv.Unquote(key.Value)
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

func TestAllFunctionsOfHelmAreThere(t *testing.T) {
	ours := templateFunctions()
	theirs := helmFunctions(t)
	if len(theirs) < 20 || !slices.Contains(theirs, "toYaml") {
		t.Fatalf("Helm's functions were not found: %v", theirs)
	}
	for _, name := range theirs {
		if ours[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range ours {
		files := charts{"templates/x.yaml": "{{ if false }}{{ " + name + " }}{{ end }}"}
		if _, _, theirs, ours := files.both(t, ""); theirs != nil || ours != nil {
			t.Errorf("%s: Helm's error: %v, ours: %v", name, theirs, ours)
		}
	}
}

func TestFunctionsGiveWhatTheyGiveInHelm(t *testing.T) {
	arguments := []string{
		`nil`, `""`, `"text"`, `"a: 1"`, `"- 1\n- a"`, `"{"`, `"a: [1, {b: c}]\nd: 'yes'"`, `"{\"a\": [1, 2.5, null]}"`, `"[1]"`, `"a = 1"`, `"[t]\nb = true"`,
		`1`, `-3`, `1.5`, `true`, `"90"`, `"1h30m"`, `"2.5"`, `"-1s"`, `1e300`, `(list)`, `(list 1 "a" nil)`, `(dict)`,
		`(dict "b" 1 "a" (dict "c" (list 1 2 (dict "d" true))))`, `(dict "n" nil "e" "" "s" "x: y" "y" "yes" "d" "2020-01-01" "l" "a\nb\n" "u" "ü" "t" "\t" "q" "'\"" "z" "007" "h" "<&>")`,
		`(dict "f" 1.0 "g" 1e20 "h" 1e21 "i" 0.1 "j" -2.0)`, `.Values`, `.Values.list`, `.Chart`, `.Files`, `.Release`, `(list .Values.n .Values.f)`, `(uint64 7)`,
	}
	const values = "n: 8080\nf: 1.50\nbig: 12345678901234567890\ne: 1e3\nlist: [a, {b: c}, [], {}]\nmap: {z: 1, a: {b: null, c: []}}\ns: ' lead'\nm: \"multi\\nline\\n\"\n\"1\": y\n\"<<\": {m: 1}\n"
	for _, function := range []string{
		"toYaml", "mustToYaml", "toYamlPretty", "fromYaml", "fromYamlArray", "toJson", "mustToJson", "fromJson", "fromJsonArray",
		"toToml", "mustToToml", "fromToml", "required \"m\"", "mustToDuration", "durationSeconds", "durationMilliseconds", "durationMicroseconds", "durationNanoseconds",
		"durationMinutes", "durationHours", "durationDays", "durationWeeks", "durationRoundTo \"100s\"", "durationTruncateTo \"100s\"",
	} {
		for _, argument := range arguments {
			files := charts{"templates/x.yaml": "{{ " + function + " " + argument + " }}"}
			if strings.HasPrefix(function, "durationR") || strings.HasPrefix(function, "durationT") {
				files["templates/x.yaml"] = strings.Replace("{{ f "+argument+" \"100s\" }}{{ f \"250s\" "+argument+" }}", "f ", strings.Fields(function)[0]+" ", 2)
			}
			theirs, ours, theirError, ourError := files.both(t, values)
			if (theirError == nil) != (ourError == nil) {
				t.Errorf("%s %s: Helm's error: %v\nours: %v", function, argument, theirError, ourError)
			}
			if diff := cmp.Diff(theirs["root/templates/x.yaml"], ours["root/templates/x.yaml"]); diff != "" && ourError == nil {
				t.Errorf("%s %s: Helm gives -, we give +:\n%s", function, argument, diff)
			}
		}
	}
}

func TestChartsDoNotNeedHelmsEngine(t *testing.T) {
	folders, err := os.ReadDir("testdata/charts")
	if err != nil {
		t.Fatal(err)
	}
	e := New(Options{})
	for _, folder := range folders {
		in := render.Inputs{Files: os.DirFS("testdata/charts")}
		chart, err := e.Folder(in.Files, folder.Name())
		if err != nil {
			t.Fatal(err)
		}
		if chart.parsed.metadata.Type == "library" {
			continue
		}
		values := map[string]any{"name": "given"} // which the chart required needs
		if folder.Name() == "schema" {
			values = nil
		}
		if _, err := e.template(t.Context(), in, chart, values, Release{Name: "demo", Namespace: "a", KubeVersion: "1.36.3"}, e.templates.execute); err != nil {
			t.Errorf("%s: %v", folder.Name(), err)
		}
	}
}
