package kustomize_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/kustomize"
)

// rot13 stands for an encryption that files with the extension .enc or a first line "#enc" have.
func rot13(_ context.Context, _ render.Inputs, _ string, content []byte) ([]byte, error) {
	cipher, ok := bytes.CutPrefix(content, []byte("#enc\n"))
	switch {
	case !ok:
		return content, nil
	case bytes.Contains(cipher, []byte("broken")):
		return nil, errors.New("no key for this file")
	}
	return bytes.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, cipher), nil
}

func encrypted(t testing.TB, plain string) string {
	t.Helper()
	content, err := rot13(t.Context(), render.Inputs{}, "", []byte("#enc\n"+plain))
	if err != nil {
		t.Fatal(err)
	}
	return "#enc\n" + string(content)
}

func TestEveryFileIsDecryptedButKustomizations(t *testing.T) {
	plain := map[string]string{
		"app/kustomization.yaml": "resources: [secret.yaml]\npatches: [{path: patch.yaml}]\nsecretGenerator: [{name: g, files: [file.txt], envs: [x.env]}]\n" +
			"transformers: [t.yaml]\nhelmCharts: [{name: c, releaseName: r, valuesFile: values.yaml, additionalValuesFiles: [more.yaml]}]\n",
		"app/secret.yaml":                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hunter\n",
		"app/patch.yaml":                 "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {more: patched}\n",
		"app/file.txt":                   "content",
		"app/x.env":                      "NAME=value\n",
		"app/t.yaml":                     "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: pre-\nfieldSpecs: [{path: metadata/name}]\n",
		"app/values.yaml":                "first: one\n",
		"app/more.yaml":                  "second: two\n",
		"app/charts/c/Chart.yaml":        "apiVersion: v2\nname: c\nversion: 1.0.0\n",
		"app/charts/c/templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {first: \"{{ .Values.first }}\", second: \"{{ .Values.second }}\"}\n",
	}
	cipher := maps.Clone(plain)
	for _, name := range []string{"secret.yaml", "patch.yaml", "file.txt", "x.env", "t.yaml", "values.yaml", "more.yaml"} {
		cipher["app/"+name] = encrypted(t, plain["app/"+name])
	}
	req := request("app", nil)
	req.Settings.KustomizeBuildOptions = "--enable-helm"
	want, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(plain)}, req)
	if err != nil {
		t.Fatal(err)
	}
	r := renderer()
	r.Decrypt = rot13
	got, err := r.Render(t.Context(), render.Inputs{Files: mapFS(cipher)}, req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(contents(want.Objects), contents(got.Objects)); diff != "" || len(got.Objects) != 3 {
		t.Errorf("decrypted differs from plain (-plain +decrypted):\n%s", diff)
	}
}

func TestErrorsTellNothingOfDecryptedFiles(t *testing.T) {
	for name, c := range map[string]struct{ kustomization, file, want string }{
		"no key":                    {"resources: [s.yaml]", "#enc\nbroken", "no key for this file"},
		"no object":                 {"resources: [s.yaml]", encrypted(t, "hunter2swordfish"), "s.yaml"},
		"a patch that is none":      {"resources: [cm.yaml]\npatches: [{path: s.yaml, target: {kind: ConfigMap}}]", encrypted(t, "hunter2swordfish"), "s.yaml"},
		"a JSON patch that is none": {"resources: [cm.yaml]\npatchesJson6902: [{path: s.yaml, target: {version: v1, kind: ConfigMap, name: cm}}]", encrypted(t, "hunter2swordfish: 1\n"), "***"},
		"a transformer":             {"transformers: [s.yaml]", encrypted(t, "a: [hunter2swordfish\n"), "s.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			r := renderer()
			r.Decrypt = rot13
			_, err := r.Render(t.Context(), render.Inputs{Files: mapFS(map[string]string{
				"app/kustomization.yaml": c.kustomization, "app/s.yaml": c.file, "app/cm.yaml": configMapText("cm"),
			})}, request("app", nil))
			if err == nil {
				t.Fatal("no error")
			}
			t.Log(err)
			if strings.Contains(err.Error(), "swordfish") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q and without the secret", err, c.want)
			}
		})
	}
}

