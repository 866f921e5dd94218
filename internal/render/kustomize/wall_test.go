package kustomize_test

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// refusing is an External that gives nothing, and remembers whether it was asked.
type refusing struct {
	render.NoExternal
	asked atomic.Int32
}

func (r *refusing) Repository(ctx context.Context, url, revision string) (fs.FS, error) {
	r.asked.Add(1)
	return r.NoExternal.Repository(ctx, url, revision)
}

func (r *refusing) Download(ctx context.Context, url string) ([]byte, error) {
	r.asked.Add(1)
	return r.NoExternal.Download(ctx, url)
}

// watchOutside notices programs that are started by their name, and connections to the server it gives the host of.
func watchOutside(t *testing.T) (host string, touched func() bool) {
	t.Helper()
	dir := t.TempDir()
	marker := filepath.Join(dir, "marker")
	for _, name := range []string{"git", "helm", "docker", "sh", "bash", "plugin"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n/bin/echo ran >> "+marker+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("KUSTOMIZE_PLUGIN_HOME", dir)
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), func() bool {
		_, err := os.Stat(marker)
		return err == nil || requests.Load() > 0
	}
}

func TestNothingGetsKustomizeToGitHelmOrTheNetwork(t *testing.T) {
	host, touched := watchOutside(t)
	plugin := func(body string) string { return "apiVersion: builtin\n" + body }
	for name, files := range map[string]map[string]string{
		"a resource":            {"k": "resources: ['http://HOST/org/repo']"},
		"a file":                {"k": "resources: ['http://HOST/x.yaml']"},
		"capitals":              {"k": "resources: ['HtTp://HOST/x.yaml']"},
		"git::":                 {"k": "resources: ['GIT::http://HOST/org/repo']"},
		"scp":                   {"k": "resources: ['git@HOST:org/repo']"},
		"a user and a path":     {"k": "resources: ['base@v1/some/where']"},
		"github without scheme": {"k": "resources: [github.com/org/repo]"},
		"github's scp":          {"k": "components: ['GitHub.com:org/repo']"},
		"ssh":                   {"k": "bases: ['ssh://git@HOST/org/repo']"},
		"a file URL":            {"k": "resources: ['file:///etc']"},
		"another scheme":        {"k": "resources: ['ftp://HOST/x']"},
		"a line break":          {"k": "resources: [\"http://HOST/org/repo\\nkind: x\"]"},
		"blanks":                {"k": "resources: [' http://HOST/org/repo']"},
		"a patch":               {"k": "configMapGenerator: [{name: a}]\npatches: [{path: 'http://HOST/p.yaml'}]"},
		"a patch in capitals":   {"k": "configMapGenerator: [{name: a}]\nPatches: [{Path: 'HTTP://HOST/p.yaml'}]"},
		"a JSON patch":          {"k": "patchesJson6902: [{path: 'http://HOST/p.yaml', target: {version: v1, kind: ConfigMap, name: a}}]"},
		"a strategic patch":     {"k": "patchesStrategicMerge: ['http://HOST/p.yaml']"},
		"a patch of two lines":  {"k": "patchesStrategicMerge: [\"http://HOST/p.yaml\\n \"]"},
		"a replacement":         {"k": "replacements: [{path: 'http://HOST/p.yaml'}]"},
		"a generator's file":    {"k": "configMapGenerator: [{name: a, files: ['k=http://HOST/p']}]"},
		"a generator's env":     {"k": "secretGenerator: [{name: a, envs: ['http://HOST/p']}]"},
		"a generator's old env": {"k": "secretGenerator: [{name: a, env: 'http://HOST/p'}]"},
		"crds":                  {"k": "crds: ['http://HOST/p']"},
		"configurations":        {"k": "configurations: ['http://HOST/p']"},
		"openapi":               {"k": "openapi: {path: 'http://HOST/p'}"},
		"a generator":           {"k": "generators: ['http://HOST/p']"},
		"an inline generator that is none": {
			"k": "generators: [\"https://HOST/org/repo\\n\"]",
		},
		"a transformer that is a repository": {"k": "transformers: ['https://HOST/org/repo?ref=x']"},
		"a validator":                        {"k": "validators: ['git@HOST:org/repo']"},
		"an inline transformer's path": {
			"k": "configMapGenerator: [{name: a}]\ntransformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n  PATH: http://HOST/p\n",
		},
		"a transformer's paths": {
			"k":      "configMapGenerator: [{name: a}]\ntransformers: [t.yaml]\n",
			"t.yaml": plugin("kind: PatchStrategicMergeTransformer\nmetadata: {name: p}\npaths: ['http://HOST/p']\n"),
		},
		"a transformer's replacements": {
			"k":      "configMapGenerator: [{name: a}]\ntransformers: [t.yaml]\n",
			"t.yaml": plugin("kind: ReplacementTransformer\nmetadata: {name: p}\nreplacements: [{Path: 'http://HOST/p'}]\n"),
		},
		"a transformer in a list": {
			"k":      "configMapGenerator: [{name: a}]\ntransformers: [t.yaml]\n",
			"t.yaml": "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(plugin("kind: PatchTransformer\nmetadata: {name: p}\npath: http://HOST/p"), "\n", "\n  "),
		},
		"a transformer whose path is patched in": {
			"k":                    "configMapGenerator: [{name: a}]\ntransformers: [t]\n",
			"t/kustomization.yaml": "resources: [t.yaml]\npatches: [{target: {kind: PatchTransformer}, patch: '[{\"op\": \"replace\", \"path\": \"/path\", \"value\": \"http://HOST/p\"}]'}]\n",
			"t/t.yaml":             plugin("kind: PatchTransformer\nmetadata: {name: p}\npath: p.yaml\n"),
			"p.yaml":               "[]",
		},
		"a generator plugin's files": {
			"k":      "generators: [g.yaml]\n",
			"g.yaml": plugin("kind: ConfigMapGenerator\nmetadata: {name: g}\nFiles: ['http://HOST/p']\n"),
		},
		"a chart by a generator": {
			"k":      "generators: [g.yaml]\n",
			"g.yaml": plugin("kind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: c\nrepo: http://HOST\n"),
		},
		"a chart": {"k": "helmCharts: [{name: c, repo: 'http://HOST'}]\n"},
		"an exec plugin": {
			"k":      "generators: [g.yaml]\n",
			"g.yaml": "apiVersion: example.com/v1\nkind: plugin\nmetadata: {name: g}\n",
		},
		"a function in a container": {
			"k":      "transformers: [g.yaml]\n",
			"g.yaml": "apiVersion: example.com/v1\nkind: F\nmetadata:\n  name: g\n  annotations: {config.kubernetes.io/function: 'container: {image: x}'}\n",
		},
		"a function that is a program": {
			"k":      "transformers: [g.yaml]\n",
			"g.yaml": "apiVersion: example.com/v1\nkind: F\nmetadata:\n  name: g\n  annotations: {config.kubernetes.io/function: 'exec: {path: ./plugin}'}\n",
		},
		"a base's resource": {"k": "resources: [b]\n", "b/kustomization.yaml": "resources: ['http://HOST/org/repo']\n"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := map[string]string{}
			for file, content := range files {
				if file == "k" {
					file = "kustomization.yaml"
				}
				tree["app/"+file] = strings.ReplaceAll(content, "HOST", host)
			}
			r := renderer()
			result, err := r.Render(t.Context(), render.Inputs{Files: mapFS(tree), External: &refusing{}}, request("app", nil))
			if err == nil {
				t.Errorf("no error, but %d objects", len(result.Objects))
			} else {
				t.Log(err)
			}
			if touched() {
				t.Fatal("something outside was reached")
			}
		})
	}
}

