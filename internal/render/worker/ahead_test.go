package worker_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/renderers"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
)

// commit gives files the identities that they have in Git: equal content, equal identity, of folders too.
func commit(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	below := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		id := fmt.Sprintf("%x", sha256.Sum256([]byte(files[name])))
		fsys[name] = &fstest.MapFile{Data: []byte(files[name]), Mode: 0o644, Sys: id}
		for dir := name; dir != "."; {
			dir = path.Dir(dir)
			below[dir] = append(below[dir], name+" "+id)
		}
	}
	for dir, all := range below {
		fsys[dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o755, Sys: fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(all, "\n"))))}
	}
	return fsys
}

// sources are Applications of each kind, and what lies beside them.
func sources() (files map[string]string, requests map[string]render.Request) {
	manifest := func(name string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n"
	}
	files = map[string]string{
		"README.md": "x", "dir/a.yaml": manifest("a"), "dir/b.yaml": manifest("b"), "dir/deep/c.yaml": manifest("c"), "dir/notes.txt": "not read",
		"chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n", "chart/values.yaml": "a: 1\n", "chart/more.yaml": "b: 2\n",
		"chart/templates/x.yaml": manifest("x") + "data: {a: {{ .Values.a | quote }}, f: {{ .Files.Get \"file\" | quote }}}\n", "chart/file": "f",
		"outside.yaml":            "a: 5\n",
		"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": manifest("a"), "base/unused.yaml": manifest("unused"),
		"over/kustomization.yaml": "resources: [../base, b.yaml]\nnamePrefix: p-\n", "over/b.yaml": manifest("b"), "over/unused.yaml": manifest("unused"),
		"json/main.jsonnet":        "local lib = import 'lib.libsonnet'; lib.object('j')",
		"json/lib.libsonnet":       "{object(n):: {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: n}}}",
		"namespaces/ns/Chart.yaml": "apiVersion: v2\nname: ns\nversion: 1.0.0\n", "namespaces/ns/templates/x.yaml": manifest("x") + "data: {a: {{ .Values.a | quote }}}\n",
		"namespaces/ns/common-values.yaml": "a: 1\n", "clusters/one/ns/one-values.yaml": "a: 2\n",
	}
	cluster := "one"
	of := func(s v1alpha1.ApplicationSource) render.Request {
		return render.Request{AppName: "web", AppNamespace: "argocd", Namespace: "web", KubeVersion: "1.36.3", Source: s}
	}
	requests = map[string]render.Request{
		"a directory":           of(v1alpha1.ApplicationSource{Path: "dir"}),
		"directories":           of(v1alpha1.ApplicationSource{Path: "dir/", Directory: &v1alpha1.ApplicationSourceDirectory{Recurse: true}}),
		"a chart":               of(v1alpha1.ApplicationSource{Path: "chart"}),
		"a chart with values":   of(v1alpha1.ApplicationSource{Path: "chart", Helm: &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"more.yaml", "../outside.yaml"}}}),
		"a missing values file": of(v1alpha1.ApplicationSource{Path: "chart", Helm: &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"none.yaml"}}}),
		"values that may miss":  of(v1alpha1.ApplicationSource{Path: "chart", Helm: &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"none.yaml"}, IgnoreMissingValueFiles: true}}),
		"globs of values":       of(v1alpha1.ApplicationSource{Path: "chart", Helm: &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"*e*.yaml"}}}),
		"kustomize":             of(v1alpha1.ApplicationSource{Path: "over"}),
		"Jsonnet":               of(v1alpha1.ApplicationSource{Path: "json"}),
		"an overlay": of(v1alpha1.ApplicationSource{Path: "namespaces/ns", Plugin: &v1alpha1.ApplicationSourcePlugin{
			Name: "overlay", Parameters: v1alpha1.ApplicationSourcePluginParameters{{Name: "cluster", String_: &cluster}},
		}}),
		"no such folder": of(v1alpha1.ApplicationSource{Path: "none"}),
		"a file":         of(v1alpha1.ApplicationSource{Path: "README.md"}),
	}
	return files, requests
}

