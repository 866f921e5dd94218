package overlay_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
	"github.com/fairlead-cd/fairlead/internal/render/overlay"
	"github.com/fairlead-cd/fairlead/internal/render/sops"
	"github.com/fairlead-cd/fairlead/internal/render/sops/sopstest"
)

// monorepo is a repository in the layout. Every template prints all values that it sees.
func monorepo(change map[string]string) map[string]string {
	files := map[string]string{
		"charts/app/Chart.yaml":                     "apiVersion: v2\nname: app\nversion: 1.2.0\n",
		"charts/app/values.yaml":                    "from: default\n",
		"charts/app/templates/cm.yaml":              manifest("app"),
		"charts/extra/Chart.yaml":                   "apiVersion: v2\nname: extra\nversion: 3.0.0\n",
		"charts/extra/templates/cm.yaml":            manifest("extra"),
		"namespaces/shop/Chart.yaml":                "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n- {name: app, alias: web, version: ^1.0.0, repository: 'file://../../charts/app'}\n",
		"namespaces/shop/templates/own.yaml":        manifest("own"),
		"namespaces/shop/common-values.yaml":        "a: common\nb: common\nc: common\nd: common\nweb: {from: common}\n",
		"namespaces/shop/common-values.secret.yaml": "b: common-secret\nc: common-secret\nd: common-secret\n",
		"clusters/dev/shop/dev-values.yaml":         "c: cluster\nd: cluster\n",
		"clusters/dev/shop/dev-values.secret.yaml":  "d: cluster-secret\n",
		"clusters/prod/shop/prod-values.yaml":       "a: prod\n",
		"namespaces/bank/Chart.yaml":                "apiVersion: v2\nname: bank\nversion: 0.1.0\n",
		"namespaces/bank/templates/own.yaml":        manifest("own"),
		"clusters/dev/only-dev/Chart.yaml":          "apiVersion: v2\nname: only-dev\nversion: 0.1.0\n",
		"clusters/dev/only-dev/templates/own.yaml":  manifest("own"),
		"clusters/dev/only-dev/dev-values.yaml":     "a: only\n",
		"clusters/dev/plain/cm.yaml":                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n",
		"clusters/dev/notes/dev-values.yaml":        "a: b\n",
	}
	for name, content := range change {
		if content == "" {
			delete(files, name)
		} else {
			files[name] = content
		}
	}
	return files
}

func manifest(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-" + name + "', namespace: '{{ .Release.Namespace }}'}\n" +
		"data: {values: '{{ range $k, $v := omit .Values \"global\" \"web\" \"extra\" }}{{ $k }}={{ $v }} {{ end }}'}\n"
}

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return fsys
}

// dispatcher is how the overlay stands among the other types.
func dispatcher() render.Renderer {
	engine := helm.New(helm.Options{})
	return sops.Guard(render.Dispatcher{
		render.SourceTypeOverlay:                overlay.Renderer{Engine: engine, Decrypt: sops.Decrypt},
		v1alpha1.ApplicationSourceTypeDirectory: render.Directory{Decrypt: sops.Decrypt},
		v1alpha1.ApplicationSourceTypeHelm:      helm.Renderer{Engine: engine, Decrypt: sops.Decrypt},
	})
}

