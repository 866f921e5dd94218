package render_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// sourceSeen renders with a renderer for every type, and gives the source that it saw.
func sourceSeen(t *testing.T, content map[string]string, source v1alpha1.ApplicationSource) (string, error) {
	t.Helper()
	var seen string
	look := render.RendererFunc(func(_ context.Context, _ render.Inputs, req render.Request) (render.Result, error) {
		text, err := json.Marshal(req.Source)
		seen = string(text)
		return render.Result{}, err
	})
	d := render.Dispatcher{
		v1alpha1.ApplicationSourceTypeHelm: look, v1alpha1.ApplicationSourceTypeKustomize: look,
		v1alpha1.ApplicationSourceTypeDirectory: look, v1alpha1.ApplicationSourceTypePlugin: look,
	}
	in := render.Inputs{Files: files(content)}
	_, err := d.Render(t.Context(), in, render.Request{AppName: "shop", AppNamespace: "teams", Source: source})
	return seen, err
}

func TestFilesInTheSourceOverrideItsParameters(t *testing.T) {
	chart := v1alpha1.ApplicationSource{
		RepoURL: "https://git.example.com/a.git", Path: "app", TargetRevision: "main",
		Helm: &v1alpha1.ApplicationSourceHelm{ReleaseName: "stated", ValueFiles: []string{"a.yaml"}},
	}
	helm := func(text string) string {
		return `{"repoURL":"https://git.example.com/a.git","path":"app","targetRevision":"main","helm":` + text + `}`
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":                   {nil, helm(`{"valueFiles":["a.yaml"],"releaseName":"stated"}`)},
		"an empty one":           {map[string]string{"app/.argocd-source.yaml": "# nothing\n"}, helm(`{"valueFiles":["a.yaml"],"releaseName":"stated"}`)},
		"for all applications":   {map[string]string{"app/.argocd-source.yaml": "helm: {releaseName: all, values: 'x: 1'}"}, helm(`{"valueFiles":["a.yaml"],"releaseName":"all","values":"x: 1"}`)},
		"for one, before those":  {map[string]string{"app/.argocd-source.yaml": "helm: {releaseName: all}", "app/.argocd-source-shop.yaml": "helm: {releaseName: one}"}, helm(`{"valueFiles":["a.yaml"],"releaseName":"one"}`)},
		"for one of a namespace": {map[string]string{"app/.argocd-source-shop.yaml": "helm: {releaseName: one}", "app/.argocd-source-teams_shop.yaml": "helm: {releaseName: ours}"}, helm(`{"valueFiles":["a.yaml"],"releaseName":"ours"}`)},
		"for another":            {map[string]string{"app/.argocd-source-bank.yaml": "helm: {releaseName: one}"}, helm(`{"valueFiles":["a.yaml"],"releaseName":"stated"}`)},
		"in another folder":      {map[string]string{".argocd-source.yaml": "helm: {releaseName: one}"}, helm(`{"valueFiles":["a.yaml"],"releaseName":"stated"}`)},
		"lists are replaced":     {map[string]string{"app/.argocd-source.yaml": "helm: {valueFiles: [b.yaml]}"}, helm(`{"valueFiles":["b.yaml"],"releaseName":"stated"}`)},
		"null removes":           {map[string]string{"app/.argocd-source.yaml": "helm: {releaseName: null}"}, helm(`{"valueFiles":["a.yaml"]}`)},
		"not what is rendered":   {map[string]string{"app/.argocd-source.yaml": "{repoURL: 'https://evil.example.com', path: ../x, targetRevision: evil, chart: evil, ref: evil}"}, helm(`{"valueFiles":["a.yaml"],"releaseName":"stated"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			all := map[string]string{"app/Chart.yaml": "name: x"}
			for k, v := range c.files {
				all[k] = v
			}
			got, err := sourceSeen(t, all, chart)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestAnOverrideMaySayTheTypeOfTheSource(t *testing.T) {
	got, err := sourceSeen(t, map[string]string{"app/.argocd-source.yaml": "kustomize: {namePrefix: a-}", "app/a.yaml": ""}, v1alpha1.ApplicationSource{Path: "app"})
	if err != nil || got != `{"repoURL":"","path":"app","kustomize":{"namePrefix":"a-"}}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestOverridesThatCannotBeReadAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		is      error
		says    string
	}{
		"no YAML":           {"helm: [", render.ErrInvalidSource, "not valid YAML"},
		"no mapping":        {"[1]", render.ErrInvalidSource, "not a mapping"},
		"another type":      {"helm: {releaseName: [1]}", render.ErrInvalidSource, "value of another type"},
		"too long":          {"helm: {}\n#" + strings.Repeat("x", 1<<20), render.ErrTooLarge, "may have"},
		"two types at once": {"kustomize: {namePrefix: a}", render.ErrInvalidSource, "multiple application sources"},
	} {
		t.Run(name, func(t *testing.T) {
			content := map[string]string{"app/Chart.yaml": "name: x", "app/.argocd-source-shop.yaml": c.content}
			_, err := sourceSeen(t, content, v1alpha1.ApplicationSource{Path: "app", Helm: &v1alpha1.ApplicationSourceHelm{ReleaseName: "x"}})
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if name != "two types at once" && !strings.Contains(err.Error(), "app/.argocd-source-shop.yaml") {
				t.Errorf("the file is not named: %v", err)
			}
		})
	}
}

func FuzzOverrides(f *testing.F) {
	f.Add("helm: {releaseName: x, parameters: [{name: a, value: b}]}")
	f.Add("plugin: {name: x, parameters: [{name: a, map: {b: c}}, {name: d, array: [e]}]}")
	f.Add("a: &a [*a]\nhelm: {values: *a}")
	f.Add("{repoURL: x, path: y, kustomize: null, directory: {recurse: true}}")
	f.Fuzz(func(t *testing.T, content string) {
		source := v1alpha1.ApplicationSource{RepoURL: "r", Path: "app", TargetRevision: "main", Ref: "f"}
		seen, err := sourceSeen(t, map[string]string{"app/.argocd-source.yaml": content}, source)
		if err != nil || seen == "" {
			return
		}
		var got v1alpha1.ApplicationSource
		if err := json.Unmarshal([]byte(seen), &got); err != nil {
			t.Fatal(err)
		}
		if got.RepoURL != "r" || got.Path != "app" || got.TargetRevision != "main" || got.Ref != "f" || got.Chart != "" {
			t.Errorf("the override changed what is rendered: %s", seen)
		}
	})
}