func TestPathsStayInTheRepository(t *testing.T) {
	for name, c := range map[string]struct {
		kustomization, options, want string
	}{
		"a file beside the folder":  {"resources: [../secret.yaml]", "", "security; file '../secret.yaml' is not in or below 'app'"},
		"a generator's file":        {"configMapGenerator: [{name: a, files: [../secret.yaml]}]", "", "security; file '../secret.yaml' is not in or below 'app'"},
		"a patch":                   {"patches: [{path: ../secret.yaml}]", "", "security; file '../secret.yaml'"},
		"a link to beside":          {"resources: [link.yaml]", "", "security; file 'link.yaml' is not in or below 'app'"},
		"out of the repository":     {"resources: [../../x]", "--load-restrictor LoadRestrictionsNone", "../../x leads out of the repository"},
		"an absolute path":          {"resources: [/etc/passwd]", "--load-restrictor=LoadRestrictionsNone", "absolute paths are not allowed"},
		"a virtual path":            {"resources: [../../@0/secret.yaml]", "--load-restrictor LoadRestrictionsNone", "leads out of the repository"},
		"a folder that is a circle": {"resources: [../app]", "", "circle: app -> app"},
		"the folder above":          {"resources: [..]", "", "circle: app -> . -> app"},
	} {
		t.Run(name, func(t *testing.T) {
			root := writeTree(t, mapFS(map[string]string{
				"app/kustomization.yaml": c.kustomization, "secret.yaml": configMapText("secret"), "kustomization.yaml": "resources: [app]\n",
			}))
			if err := os.Symlink("../secret.yaml", filepath.Join(root, "app/link.yaml")); err != nil {
				t.Fatal(err)
			}
			req := request("app", nil)
			req.Settings.KustomizeBuildOptions = c.options
			_, err := renderer().Render(t.Context(), render.Inputs{Files: os.DirFS(root)}, req)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}
