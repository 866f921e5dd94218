package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// registered are settings that know repositories by project and URL.
type registered map[[2]string]settings.Repository

var unset = settings.Defaults()

func (r registered) Get() *settings.Settings { return unset }

func (r registered) Repository(url, project string) settings.Repository {
	for _, key := range [][2]string{{project, url}, {"", url}} {
		if found, ok := r[key]; ok {
			found.URL = url
			return found
		}
	}
	return settings.Repository{URL: url}
}

func newMirrors(t testing.TB) *source.Mirrors {
	t.Helper()
	m, err := source.NewMirrors(source.Options{
		Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// newLocal makes a Local that renders folders, or what r renders.
func newLocal(t *testing.T, known registered, r render.Renderer) *repo.Local {
	t.Helper()
	if r == nil {
		r = render.Dispatcher{v1alpha1.ApplicationSourceTypeDirectory: render.Directory{}}
	}
	return repo.NewLocal(repo.Options{Settings: known, Git: newMirrors(t), Memo: render.New(render.Options{Renderer: r})})
}

func configMap(name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}\n", name)
}

func names(r *repo.Response) []string {
	var all []string
	for _, o := range r.Result.Objects {
		all = append(all, o.GetName())
	}
	return all
}

func TestSourcesAreRenderedAtTheirRevisions(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	one := server.Repository(t, "one.git", map[string]string{"app/a.yaml": configMap("a")})
	two := server.Repository(t, "two.git", map[string]string{"app/b.yaml": configMap("b")})
	first := two.Git(t, "rev-parse", gitserver.Branch)
	local := newLocal(t, registered{}, nil)
	req := repo.Request{Name: "demo", Project: "default", Sources: v1alpha1.ApplicationSources{
		{RepoURL: one.URL(), Path: "app"}, {RepoURL: two.URL(), Path: "app"}, {RepoURL: two.URL(), Ref: "values"},
	}}
	got, err := local.Render(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names(got)); diff != "" {
		t.Error(diff)
	}
	want := []repo.Source{
		{Revision: one.Git(t, "rev-parse", gitserver.Branch), Type: v1alpha1.ApplicationSourceTypeDirectory},
		{Revision: first, Type: v1alpha1.ApplicationSourceTypeDirectory},
		{Revision: first},
	}
	if diff := cmp.Diff(want, got.Sources); diff != "" {
		t.Error(diff)
	}

	second := two.Commit(t, map[string]string{"app/b.yaml": configMap("c")}, "Change")
	if again, err := local.Render(t.Context(), req); err != nil || again.Result.Digest != got.Result.Digest {
		t.Errorf("before a poll: %v, %v", names(again), err)
	}
	origin, _ := repo.OriginOf(req.Sources[1], req.Project)
	if changed, err := local.Poll(t.Context(), origin); err != nil || !changed {
		t.Errorf("the poll finds a change: %t, %v", changed, err)
	}
	if got, err = local.Render(t.Context(), req); err != nil || got.Sources[1].Revision != second {
		t.Fatalf("after a poll: %+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"a", "c"}, names(got)); diff != "" {
		t.Error(diff)
	}
	req.Revisions = []string{"", first}
	if got, err = local.Render(t.Context(), req); err != nil || fmt.Sprint(names(got)) != "[a b]" {
		t.Errorf("at an older revision: %v, %v", names(got), err)
	}
}

func TestTheSourceThatFailsIsBlamed(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	good := server.Repository(t, "good.git", map[string]string{"app/a.yaml": configMap("a")})
	local := newLocal(t, registered{}, nil)
	for name, c := range map[string]struct {
		bad         v1alpha1.ApplicationSource
		is          error
		unreachable bool
	}{
		"no repository": {v1alpha1.ApplicationSource{RepoURL: server.URL() + "/none.git", Path: "app"}, source.ErrRepositoryNotFound, true},
		"no revision":   {v1alpha1.ApplicationSource{RepoURL: good.URL(), Path: "app", TargetRevision: "none"}, source.ErrRevisionNotFound, false},
		"no path":       {v1alpha1.ApplicationSource{RepoURL: good.URL(), Path: "none"}, render.ErrPathNotFound, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := local.Render(t.Context(), repo.Request{Name: "demo", Sources: v1alpha1.ApplicationSources{
				{RepoURL: good.URL(), Path: "app"}, c.bad,
			}})
			var blamed *repo.SourceError
			if !errors.As(err, &blamed) || blamed.Index != 1 || !errors.Is(err, c.is) || repo.IsUnreachable(err) != c.unreachable {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestCredentialsOfOneProjectDoNotServeAnother(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{Username: "reader", Password: "open sesame"})
	base := server.Repository(t, "base.git", map[string]string{"app/a.yaml": configMap("a")})
	open := gitserver.Start(t, gitserver.Options{}).Repository(t, "open.git", map[string]string{"app/a.yaml": configMap("a")})
	known := registered{{"red", base.URL()}: {Username: "reader", Password: "open sesame"}}
	remote := render.RendererFunc(func(ctx context.Context, in render.Inputs, _ render.Request) (render.Result, error) {
		fsys, err := in.External.Repository(ctx, base.URL(), "")
		if err != nil {
			return render.Result{}, err
		}
		content, err := fs.ReadFile(fsys, "app/a.yaml")
		if err != nil {
			return render.Result{}, err
		}
		objects, _, err := render.ParseManifests("a.yaml", content)
		return render.Result{Objects: objects}, err
	})
	for name, c := range map[string]struct {
		local  *repo.Local
		source v1alpha1.ApplicationSource
	}{
		"as a source":      {newLocal(t, known, nil), v1alpha1.ApplicationSource{RepoURL: base.URL(), Path: "app"}},
		"as a remote base": {newLocal(t, known, remote), v1alpha1.ApplicationSource{RepoURL: open.URL(), Path: "app"}},
	} {
		t.Run(name, func(t *testing.T) {
			sources := v1alpha1.ApplicationSources{c.source}
			if got, err := c.local.Render(t.Context(), repo.Request{Project: "red", Sources: sources}); err != nil || fmt.Sprint(names(got)) != "[a]" {
				t.Errorf("the project that has them: %v", err)
			}
			_, err := c.local.Render(t.Context(), repo.Request{Project: "blue", Sources: sources})
			if !errors.Is(err, source.ErrAuthentication) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("another project: %v", err)
			}
		})
	}
}

func TestARemoteBaseIsNoPathOfThisMachine(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	one := server.Repository(t, "one.git", map[string]string{"app/a.yaml": configMap("a")})
	local := newLocal(t, registered{}, render.RendererFunc(func(ctx context.Context, in render.Inputs, _ render.Request) (render.Result, error) {
		_, err := in.External.Repository(ctx, one.FileURL(), "")
		return render.Result{}, err
	}))
	_, err := local.Render(t.Context(), repo.Request{Sources: v1alpha1.ApplicationSources{{RepoURL: one.URL(), Path: "app"}}})
	if err == nil || !strings.Contains(err.Error(), "file URL") {
		t.Errorf("error %v", err)
	}
}

func TestVariablesSayTheRevision(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	one := server.Repository(t, "one.git", map[string]string{"app/a.yaml": configMap("a")})
	got := map[string]string{}
	local := newLocal(t, registered{}, render.RendererFunc(func(ctx context.Context, in render.Inputs, _ render.Request) (render.Result, error) {
		for _, name := range render.Variables {
			value, err := in.External.Variable(ctx, name)
			if err != nil {
				return render.Result{}, err
			}
			got[name] = value
		}
		return render.Result{}, nil
	}))
	head := one.Git(t, "rev-parse", gitserver.Branch)
	_, err := local.Render(t.Context(), repo.Request{Sources: v1alpha1.ApplicationSources{
		{RepoURL: one.URL(), Path: "app", TargetRevision: gitserver.Branch},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{
		"ARGOCD_APP_REVISION": head, "ARGOCD_APP_REVISION_SHORT": head[:7], "ARGOCD_APP_REVISION_SHORT_8": head[:8],
		"ARGOCD_APP_SOURCE_TARGET_REVISION": gitserver.Branch,
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotChangeIsNotPolled(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		source v1alpha1.ApplicationSource
		polled bool
	}{
		"a branch":             {v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/a", TargetRevision: "main"}, true},
		"a chart's version":    {v1alpha1.ApplicationSource{RepoURL: "https://charts.example.com", Chart: "web", TargetRevision: "1.2.3"}, false},
		"with a v":             {v1alpha1.ApplicationSource{RepoURL: "https://charts.example.com", Chart: "web", TargetRevision: "v1.2.3"}, false},
		"a chart's range":      {v1alpha1.ApplicationSource{RepoURL: "https://charts.example.com", Chart: "web", TargetRevision: "1.2.*"}, true},
		"the newest chart":     {v1alpha1.ApplicationSource{RepoURL: "https://charts.example.com", Chart: "web"}, true},
		"an artifact's tag":    {v1alpha1.ApplicationSource{RepoURL: "oci://registry.example.com/a", TargetRevision: "1.2.3"}, true},
		"an artifact's digest": {v1alpha1.ApplicationSource{RepoURL: "oci://registry.example.com/a", TargetRevision: digest}, false},
	} {
		if _, polled := repo.OriginOf(c.source, "default"); polled != c.polled {
			t.Errorf("%s: polled %t", name, polled)
		}
	}
}
