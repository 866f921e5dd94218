package helm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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

func TestAReleaseSaysWhatIsLeftOut(t *testing.T) {
	files := tree(map[string]string{
		"Chart.yaml":            chartYAML("c", "1.0.0"),
		"crds/c.yaml":           configMap("crd"),
		"templates/a.yaml":      configMap("a"),
		"templates/h.yaml":      "apiVersion: v1\nkind: Pod\nmetadata: {name: h, annotations: {helm.sh/hook: post-install}}\n",
		"templates/t.yaml":      "apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: 'post-install,test'}}\n",
		"templates/u.yaml":      "apiVersion: v1\nkind: Pod\nmetadata: {name: u, annotations: {helm.sh/hook: 'post-install,never-heard'}}\n",
		"templates/b/NOTES.txt": "{{ .Values.x }}",
	})
	for name, test := range map[string]struct {
		release helm.Release
		want    string
	}{
		"by default": {helm.Release{}, "templates/a.yaml templates/h.yaml templates/t.yaml"},
		"CRDs":       {helm.Release{IncludeCRDs: true}, "crds/c.yaml templates/a.yaml templates/h.yaml templates/t.yaml"},
		"no tests":   {helm.Release{SkipTests: true}, "templates/a.yaml templates/h.yaml"},
		"no hooks":   {helm.Release{SkipHooks: true}, "templates/a.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			engine := helm.New(helm.Options{})
			chart, err := engine.Folder(files, ".")
			if err != nil {
				t.Fatal(err)
			}
			test.release.Name = "demo"
			manifests, err := engine.Template(t.Context(), render.Inputs{}, chart, nil, test.release)
			if err != nil {
				t.Fatal(err)
			}
			if got := fileNames(manifests); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			for _, m := range manifests {
				if hook := strings.Contains(m.Content, "helm.sh/hook"); m.Hook != hook || m.CRD != strings.HasPrefix(m.File, "crds/") {
					t.Errorf("%s: hook is %v, CRD %v", m.File, m.Hook, m.CRD)
				}
			}
		})
	}
}

func TestWhatTemplatesGiveIsBounded(t *testing.T) {
	files := tree(map[string]string{
		"Chart.yaml": chartYAML("c", "1.0.0"), "templates/a.yaml": "{{ range until 1000 }}# 0123456789\n{{ end }}",
	})
	engine := helm.New(helm.Options{MaxOutputBytes: 5000})
	chart, err := engine.Folder(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	_, err = engine.Template(t.Context(), render.Inputs{}, chart, nil, helm.Release{Name: "demo"})
	if !errors.Is(err, render.ErrTooLarge) || !strings.Contains(err.Error(), "chart c gives more than 5000 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestAChartThatIsTooLargeIsRefused(t *testing.T) {
	files := tree(map[string]string{"Chart.yaml": chartYAML("c", "1.0.0"), "a": "", "b": "", "c": ""})
	engine := helm.New(helm.Options{Chart: render.TreeLimit{Files: 3, Bytes: 1000}})
	if _, err := engine.Folder(files, "."); !errors.Is(err, render.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsRenderedForNobody(t *testing.T) {
	files := tree(map[string]string{"Chart.yaml": chartYAML("c", "1.0.0"), "templates/a.yaml": configMap("a")})
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := template(ctx, render.Inputs{Files: files}, ".", nil, helm.Release{}); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}

func TestFilesAtHandAreAChart(t *testing.T) {
	engine := helm.New(helm.Options{})
	repository := tree(map[string]string{"libs/d/Chart.yaml": chartYAML("d", "1.0.0"), "libs/d/templates/d.yaml": configMap("d")})
	chart, err := engine.Files(repository, "apps/a", []render.File{
		{Name: "Chart.yaml", Content: []byte(chartYAML("c", "1.0.0", "{name: d, version: 1.x, repository: 'file://../../libs/d'}"))},
		{Name: "templates/a.yaml", Content: []byte(configMap("a"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := engine.Template(t.Context(), render.Inputs{}, chart, nil, helm.Release{Name: "demo"})
	if err != nil || fileNames(manifests) != "charts/d/templates/d.yaml templates/a.yaml" {
		t.Errorf("got %s, %v", fileNames(manifests), err)
	}
}

func TestAnEngineIsForManyAtOnce(t *testing.T) {
	shop := packed(t, "shop", "1.0.0")
	engine := helm.New(helm.Options{})
	files := tree(map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: 1.x, repository: 'https://charts.example.com'}")})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			in := render.Inputs{Files: files, External: &market{charts: map[string][]byte{"https://charts.example.com/shop": shop}}}
			for j := range 10 {
				chart, err := engine.Folder(files, "c")
				if err != nil {
					t.Error(err)
					return
				}
				from := fmt.Sprintf("%d-%d", i, j)
				manifests, err := engine.Template(t.Context(), in, chart, map[string]any{"shop": map[string]any{"from": from}}, helm.Release{Name: "demo"})
				if err != nil || len(manifests) != 1 || !strings.Contains(manifests[0].Content, "from: "+from) {
					t.Errorf("got %v, %v", manifests, err)
					return
				}
			}
		})
	}
	group.Wait()
}