// changed gives each commit that differs from files in one place: a file changed, gone, or new.
func changed(files map[string]string) map[string]map[string]string {
	all := map[string]map[string]string{}
	with := func(what, name, content string) {
		next := maps.Clone(files)
		if next[name] = content; content == "" {
			delete(next, name)
		}
		all[what+" "+name] = next
	}
	for name, content := range files {
		with("changed", name, content+"\n# changed\n")
		with("gone", name, "")
	}
	for _, name := range []string{
		"dir/.argocd-source.yaml", "chart/.argocd-source-web.yaml", "chart/none.yaml", "chart/templates/new.yaml", "dir/new.txt", "none/x", "over/new", "new/x",
	} {
		with("new", name, "{}\n")
	}
	return all
}

func TestWhatGoesAlongIsNotedOnlyWhenItIsLookedAt(t *testing.T) {
	pool := newPool(t, worker.Options{})
	files, requests := sources()
	later := changed(files)
	for name, req := range requests {
		t.Run(name, func(t *testing.T) {
			// renders tells for each change whether it made a result invalid.
			renders := func(r render.Renderer) (again map[string]bool, objects []render.Object, problem string) {
				again = map[string]bool{}
				for what, content := range later {
					memo := render.New(render.Options{Renderer: r})
					result, err := memo.Render(t.Context(), render.Inputs{Files: commit(files)}, req, render.CallOptions{})
					if err != nil {
						problem = err.Error()
					} else {
						objects = result.Objects
					}
					_, _ = memo.Render(t.Context(), render.Inputs{Files: commit(content)}, req, render.CallOptions{})
					again[what] = memo.Stats().Renders == 2
				}
				return again, objects, problem
			}
			wantAgain, wantObjects, wantProblem := renders(renderers.New())
			again, objects, problem := renders(pool)
			if diff := cmp.Diff(wantAgain, again); diff != "" {
				t.Errorf("rendered again in process (-) and in a worker (+):\n%s", diff)
			}
			if diff := cmp.Diff(wantObjects, objects); diff != "" {
				t.Errorf("in process (-) and in a worker (+):\n%s", diff)
			}
			if problem != wantProblem {
				t.Errorf("error in process: %s\nin a worker: %s", wantProblem, problem)
			}
		})
	}
}

func TestASmallFolderIsNotAskedFor(t *testing.T) {
	files, requests := sources()
	small := commit(files)
	for i := range 200 {
		files[fmt.Sprintf("chart/templates/%d.yaml", i)] = fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n%d}\n", i)
	}
	for name, test := range map[string]struct {
		files fstest.MapFS
		asks  bool
	}{"a small folder": {small, false}, "a large folder": {commit(files), true}} {
		t.Run(name, func(t *testing.T) {
			memo := render.New(render.Options{Renderer: newPool(t, worker.Options{MaxReads: 1})})
			_, err := memo.Render(t.Context(), render.Inputs{Files: test.files}, requests["a chart"], render.CallOptions{})
			if test.asks != errors.Is(err, worker.ErrLimit) || !test.asks && err != nil {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestWhenAWorkerDiesAllThatWentAlongCounts(t *testing.T) {
	pool := newPool(t, worker.Options{})
	memo := render.New(render.Options{Renderer: render.RendererFunc(func(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
		req.AppName = "exit"
		return pool.Render(ctx, in, req)
	})})
	files, requests := sources()
	for i, content := range []map[string]string{files, files, changed(files)["changed dir/notes.txt"]} {
		_, err := memo.Render(t.Context(), render.Inputs{Files: commit(content)}, requests["a directory"], render.CallOptions{})
		if !errors.Is(err, worker.ErrCrashed) {
			t.Fatal(err)
		}
		if got, want := memo.Stats().Renders, []uint64{1, 1, 2}[i]; got != want {
			t.Errorf("%d renders after request %d, want %d", got, i, want)
		}
	}
}
