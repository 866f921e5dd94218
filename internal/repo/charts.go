package repo

import (
	"context"
	"fmt"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// Chart implements render.External. The repository may be called by its name, as @name or alias:name.
func (e *external) Chart(ctx context.Context, ref render.ChartRef) (render.Chart, error) {
	pass := e.source.Helm != nil && e.source.Helm.PassCredentials
	find := func() (render.Chart, error) { return e.findChart(ctx, ref, pass) }
	if e.req.NoCache {
		return find()
	}
	return e.local.chart(chartKey{ref, e.req.Project, pass}, find)
}

func (e *external) findChart(ctx context.Context, ref render.ChartRef, passCredentials bool) (render.Chart, error) {
	url := ref.Repository
	if name, ok := repositoryName(url); ok {
		found, ok := e.local.Settings.Get().RepositoryNamed(name, e.req.Project)
		if !ok {
			return render.Chart{}, fmt.Errorf("%s: no repository called %q is registered for this project; add it, or state its URL", ref, name)
		}
		url = found.URL
	}
	found, err := e.local.Charts.Get(ctx, e.local.chartRepository(url, e.req.Project, passCredentials), ref.Name, ref.Version, e.req.NoCache)
	if err != nil {
		return render.Chart{}, err
	}
	return render.Chart{Version: found.Version, Digest: found.Digest, Archive: found.Archive}, nil
}

// repositoryName is the name in a dependency's repository that is none of a URL.
func repositoryName(repository string) (name string, ok bool) {
	if name, ok := strings.CutPrefix(repository, "@"); ok {
		return name, true
	}
	return strings.CutPrefix(repository, "alias:")
}

// chartRepository is how a Helm repository or the folder of a registry is reached for a project.
func (l *Local) chartRepository(url, project string, passCredentials bool) source.Repository {
	repo := l.repository(url, project)
	repo.PassCredentials = passCredentials
	if !strings.Contains(repo.URL, "://") {
		repo.OCI = true // registries are registered without a scheme
	}
	return repo
}