func source(path string, parameters ...string) v1alpha1.ApplicationSource {
	s := v1alpha1.ApplicationSource{Path: path, Plugin: &v1alpha1.ApplicationSourcePlugin{Name: "overlay"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		s.Plugin.Parameters = append(s.Plugin.Parameters,
			v1alpha1.ApplicationSourcePluginParameter{Name: parameters[i], String_: &parameters[i+1]})
	}
	return s
}

func renderFiles(ctx context.Context, fsys fs.FS, external render.External, s v1alpha1.ApplicationSource) (render.Result, error) {
	return dispatcher().Render(ctx, render.Inputs{Files: fsys, External: external}, render.Request{
		AppName: "shop-dev", Namespace: "target", Project: "shop", Source: s, KubeVersion: "1.36.3",
	})
}

func summarize(r render.Result) []string {
	var lines []string
	for _, o := range r.Objects {
		values, _, _ := nested(o.Object, "data", "values")
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s/%s: %s", o.File, o.GetNamespace(), o.GetName(), values)))
	}
	slices.Sort(lines)
	return lines
}

func nested(content map[string]any, a, b string) (string, bool, error) {
	inner, _ := content[a].(map[string]any)
	text, ok := inner[b].(string)
	return text, ok, nil
}

func TestNamespacesAreRenderedForClusters(t *testing.T) {
	shop := func(values string) []string {
		return []string{
			"namespaces/shop/charts/web/templates/cm.yaml target/shop-app: from=common",
			"namespaces/shop/templates/own.yaml target/shop-own: " + values,
		}
	}
	for name, c := range map[string]struct {
		change map[string]string
		source v1alpha1.ApplicationSource
		want   []string
	}{
		"values count in their order": {nil, source("namespaces/shop", "cluster", "dev"), shop("a=common b=common-secret c=cluster d=cluster-secret")},
		"by the path of the cluster":  {nil, source("clusters/dev/shop"), shop("a=common b=common-secret c=cluster d=cluster-secret")},
		"by the folder layout alone":  {nil, v1alpha1.ApplicationSource{Path: "clusters/dev/shop"}, shop("a=common b=common-secret c=cluster d=cluster-secret")},
		"another cluster":             {nil, source("namespaces/shop", "cluster", "prod"), shop("a=prod b=common-secret c=common-secret d=common-secret")},
		"common values only":          {map[string]string{"clusters/prod/shop/prod-values.yaml": "", "clusters/prod/x/prod-values.yaml": "a: b"}, source("namespaces/shop", "cluster", "prod"), shop("a=common b=common-secret c=common-secret d=common-secret")},
		"no values at all":            {nil, source("namespaces/bank", "cluster", "dev"), []string{"namespaces/bank/templates/own.yaml target/bank-own:"}},
		"a namespace of one cluster":  {nil, source("clusters/dev/only-dev"), []string{"clusters/dev/only-dev/templates/own.yaml target/only-dev-own: a=only"}},
		"a release name":              {nil, source("namespaces/bank", "cluster", "dev", "release-name", "b"), []string{"namespaces/bank/templates/own.yaml target/b-own:"}},
		"other names": {map[string]string{"namespaces/bank/all.yaml": "a: all", "envs/eu/bank/values/eu-bank.yaml": "b: eu"},
			source("namespaces/bank", "cluster", "eu", "clusters-dir", "envs", "common-values", "all.yaml", "cluster-values", "values/{cluster}-{namespace}.yaml"),
			[]string{"namespaces/bank/templates/own.yaml target/bank-own: a=all b=eu"}},
		"a layout further down": {map[string]string{"k8s/namespaces/x/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n", "k8s/namespaces/x/templates/own.yaml": manifest("own"), "k8s/clusters/dev/x/dev-values.yaml": "a: deep"},
			source("k8s/namespaces/x", "cluster", "dev"), []string{"k8s/namespaces/x/templates/own.yaml target/x-own: a=deep"}},
		"templates of the cluster": {map[string]string{"clusters/dev/shop/templates/more.yaml": manifest("more"), "clusters/dev/shop/templates/own.yaml": manifest("replaced")},
			source("namespaces/shop", "cluster", "dev"), []string{
				"clusters/dev/shop/templates/more.yaml target/shop-more: a=common b=common-secret c=cluster d=cluster-secret",
				"clusters/dev/shop/templates/own.yaml target/shop-replaced: a=common b=common-secret c=cluster d=cluster-secret",
				"namespaces/shop/charts/web/templates/cm.yaml target/shop-app: from=common",
			}},
		"dependencies of the cluster": {map[string]string{
			"clusters/dev/shop/Chart.yaml":  "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n- {name: extra, version: 3.x, repository: 'file://../../../charts/extra'}\n",
			"clusters/dev/shop/values.yaml": "extra: {e: 1}\nz: default\n",
		}, source("namespaces/shop", "cluster", "dev"), []string{
			"namespaces/shop/charts/extra/templates/cm.yaml target/shop-extra: e=1",
			"namespaces/shop/charts/web/templates/cm.yaml target/shop-app: from=common",
			"namespaces/shop/templates/own.yaml target/shop-own: a=common b=common-secret c=cluster d=cluster-secret z=default",
		}},
		"a folder of manifests stays one": {nil, v1alpha1.ApplicationSource{Path: "clusters/dev/plain"}, []string{"clusters/dev/plain/cm.yaml /plain:"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := renderFiles(t.Context(), tree(monorepo(c.change)), nil, c.source)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, summarize(got)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		source v1alpha1.ApplicationSource
		says   string
	}{
		"no cluster":                      {source("namespaces/shop"), "parameter cluster is missing"},
		"a path of another layout":        {source("charts/app", "cluster", "dev"), "neither namespaces/<namespace> nor clusters/<cluster>/<namespace>"},
		"another cluster than the path's": {source("clusters/dev/shop", "cluster", "prod"), "the parameter cluster is prod"},
		"no chart":                        {source("clusters/dev/notes"), "no Chart.yaml, neither in namespaces/notes nor in clusters/dev/notes"},
		"an unknown parameter":            {source("namespaces/shop", "clustre", "dev"), `parameter "clustre" is not known`},
		"a cluster that leads out":        {source("namespaces/shop", "cluster", "../charts"), "not the name of a folder"},
		"a file name that leads out":      {source("namespaces/shop", "cluster", "dev", "common-values", "../../secret.yaml"), "not a path"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderFiles(t.Context(), tree(monorepo(nil)), nil, c.source)
			if !errors.Is(err, render.ErrInvalidSource) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAClusterThatTheRepositoryDoesNotKnowIsDoubted(t *testing.T) {
	got, err := renderFiles(t.Context(), tree(monorepo(nil)), nil, source("namespaces/shop", "cluster", "dve"))
	if err != nil || len(got.Warnings) != 1 || got.Warnings[0].File != "clusters/dve" {
		t.Errorf("got %v, %v", got.Warnings, err)
	}
}

func TestSecretValuesAreDecryptedAndStayOutOfErrors(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	const password = "correct-horse-battery"
	files := monorepo(map[string]string{
		"namespaces/shop/common-values.secret.yaml": sopstest.ForAge(t, "b: "+password+"\n", recipient),
		"clusters/dev/shop/dev-values.secret.yaml":  sopstest.ForAge(t, "d: of-dev-alone\n", recipient),
	})
	got, err := renderFiles(t.Context(), tree(files), sopstest.Holding(t, identity), source("namespaces/shop", "cluster", "dev"))
	if err != nil || summarize(got)[1] != "namespaces/shop/templates/own.yaml target/shop-own: a=common b="+password+" c=cluster d=of-dev-alone" {
		t.Errorf("got %v, %v", summarize(got), err)
	}

	_, err = renderFiles(t.Context(), tree(files), sopstest.Holding(t), source("namespaces/shop", "cluster", "dev"))
	if !errors.Is(err, sops.ErrNoKey) || !strings.Contains(err.Error(), "namespaces/shop/common-values.secret.yaml") || !strings.Contains(err.Error(), recipient) {
		t.Errorf("without a key: %v", err)
	}

	for name, template := range map[string]string{
		"a template that fails":    "{{ fail (printf \"bad password %s\" .Values.b) }}",
		"a template of a value":    "{{ tpl (printf \"{{ %s\" .Values.b) . }}",
		"a text that is no YAML":   "kind: {{ .Values.b }}: {{ .Values.b }}: [\napiVersion: v1\nmetadata: {}\n",
		"an object without a name": "kind: {{ .Values.b }}\napiVersion: v1\nmetadata: {}\n",
		"a value of another type":  "{{ index .Values.b \"x\" }}{{ .Values.b.c }}",
	} {
		files["namespaces/shop/templates/own.yaml"] = template
		_, err := renderFiles(t.Context(), tree(files), sopstest.Holding(t, identity), source("namespaces/shop", "cluster", "dev"))
		if err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheReadSetIsTheTwoFoldersAndTheCharts(t *testing.T) {
	identified := func(change map[string]string) fs.FS { return identifiedFS{tree(monorepo(change))} }
	memo := render.New(render.Options{Renderer: dispatcher()})
	call := func(change map[string]string) uint64 {
		t.Helper()
		_, err := memo.Render(t.Context(), render.Inputs{Files: identified(change)}, render.Request{
			AppName: "shop-dev", Namespace: "target", Project: "shop", Source: source("namespaces/shop", "cluster", "dev"),
		}, render.CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return memo.Stats().Renders
	}
	if n := call(nil); n != 1 {
		t.Fatalf("%d renders at first", n)
	}
	for _, c := range []struct {
		change  map[string]string
		renders uint64
	}{
		{map[string]string{"README.md": "new"}, 1},
		{map[string]string{"namespaces/bank/common-values.yaml": "a: new"}, 1},
		{map[string]string{"clusters/prod/shop/prod-values.yaml": "a: new"}, 1},
		{map[string]string{"charts/extra/Chart.yaml": "apiVersion: v2\nname: extra\nversion: 4.0.0\n"}, 1},
		{map[string]string{"namespaces/shop/common-values.yaml": "a: new"}, 2},
		{map[string]string{"clusters/dev/shop/dev-values.yaml": "a: new"}, 3},
		{map[string]string{"charts/app/values.yaml": "from: new"}, 4},
	} {
		if n := call(c.change); n != c.renders {
			t.Errorf("after a change of %v: %d renders, want %d", slices.Collect(maps.Keys(c.change)), n, c.renders)
		}
	}
}

func TestOverlaysAreFound(t *testing.T) {
	got, err := overlay.Find(tree(monorepo(nil)), overlay.DefaultLayout())
	want := []overlay.Overlay{
		{Cluster: "dev", Namespace: "only-dev", Base: "."}, {Cluster: "dev", Namespace: "shop", Base: "."}, {Cluster: "prod", Namespace: "shop", Base: "."},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	for _, o := range got {
		if o.Namespace == "shop" {
			if _, err := renderFiles(t.Context(), tree(monorepo(nil)), nil, overlay.DefaultLayout().Source(o)); err != nil {
				t.Errorf("%v: %v", o, err)
			}
		}
	}
	if got, err := overlay.Find(fstest.MapFS{}, overlay.DefaultLayout()); len(got) > 0 || err != nil {
		t.Errorf("in an empty repository: %v, %v", got, err)
	}
}

func TestTheExampleRenders(t *testing.T) {
	key, err := os.ReadFile("../../../examples/demo-age-key.txt")
	if err != nil {
		t.Fatal(err)
	}
	fsys := os.DirFS("../../../examples/monorepo")
	overlays, err := overlay.Find(fsys, overlay.DefaultLayout())
	if err != nil || len(overlays) != 6 {
		t.Fatalf("found %v, %v", overlays, err)
	}
	for _, o := range overlays {
		by := overlay.DefaultLayout().Source(o)
		got, err := renderFiles(t.Context(), fsys, sopstest.Holding(t, string(key)), by)
		if err != nil || len(got.Objects) == 0 {
			t.Errorf("%v: %d objects, %v", o, len(got.Objects), err)
		}
		alone, err := renderFiles(t.Context(), fsys, sopstest.Holding(t, string(key)), v1alpha1.ApplicationSource{Path: "clusters/" + o.Cluster + "/" + o.Namespace})
		if err != nil || cmp.Diff(summarize(got), summarize(alone)) != "" {
			t.Errorf("%v by the folder layout alone: %d objects, %v", o, len(alone.Objects), err)
		}
	}
}
