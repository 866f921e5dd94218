package jsonnet_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/jsonnet"
	"github.com/fairlead-cd/fairlead/internal/render/sops"
	"github.com/fairlead-cd/fairlead/internal/render/sops/sopstest"
)

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return fsys
}

// renderJsonnet renders the folder app and prints the objects as "name=data.v".
func renderJsonnet(ctx context.Context, files map[string]string, external render.External, settings v1alpha1.ApplicationSourceJsonnet) (string, error) {
	directory := render.Directory{Decrypt: sops.Decrypt, Jsonnet: jsonnet.Evaluator{Decrypt: sops.Decrypt}.Evaluate}
	r := render.Dispatcher{v1alpha1.ApplicationSourceTypeDirectory: directory}
	result, err := r.Render(ctx, render.Inputs{Files: tree(files), External: external}, render.Request{
		AppName: "shop", Namespace: "target", Project: "shop",
		Source: v1alpha1.ApplicationSource{Path: "app", Directory: &v1alpha1.ApplicationSourceDirectory{Recurse: true, Jsonnet: settings}},
	})
	if err != nil {
		return "", err
	}
	var out []string
	for _, o := range result.Objects {
		data, _ := o.Object["data"].(map[string]any)
		v, _ := data["v"].(string)
		out = append(out, o.GetName()+"="+v)
	}
	return strings.Join(out, " "), nil
}

// cm is an object whose value is an expression.
func cm(name, expression string) string {
	return `{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '` + name + `' }, data: { v: ` + expression + ` } }`
}

