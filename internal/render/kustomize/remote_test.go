package kustomize_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// external fetches repositories with the mirrors of internal/source, and files by HTTP.
type external struct {
	render.NoExternal
	mirrors     *source.Mirrors
	credentials source.Repository

	mu    sync.Mutex
	asked []string
}

func newExternal(t testing.TB) *external {
	t.Helper()
	mirrors, err := source.NewMirrors(source.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mirrors.Close() })
	return &external{mirrors: mirrors}
}

func (e *external) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, what)
}

func (e *external) Repository(ctx context.Context, url, revision string) (fs.FS, error) {
	e.note("repository " + url + " " + revision)
	repo := e.credentials
	repo.URL = url
	commit, err := e.mirrors.Resolve(ctx, repo, revision, time.Minute)
	if err != nil {
		return nil, err
	}
	return e.mirrors.Snapshot(ctx, repo, commit)
}

func (e *external) Download(ctx context.Context, url string) ([]byte, error) {
	e.note("download")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return io.ReadAll(resp.Body)
}

const remoteService = "apiVersion: v1\nkind: Service\nmetadata: {name: remote}\nspec: {ports: [{port: 80}]}\n"

// remoteWorld has a Git server with two repositories, the first of which refers to the second, and a web server.
func remoteWorld(t testing.TB) (first, second *gitserver.Repo, web *httptest.Server) {
	t.Helper()
	s := gitserver.Start(t, gitserver.Options{})
	second = s.Repository(t, "second.git", map[string]string{
		"shared/kustomization.yaml": "resources: [cm.yaml]\nnamePrefix: second-\n", "shared/cm.yaml": configMapText("shared"),
	})
	first = s.Repository(t, "first.git", map[string]string{
		"base/kustomization.yaml":            "resources: [service.yaml, ../sibling, '" + second.URL() + "//shared?ref=main']\nconfigMapGenerator: [{name: g, files: [data.txt]}]\n",
		"base/service.yaml":                  remoteService,
		"base/data.txt":                      "one",
		"sibling/kustomization.yaml":         "resources: [cm.yaml]\n",
		"sibling/cm.yaml":                    configMapText("sibling"),
		"components/label/kustomization.yml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonLabels: {remote: component}\n",
		"kustomization.yaml":                 "resources: [sibling]\n",
	})
	first.Tag(t, "v1", "main", "")
	mux := http.NewServeMux()
	for name, content := range map[string]string{
		"/service.yaml": remoteService,
		"/plain":        configMapText("plain"),
		"/patch.yaml":   "- {op: add, path: /metadata/labels, value: {patched: \"yes\"}}\n",
		"/data.txt":     "downloaded",
		"/app.env":      "A=B\n",
		"/rep.yaml":     "source: {kind: ConfigMap, name: local, fieldPath: metadata.name}\ntargets: [{select: {kind: Service}, fieldPaths: [spec.x], options: {create: true}}]\n",
		"/config.yaml":  "namePrefix:\n  - path: metadata/x\n",
	} {
		mux.HandleFunc("GET "+name, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, content) })
	}
	web = httptest.NewServer(mux)
	t.Cleanup(web.Close)
	return first, second, web
}

func configMapText(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n"
}

