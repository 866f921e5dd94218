package repo_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/renderers"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/test/gitserver"
	"github.com/fairlead-cd/fairlead/test/helmserver"
)

// BenchmarkReadme measures what a commit costs that concerns none of 1,000 Applications, each a chart with a dependency
// from a Helm repository, from the poll on: resolving, and verifying what is kept. Rendering is done before.
func BenchmarkReadme(b *testing.B) {
	const applications = 1000
	charts := helmserver.Start(b, helmserver.Options{}, helmserver.Chart{Name: "app", Version: "1.0.0", Files: map[string]string{
		"templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: {{ .Values.a | quote }}}\n",
	}})
	files := map[string]string{"README.md": "0"}
	for i := range applications {
		dir := fmt.Sprintf("namespaces/ns-%04d/", i)
		files[dir+"Chart.yaml"] = fmt.Sprintf("apiVersion: v2\nname: ns\nversion: 0.1.0\ndependencies:\n"+
			"- {name: app, version: 1.0.0, repository: %q}\n", charts.URL())
		files[dir+"values.yaml"] = fmt.Sprintf("app: {a: %d}\n", i)
	}
	server := gitserver.Start(b, gitserver.Options{})
	monorepo := server.Repository(b, "monorepo.git", files)
	store, err := chart.New(chart.Options{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	memo := render.New(render.Options{Renderer: renderers.New()})
	local := repo.NewLocal(repo.Options{Settings: registered{}, Git: newMirrors(b), Charts: store, Memo: memo})
	requests := make([]repo.Request, applications)
	for i := range requests {
		requests[i] = repo.Request{
			Name: fmt.Sprintf("ns-%04d", i), Project: "default", KubeVersion: "1.36.3",
			Sources: v1alpha1.ApplicationSources{{RepoURL: monorepo.FileURL(), Path: fmt.Sprintf("namespaces/ns-%04d", i)}},
		}
	}
	all := func() {
		for _, req := range requests {
			if _, err := local.Render(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
	}
	all()
	rendered := memo.Stats().Renders
	for b.Loop() {
		b.StopTimer()
		monorepo.Commit(b, map[string]string{"README.md": time.Now().String()}, "Say more")
		origin, _ := repo.OriginOf(requests[0].Sources[0], "default")
		if _, err := local.Poll(b.Context(), origin); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		all()
	}
	if again := memo.Stats().Renders; again != rendered {
		b.Fatalf("%d renders", again-rendered)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/applications, "µs/application")
}
