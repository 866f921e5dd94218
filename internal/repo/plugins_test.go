package repo_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// asked notes what plugins are asked, and prints one ConfigMap.
type asked []plugin.Request

func (a *asked) Generate(_ context.Context, req plugin.Request) ([]byte, error) {
	*a = append(*a, req)
	if _, err := fs.Stat(req.Files, req.Path); err != nil {
		return nil, err
	}
	return []byte(configMap("generated")), nil
}

func (a *asked) Discover(context.Context, plugin.Request) (string, error) { return "", nil }

func TestPluginsAreAskedAgainOnlyWhenTheFolderOrARevisionThatIsUsedIsAnother(t *testing.T) {
	git := gitserver.Start(t, gitserver.Options{}).Repository(t, "a", map[string]string{"app/values": "1"})
	var calls asked
	known := registered{{"", git.URL()}: settings.Repository{Username: "deploy", Password: "hunter2"}}
	local := repo.NewLocal(repo.Options{
		Settings: known, Git: newMirrors(t), Plugins: &calls,
		Memo: render.New(render.Options{Renderer: render.Dispatcher{v1alpha1.ApplicationSourceTypePlugin: plugin.Renderer{}}}),
	})
	ask := func(env v1alpha1.Env) *repo.Response {
		t.Helper()
		if _, err := local.Poll(t.Context(), repo.Origin{URL: git.URL()}); err != nil {
			t.Fatal(err)
		}
		response, err := local.Render(t.Context(), repo.Request{
			Name: "demo", Namespace: "argocd", DestinationNamespace: "namespace-a", Project: "default", GeneratePaths: ".;/shared",
			Sources: v1alpha1.ApplicationSources{{RepoURL: git.URL(), Path: "app", Plugin: &v1alpha1.ApplicationSourcePlugin{Name: "tool", Env: env}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	plain, revised := v1alpha1.Env(nil), v1alpha1.Env{{Name: "AT", Value: "$ARGOCD_APP_REVISION"}}
	response := ask(plain)
	if len(response.Result.Objects) != 1 || response.Sources[0].Type != v1alpha1.ApplicationSourceTypePlugin {
		t.Fatalf("response %+v", response)
	}
	got := calls[0]
	if got.Name != "tool" || got.Path != "app" || got.AppName != "demo" || got.Repository != git.URL() {
		t.Errorf("request %+v", got)
	}
	if diff := cmp.Diff([]string{"app", "shared"}, got.Paths); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&askpass.Credentials{Username: "deploy", Password: "hunter2"}, got.Credentials); diff != "" {
		t.Error(diff)
	}
	revision := response.Sources[0].Revision
	want := []string{
		"ARGOCD_APP_REVISION=" + revision, "ARGOCD_APP_REVISION_SHORT=" + revision[:7],
		"ARGOCD_APP_REVISION_SHORT_8=" + revision[:8], "ARGOCD_APP_SOURCE_TARGET_REVISION=",
	}
	if diff := cmp.Diff(want, got.Variables); diff != "" {
		t.Error(diff)
	}
	ask(revised)
	for _, step := range []struct {
		file          string
		plain, always int // further calls
	}{{"README.md", 0, 1}, {"app/values", 1, 1}, {"shared/values", 1, 1}, {"shared/deep/values", 1, 1}, {"other/values", 0, 1}} {
		git.Commit(t, map[string]string{step.file: "2"}, "Change "+step.file)
		before := len(calls)
		ask(plain)
		if n := len(calls) - before; n != step.plain {
			t.Errorf("after a change of %s the plugin was asked %d times, want %d", step.file, n, step.plain)
		}
		before = len(calls)
		ask(revised)
		if n := len(calls) - before; n != step.always {
			t.Errorf("after a change of %s, with the revision in a variable, the plugin was asked %d times, want %d", step.file, n, step.always)
		}
	}
}

func TestWithoutPluginsTheErrorSaysSo(t *testing.T) {
	git := gitserver.Start(t, gitserver.Options{}).Repository(t, "a", map[string]string{"app/x": ""})
	local := newLocal(t, nil, plugin.Renderer{})
	_, err := local.Render(t.Context(), repo.Request{Sources: v1alpha1.ApplicationSources{{RepoURL: git.URL(), Path: "app"}}})
	if !errors.Is(err, render.ErrNoExternal) {
		t.Errorf("error %v", err)
	}
}