func TestJsonnetIsEvaluated(t *testing.T) {
	lib := "{ make(name, v):: " + strings.ReplaceAll(cm("x", "v"), "'x'", "name") + " }"
	for name, c := range map[string]struct {
		files    map[string]string
		settings v1alpha1.ApplicationSourceJsonnet
		want     string
	}{
		"an object":                         {map[string]string{"app/a.jsonnet": cm("a", "'1'")}, v1alpha1.ApplicationSourceJsonnet{}, "a=1"},
		"an array":                          {map[string]string{"app/a.jsonnet": "[" + cm("a", "'1'") + "," + cm("b", "'2'") + "]"}, v1alpha1.ApplicationSourceJsonnet{}, "a=1 b=2"},
		"a List":                            {map[string]string{"app/a.jsonnet": "{ apiVersion: 'v1', kind: 'List', items: [" + cm("a", "'1'") + "] }"}, v1alpha1.ApplicationSourceJsonnet{}, "a=1"},
		"beside YAML":                       {map[string]string{"app/a.jsonnet": cm("a", "'1'"), "app/b.yaml": cm("b", "'2'")}, v1alpha1.ApplicationSourceJsonnet{}, "a=1 b=2"},
		"a variable":                        {map[string]string{"app/a.jsonnet": cm("a", "std.extVar('x')")}, v1alpha1.ApplicationSourceJsonnet{ExtVars: []v1alpha1.JsonnetVar{{Name: "x", Value: "1+1"}}}, "a=1+1"},
		"code":                              {map[string]string{"app/a.jsonnet": cm("a", "'' + std.extVar('x')")}, v1alpha1.ApplicationSourceJsonnet{ExtVars: []v1alpha1.JsonnetVar{{Name: "x", Value: "1+1", Code: true}}}, "a=2"},
		"an argument":                       {map[string]string{"app/a.jsonnet": "function(x, y=7) " + cm("a", "x + y")}, v1alpha1.ApplicationSourceJsonnet{TLAs: []v1alpha1.JsonnetVar{{Name: "x", Value: "n"}}}, "a=n7"},
		"environment":                       {map[string]string{"app/a.jsonnet": "function(x) " + cm("a", "x + std.extVar('y')")}, v1alpha1.ApplicationSourceJsonnet{TLAs: []v1alpha1.JsonnetVar{{Name: "x", Value: "$ARGOCD_APP_NAME"}}, ExtVars: []v1alpha1.JsonnetVar{{Name: "y", Value: "'-${ARGOCD_APP_NAMESPACE}'", Code: true}}}, "a=shop-target"},
		"an import":                         {map[string]string{"app/a.jsonnet": "(import 'lib/l.libsonnet').make('a', importstr '../t.txt')", "app/lib/l.libsonnet": lib, "t.txt": "text"}, v1alpha1.ApplicationSourceJsonnet{}, "a=text"},
		"a library":                         {map[string]string{"app/a.jsonnet": "(import 'l.libsonnet').make('a', '1')", "vendor/l.libsonnet": lib}, v1alpha1.ApplicationSourceJsonnet{Libs: []string{"vendor"}}, "a=1"},
		"the last library counts":           {map[string]string{"app/a.jsonnet": cm("a", "import 'v.libsonnet'"), "one/v.libsonnet": "'1'", "two/v.libsonnet": "'2'"}, v1alpha1.ApplicationSourceJsonnet{Libs: []string{"one", "two"}}, "a=2"},
		"a neighbour goes before libraries": {map[string]string{"app/a.jsonnet": cm("a", "import 'v.libsonnet'"), "app/v.libsonnet": "'0'", "one/v.libsonnet": "'1'"}, v1alpha1.ApplicationSourceJsonnet{Libs: []string{"one"}}, "a=0"},
		"a library finds its own files":     {map[string]string{"app/a.jsonnet": cm("a", "import 'x/v.libsonnet'"), "one/x/v.libsonnet": "import 'w.libsonnet'", "one/x/w.libsonnet": "'w'"}, v1alpha1.ApplicationSourceJsonnet{Libs: []string{"one"}}, "a=w"},
		"the source's folder at last":       {map[string]string{"app/sub/a.jsonnet": cm("a", "import 'v.libsonnet'"), "app/v.libsonnet": "'top'"}, v1alpha1.ApplicationSourceJsonnet{}, "a=top"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := renderJsonnet(t.Context(), c.files, nil, c.settings)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestMistakesInJsonnetAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		code     string
		settings v1alpha1.ApplicationSourceJsonnet
		is       error
		says     string
	}{
		"syntax":                     {"{\n  a: ,\n}", v1alpha1.ApplicationSourceJsonnet{}, jsonnet.ErrEvaluation, "app/a.jsonnet:2:"},
		"an error of the code":       {"{\n  a: error 'not so',\n}", v1alpha1.ApplicationSourceJsonnet{}, jsonnet.ErrEvaluation, "not so at app/a.jsonnet:2:"},
		"a variable that is not set": {"std.extVar('nope')", v1alpha1.ApplicationSourceJsonnet{}, jsonnet.ErrEvaluation, "nope"},
		"an import that is missing":  {"import 'nope.libsonnet'", v1alpha1.ApplicationSourceJsonnet{}, jsonnet.ErrEvaluation, "nope.libsonnet"},
		"an import that leads out":   {"importstr '../../../etc/passwd'", v1alpha1.ApplicationSourceJsonnet{}, jsonnet.ErrEvaluation, "leads out of the repository"},
		"an absolute import":         {"importstr '/etc/passwd'", v1alpha1.ApplicationSourceJsonnet{}, jsonnet.ErrEvaluation, "cannot be absolute"},
		"a library that leads out":   {"{}", v1alpha1.ApplicationSourceJsonnet{Libs: []string{"../x"}}, render.ErrInvalidSource, "directory.jsonnet.libs"},
		"recursion without end":      {"local f(x) = f(x) + 1; f(1)", v1alpha1.ApplicationSourceJsonnet{}, jsonnet.ErrEvaluation, "max stack frames exceeded"},
		"a result that is no object": {"{ a: 1 }", v1alpha1.ApplicationSourceJsonnet{}, render.ErrInvalidManifest, "app/a.jsonnet:1: the result must be an object"},
		"a result that is a text":    {"'text'", v1alpha1.ApplicationSourceJsonnet{}, render.ErrInvalidManifest, "app/a.jsonnet:1"},
		"an object without a name":   {"{ apiVersion: 'v1', kind: 'Secret', metadata: {} }", v1alpha1.ApplicationSourceJsonnet{}, render.ErrInvalidManifest, "metadata.name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderJsonnet(t.Context(), map[string]string{"app/a.jsonnet": c.code}, nil, c.settings)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEncryptedImportsAreDecryptedAndStayOutOfErrors(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	secret := sopstest.ForAge(t, "password: correct-horse-battery\n", recipient)
	files := map[string]string{"app/a.jsonnet": cm("a", "std.parseYaml(importstr 's.yaml.txt').password"), "app/s.yaml.txt": secret}
	got, err := renderJsonnet(t.Context(), files, sopstest.Holding(t, identity), v1alpha1.ApplicationSourceJsonnet{})
	if err != nil || got != "a=correct-horse-battery" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := renderJsonnet(t.Context(), files, sopstest.Holding(t), v1alpha1.ApplicationSourceJsonnet{}); !errors.Is(err, sops.ErrNoKey) ||
		!strings.Contains(err.Error(), "app/s.yaml.txt") {
		t.Errorf("without a key: %v", err)
	}
	files["app/a.jsonnet"] = "error std.parseYaml(importstr 's.yaml.txt').password"
	_, err = renderJsonnet(t.Context(), files, sopstest.Holding(t, identity), v1alpha1.ApplicationSourceJsonnet{})
	if !errors.Is(err, jsonnet.ErrEvaluation) || strings.Contains(err.Error(), "horse") || !strings.Contains(err.Error(), "app/a.jsonnet") {
		t.Errorf("with a mistake: %v", err)
	}
}
