package helm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// tree makes a file system of path and content.
func tree(content map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range content {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return fsys
}

// template renders the chart in a folder and prints the manifests.
func template(ctx context.Context, in render.Inputs, dir string, values map[string]any, release helm.Release) (string, error) {
	engine := helm.New(helm.Options{})
	chart, err := engine.Folder(in.Files, dir)
	if err != nil {
		return "", err
	}
	if release.Name == "" {
		release.Name = "demo"
	}
	manifests, err := engine.Template(ctx, in, chart, values, release)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, m := range manifests {
		fmt.Fprintf(&b, "# %s\n%s\n", m.File, strings.TrimSpace(m.Content))
	}
	return b.String(), nil
}

func TestChartsAreRendered(t *testing.T) {
	files := tree(map[string]string{
		"c/Chart.yaml":             "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: d, version: 1.x, repository: 'file://../d'}\n",
		"c/values.yaml":            "a: 1\nd: {b: 2}\n",
		"c/templates/a.yaml":       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-a}\ndata: {a: {{ .Values.a | quote }}}\n",
		"d/Chart.yaml":             "apiVersion: v2\nname: d\nversion: 1.2.0\n",
		"d/templates/b.yaml":       "apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Release.Name }}-b}\nstringData: {b: {{ .Values.b | quote }}}\n",
		"d/templates/NOTES.txt":    "Thank you.",
		"c/templates/_helpers.tpl": "{{ define \"x\" }}{{ end }}",
	})
	got, err := template(t.Context(), render.Inputs{Files: files}, "c", map[string]any{"a": 5}, helm.Release{})
	if err != nil {
		t.Fatal(err)
	}
	want := `# charts/d/templates/b.yaml
apiVersion: v1
kind: Secret
metadata: {name: demo-b}
stringData: {b: "2"}
# templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: demo-a}
data: {a: "5"}
`
	if got != want {
		t.Errorf("got:\n%s", got)
	}
}
