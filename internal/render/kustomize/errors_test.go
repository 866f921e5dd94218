package kustomize_test

import (
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
)

func TestErrorsNameFilesOfTheRepositoryAndWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no kustomization": {
			map[string]string{"app/other.yaml": "x"},
			"invalid manifest: unable to find one of kustomization.yaml, kustomization.yml, Kustomization in app",
		},
		"two kustomizations": {
			map[string]string{"app/kustomization.yaml": "resources: []\n", "app/Kustomization": "resources: []\n"},
			"invalid manifest: found multiple kustomization files in app: kustomization.yaml, Kustomization; keep one of them",
		},
		"an empty one":     {map[string]string{"app/kustomization.yaml": "# nothing\n"}, "app/kustomization.yaml: invalid manifest: the kustomization is empty"},
		"an unknown field": {map[string]string{"app/kustomization.yaml": "resource: []\n"}, `app/kustomization.yaml: invalid manifest: invalid Kustomization: json: unknown field "resource"`},
		"not YAML":         {map[string]string{"app/kustomization.yaml": "resources: [\n"}, "app/kustomization.yaml: invalid manifest: invalid Kustomization: yaml: line 1: did not find expected node content"},
		"another kind":     {map[string]string{"app/kustomization.yaml": "kind: Pod\nresources: []\n"}, "app/kustomization.yaml: invalid manifest: kind should be Kustomization or Component"},
		"a missing file": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\n"},
			"app/kustomization.yaml: resources: a.yaml: there is no such file or folder; check the path",
		},
		"a missing file of a base": {
			map[string]string{"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "patches: [{path: a.yaml}]\n"},
			"app/kustomization.yaml: resources: base/kustomization.yaml: patches: a.yaml: there is no such file or folder; check the path",
		},
		"a base without a kustomization": {
			map[string]string{"app/kustomization.yaml": "resources: [../base]\n", "base/a.yaml": "x"},
			"app/kustomization.yaml: resources: invalid manifest: unable to find one of kustomization.yaml, kustomization.yml, Kustomization in base",
		},
		"a component among resources": {
			map[string]string{"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "kind: Component\nnamePrefix: a-\n"},
			"expected kind != 'Component' for path 'base'",
		},
		"a kustomization among components": {
			map[string]string{"app/kustomization.yaml": "components: [../base]\n", "base/kustomization.yaml": "namePrefix: a-\n"},
			"expected kind 'Component' for path 'base' but got 'Kustomization'",
		},
		"a resource that is not YAML": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": "a: [\n"},
			"app/a.yaml: invalid YAML: yaml: line 1: did not find expected node content",
		},
		"a resource without a name": {
			map[string]string{"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": "apiVersion: v1\nkind: ConfigMap\n"},
			"base/a.yaml: the ConfigMap has no metadata.name; add it",
		},
		"the same object twice": {
			map[string]string{"app/kustomization.yaml": "resources: [../base, a.yaml]\n", "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": configMapText("a"), "app/a.yaml": configMapText("a")},
			"app/a.yaml: may not add resource with an already registered id: ConfigMap.v1/a",
		},
		"a patch for nobody": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "app/a.yaml": configMapText("a"), "app/p.yaml": configMapText("b")},
			`no resource matches strategic merge patch "ConfigMap.v1/b": no matches for Id ConfigMap.v1/b; failed to find unique target for patch ConfigMap.v1/b`,
		},
		"a JSON patch that fails": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n", "app/a.yaml": configMapText("a"), "app/p.yaml": "- {op: replace, path: /data/x, value: y}\n"},
			"replace operation does not apply: doc is missing path: /data/x: missing value",
		},
		"a patch that is none": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n", "app/a.yaml": configMapText("a"), "app/p.yaml": "text\n"},
			`unable to parse SM or JSON patch from [path: "app/p.yaml"]`,
		},
		"a merge into nothing": {
			map[string]string{"app/kustomization.yaml": "configMapGenerator: [{name: a, behavior: merge, literals: [a=b]}]\n"},
			"id ConfigMap a does not exist; cannot merge or replace",
		},
		"a replacement from nothing": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\nreplacements: [{source: {kind: Secret, name: x}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x]}]}]\n", "app/a.yaml": configMapText("a")},
			"nothing selected by Secret/x",
		},
		"an empty file of CRDs": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\ncrds: [c.yaml]\n", "app/a.yaml": configMapText("a"), "app/c.yaml": ""},
			"app/kustomization.yaml: crds: app/c.yaml: the file is empty",
		},
		"a schema that is none": {
			map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\nopenapi: {path: s.json}\npatches: [{patch: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\ndata: {x: y}\"}]\n", "app/a.yaml": configMapText("a"), "app/s.json": "[]"},
			`kustomize cannot handle a file: invalid schema file: json: cannot unmarshal JSON array into Go struct { Extensions spec.Extensions "json:\",inline\""; spec.SwaggerProps }`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(c.files)}, request("app", nil))
			if err == nil {
				t.Fatal("no error")
			}
			t.Log(err)
			// The JSON library below the schemas changes its words from build to build, so that nobody relies on them.
			got := strings.ReplaceAll(err.Error(), "unable to unmarshal", "cannot unmarshal")
			if got != c.want || strings.Contains(got, "@") {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}