func TestWhatIsTooMuchEndsInAnError(t *testing.T) {
	chain := map[string]string{}
	for i := range 60 {
		chain[fmt.Sprintf("b%d/kustomization.yaml", i)] = fmt.Sprintf("resources: [../b%d]\n", i+1)
	}
	chain["app/kustomization.yaml"] = "resources: [../b0]\n"
	// Each level builds the one below twice, under another name.
	doubling := map[string]string{"app/kustomization.yaml": "resources: [../a0, ../b0]\n"}
	for i := range 30 {
		for _, side := range []string{"a", "b"} {
			doubling[fmt.Sprintf("%s%d/kustomization.yaml", side, i)] = fmt.Sprintf("resources: [../a%d, ../b%d]\nnamePrefix: %s-\n", i+1, i+1, side)
		}
	}
	doubling["a30/kustomization.yaml"] = "configMapGenerator: [{name: a}]\n"
	doubling["b30/kustomization.yaml"] = "configMapGenerator: [{name: b}]\n"
	var bomb strings.Builder
	bomb.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx0: &x0 [lol, lol, lol, lol]\n")
	for i := 1; i < 20; i++ {
		fmt.Fprintf(&bomb, "x%d: &x%d [*x%d, *x%d, *x%d, *x%d]\n", i, i, i-1, i-1, i-1, i-1)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"bases of bases":                     {chain, "bases are nested more than 50 deep"},
		"bases that double":                  {doubling, "builds more than 3000 folders"},
		"aliases":                            {map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": bomb.String()}, "manifests are too large: app/a.yaml:1: aliases expand to more than"},
		"aliases in a patch":                 {map[string]string{"app/kustomization.yaml": "configMapGenerator: [{name: a}]\npatches: [{path: a.yaml}]\n", "app/a.yaml": bomb.String()}, "aliases expand to more than"},
		"aliases in a patch of another name": {map[string]string{"app/kustomization.yaml": "configMapGenerator: [{name: a}]\npatches: [{path: a.patch, target: {kind: ConfigMap}}]\n", "app/a.patch": bomb.String()}, "app/a.patch:1: aliases expand to more than"},
		"aliases in an inline patch":         {map[string]string{"app/kustomization.yaml": "configMapGenerator: [{name: a}]\npatches:\n- patch: |\n    " + strings.ReplaceAll(bomb.String(), "\n", "\n    ") + "\n"}, "a patch:1: aliases expand to more than"},
		"aliases in a strategic merge patch": {map[string]string{"app/kustomization.yaml": "configMapGenerator: [{name: a}]\npatchesStrategicMerge:\n- |\n    " + strings.ReplaceAll(bomb.String(), "\n", "\n    ") + "\n"}, "a patch:1: aliases expand to more than"},
		"aliases in a second document":       {map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMapText("a") + "---\n" + bomb.String()}, "app/a.yaml:1: aliases expand to more than"},
		"aliases in a kustomization":         {map[string]string{"app/kustomization.yaml": strings.ReplaceAll(bomb.String(), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "") + "commonAnnotations: {a: b}\n"}, "app/kustomization.yaml:1: aliases expand to more than"},
		"aliases in a generator":             {map[string]string{"app/kustomization.yaml": "generators:\n- |\n    " + strings.ReplaceAll(bomb.String(), "\n", "\n    ") + "\n"}, "inline configuration:1: aliases expand to more than"},
		"an alias of itself":                 {map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMapText("a") + "x: &a [*a]\n"}, "contains itself"},
		"a file":                             {map[string]string{"app/kustomization.yaml": "configMapGenerator: [{name: a, files: [a]}]\n", "app/a": strings.Repeat("x", 33<<20)}, "app/a: manifests are too large: it has more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(c.files)}, request("app", nil))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

func TestAGivenUpRenderEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("nobody waits")
	cancel(reason)
	_, err := renderer().Render(ctx, render.Inputs{Files: mapFS(settingsTree)}, request("app", nil))
	if !errors.Is(err, reason) {
		t.Errorf("got %v, want %v", err, reason)
	}
}

func TestSchemasOfOneBuildDoNotShowInAnother(t *testing.T) {
	// Without a schema a patch replaces a list of an unknown kind, with that of the case openapi it merges it.
	roll := os.DirFS("testdata/compare/openapi")
	plain := map[string]string{}
	err := fs.WalkDir(roll, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(roll, name)
		plain[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"base", "overlay"} {
		k := plain[name+"/kustomization.yaml"]
		plain[name+"/kustomization.yaml"] = strings.Replace(k, "openapi: {path: schema.json}\n", "", 1)
		if k == plain[name+"/kustomization.yaml"] {
			t.Fatalf("the case has changed: %s", k)
		}
	}
	count := func(files fs.FS) int {
		r, err := renderer().Render(t.Context(), render.Inputs{Files: files}, request("overlay", nil))
		if err != nil {
			t.Error(err)
			return 0
		}
		spec, _ := r.Objects[0].Object["spec"].(map[string]any)
		list, _ := spec["containers"].([]any)
		return len(list)
	}
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			files, want := fs.FS(mapFS(plain)), 1
			if i%4 == 0 {
				files, want = roll, 2
			}
			if got := count(files); got != want {
				t.Errorf("%d containers, want %d", got, want)
			}
		})
	}
	wait.Wait()
}