func TestRemoteBasesAreThoseOfKustomizeBuild(t *testing.T) {
	first, _, web := remoteWorld(t)
	host := strings.TrimPrefix(first.URL(), "http://")
	for name, c := range map[string]struct {
		kustomization string
	}{
		"a folder of a repository": {
			kustomization: "resources: ['" + first.URL() + "//base?ref=v1', cm.yaml]\nnamePrefix: top-\n",
		},
		"the root of a repository":    {kustomization: "resources: [" + first.URL() + "]\n"},
		"the folder behind .git":      {kustomization: "resources: ['" + first.URL() + "/sibling?ref=main&timeout=90s&submodules=false']\n"},
		"the word version, and git::": {kustomization: "resources: ['git::" + first.URL() + "//sibling?version=v1']\n"},
		"a scheme in capitals":        {kustomization: "bases: ['HTTP://" + host + "//sibling']\n"},
		"a component":                 {kustomization: "resources: [cm.yaml]\ncomponents: ['" + first.URL() + "//components/label?ref=main']\n"},
		"the same base twice": {
			kustomization: "resources: [a, b]\n",
		},
		"files by HTTP": {
			kustomization: "resources: [" + web.URL + "/service.yaml, " + web.URL + "/plain, cm.yaml]\n" +
				"patches: [{path: " + web.URL + "/patch.yaml, target: {kind: Service}}]\n" +
				"configMapGenerator: [{name: g, files: [" + web.URL + "/data.txt, key=" + web.URL + "/data.txt], envs: [" + web.URL + "/app.env]}]\n" +
				"replacements: [{path: " + web.URL + "/rep.yaml}]\nconfigurations: [" + web.URL + "/config.yaml]\n",
		},
		"origins of all": {
			kustomization: "buildMetadata: [originAnnotations]\nresources: ['" + first.URL() + "//base?ref=v1', cm.yaml]\n",
		},
		"origins and transformations of all": {
			kustomization: "buildMetadata: [originAnnotations, transformerAnnotations]\nnamePrefix: x-\nresources: ['" + first.URL() + "//base?ref=v1', cm.yaml]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := mapFS(map[string]string{
				"app/kustomization.yaml": c.kustomization, "app/cm.yaml": configMapText("local"),
				"app/a/kustomization.yaml": "namePrefix: a-\nresources: [" + first.URL() + "//sibling]\n",
				"app/b/kustomization.yaml": "namePrefix: b-\nresources: [" + first.URL() + "//sibling]\n",
			})
			want, message, err := build(t, filepath.Join(writeTree(t, files), "app"))
			if err != nil {
				t.Fatalf("kustomize build: %v\n%s", err, message)
			}
			got, err := renderer().Render(t.Context(), render.Inputs{Files: files, External: newExternal(t)}, request("app", nil))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, contents(got.Objects)); diff != "" {
				t.Errorf("differs from kustomize build (-kustomize +ours):\n%s", diff)
			}
			for _, o := range got.Objects {
				if _, err := fs.Stat(files, o.File); err != nil {
					t.Errorf("%s %s: file %q: %v", o.GetKind(), o.GetName(), o.File, err)
				}
			}
		})
	}
}

func TestACommitToARemoteBaseIsRenderedAndOthersAreNot(t *testing.T) {
	first, second, _ := remoteWorld(t)
	files := mapFS(map[string]string{"app/kustomization.yaml": "resources: ['" + first.URL() + "//base?ref=main']\n"})
	own := gitserver.Start(t, gitserver.Options{}).Repository(t, "own.git", map[string]string{"app/kustomization.yaml": string(files["app/kustomization.yaml"].Data)})
	e := newExternal(t)
	snapshot, err := e.Repository(t.Context(), own.URL(), "")
	if err != nil {
		t.Fatal(err)
	}
	memo := render.New(render.Options{Renderer: render.Dispatcher{v1alpha1.ApplicationSourceTypeKustomize: renderer()}})
	run := func() *render.Result {
		t.Helper()
		if _, err := e.mirrors.Fetch(t.Context(), source.Repository{URL: first.URL()}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.mirrors.Fetch(t.Context(), source.Repository{URL: second.URL()}); err != nil {
			t.Fatal(err)
		}
		r, err := memo.Render(t.Context(), render.Inputs{Files: snapshot, External: e}, request("app", nil), render.CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := run()
	first.Commit(t, map[string]string{"README": "more\n"}, "Say more")
	if run().Digest != before.Digest || memo.Stats().Renders != 1 {
		t.Errorf("a commit that does not matter was rendered: %+v", memo.Stats())
	}
	second.Commit(t, map[string]string{"shared/cm.yaml": configMapText("shared") + "data: {new: value}\n"}, "Change it")
	if run().Digest == before.Digest || memo.Stats().Renders != 2 {
		t.Errorf("a commit to the second repository was not seen: %+v", memo.Stats())
	}
}
