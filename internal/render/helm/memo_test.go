package helm_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

func TestACommitRendersAChartAgainOnlyWhenItMatters(t *testing.T) {
	content := showing()
	content["apps/show/Chart.yaml"] += "dependencies: [{name: lib, version: 1.x, repository: 'file://../../libs/lib'}]\n"
	content["libs/lib/Chart.yaml"] = chartYAML("lib", "1.0.0")
	repo := gitserver.Start(t, gitserver.Options{}).Repository(t, "demo.git", content)
	mirrors, err := source.NewMirrors(source.Options{
		Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mirrors.Close() })
	memo := render.New(render.Options{Renderer: render.Dispatcher{
		v1alpha1.ApplicationSourceTypeHelm: helm.Renderer{Engine: helm.New(helm.Options{})},
	}})
	destination := &world{}
	req := render.Request{
		AppName: "demo", Namespace: "namespace-a", KubeVersion: "1.33.2",
		Source: v1alpha1.ApplicationSource{Path: "apps/show", Helm: &v1alpha1.ApplicationSourceHelm{
			ValueFiles: []string{"/root.yaml", "../extra.yaml", "/globs/*.yaml"}, IgnoreMissingValueFiles: true,
		}},
	}
	rendered := func() bool {
		t.Helper()
		commit, err := mirrors.Resolve(t.Context(), source.Repository{URL: repo.FileURL()}, "HEAD", 0)
		if err != nil {
			t.Fatal(err)
		}
		files, err := mirrors.Snapshot(t.Context(), source.Repository{URL: repo.FileURL()}, commit)
		if err != nil {
			t.Fatal(err)
		}
		before := memo.Stats().Renders
		if _, err := memo.Render(t.Context(), render.Inputs{Files: files, External: destination}, req, render.CallOptions{}); err != nil {
			t.Fatal(err)
		}
		return memo.Stats().Renders > before
	}
	if !rendered() {
		t.Fatal("the first time nothing is rendered")
	}
	for _, step := range []struct {
		what  string
		files map[string]string
		serve string
		want  bool
	}{
		{what: "nothing"},
		{what: "a file beside", files: map[string]string{"README.md": "text", "apps/other/values.yaml": "a: b"}},
		{what: "a value file", files: map[string]string{"root.yaml": "from: changed\n"}, want: true},
		{what: "a value file that was missing", files: map[string]string{"apps/extra.yaml": "from: extra\n"}, want: true},
		{what: "a new match of a glob", files: map[string]string{"globs/a.yaml": "from: a\n"}, want: true},
		{what: "a folder of the same name elsewhere", files: map[string]string{"apps/globs/a.yaml": "from: b\n"}},
		{what: "a file of the chart", files: map[string]string{"apps/show/templates/x.yaml": configMap("x")}, want: true},
		{what: "a file of a dependency", files: map[string]string{"libs/lib/values.yaml": "a: b\n"}, want: true},
		{what: "an API that the chart does not ask for", serve: "other.example.com/v1"},
		{what: "an API that the chart asks for", serve: "example.com/v1", want: true},
	} {
		if len(step.files) > 0 {
			repo.Commit(t, step.files, "Change "+step.what)
		}
		if step.serve != "" {
			destination.serves = append(destination.serves, step.serve)
		}
		if got := rendered(); got != step.want {
			t.Errorf("%s: rendered is %v, want %v", step.what, got, step.want)
		}
	}
}