func TestBuildsAtTheSameTimeGiveTheSame(t *testing.T) {
	files := os.DirFS("testdata/compare/three-deep")
	want, err := renderer().Render(t.Context(), render.Inputs{Files: files}, request("overlay", nil))
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			got, err := renderer().Render(t.Context(), render.Inputs{Files: files}, request("overlay", nil))
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(contents(want.Objects), contents(got.Objects)); diff != "" {
				t.Error(diff)
			}
		})
	}
	wait.Wait()
}

func TestOnlyWhatIsReadCounts(t *testing.T) {
	files := mapFS(map[string]string{
		"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [a.yaml]\n",
		"base/a.yaml": configMapText("a"), "base/README.md": "text", "other/a.yaml": configMapText("x"),
	})
	seen := &watched{FS: files, names: map[string]bool{}}
	if _, err := renderer().Render(t.Context(), render.Inputs{Files: seen}, request("app", nil)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"app", "app/Kustomization", "app/kustomization.yaml", "app/kustomization.yml",
		"base", "base/Kustomization", "base/a.yaml", "base/kustomization.yaml", "base/kustomization.yml",
	}
	if got := slices.Sorted(maps.Keys(seen.names)); !slices.Equal(got, want) {
		t.Errorf("looked at %v, want %v", got, want)
	}
}

// watched notes the names that are looked at.
type watched struct {
	fs.FS
	names map[string]bool
}

func (w *watched) Open(name string) (fs.File, error) {
	w.names[name] = true
	return w.FS.Open(name)
}

func TestObjectsHaveTheirFiles(t *testing.T) {
	r, err := kustomize.Renderer{}.Render(t.Context(), render.Inputs{Files: mapFS(map[string]string{
		"app/kustomization.yaml": "resources: [../base, two.yaml]\nnamePrefix: p-\npatches: [{target: {name: json}, patch: '[{\"op\": \"add\", \"path\": \"/data\", \"value\": {\"a\": \"b\"}}]'}]\n",
		"app/two.yaml":           "# first\n" + configMapText("one") + "---\n" + configMapText("json"),
		"base/kustomization.yml": "resources: [list.json]\nconfigMapGenerator: [{name: generated}]\n",
		"base/list.json":         `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}]}`,
	})}, request("app", nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range r.Objects {
		got = append(got, fmt.Sprintf("%s %s:%d", o.GetName(), o.File, o.Line))
	}
	want := []string{"p-generated-6ct58987ht base/kustomization.yml:0", "p-json app/two.yaml:7", "p-one app/two.yaml:2", "p-s base/list.json:0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
