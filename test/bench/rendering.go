//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// renderers is how many Applications are rendered at once.
const renderers = 4

// component is the repo component, in this process and its workers.
type component struct {
	options
	monorepo *chartMonorepo
	local    *repo.Local
	memo     *render.Memo
}

// unset are the settings of an installation in which nothing is set.
type unset struct{ settings *settings.Settings }

func (u unset) Get() *settings.Settings { return u.settings }

func (unset) Repository(url, _ string) settings.Repository { return settings.Repository{URL: url} }

// rendering measures what sources and rendering cost without a cluster: one
// Application for each namespace of a generated monorepo, each a chart with a
// dependency from a Helm repository. What the processor does for the memo, the
// mirror and the workers is all counted.
func rendering(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "fairlead-bench-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer os.RemoveAll(dir)
	monorepo, err := newChartMonorepo(ctx, dir, o.namespaces)
	if err != nil {
		return err
	}
	defer monorepo.close()
	c := &component{options: o, monorepo: monorepo}
	end, err := c.start(dir)
	if err != nil {
		return err
	}
	defer end()
	if err := c.scenarios(ctx); err != nil {
		return err
	}
	return c.compareWithHelm(ctx, dir)
}

// start builds the component as `fairlead run` does.
func (c *component) start(dir string) (end func(), err error) {
	logger := slog.New(slog.DiscardHandler)
	mirrors, err := source.NewMirrors(source.Options{Dir: filepath.Join(dir, "mirrors"), Env: []string{"PATH=" + os.Getenv("PATH")}, Logger: logger})
	if err != nil {
		return nil, err
	}
	charts, err := chart.New(chart.Options{Dir: filepath.Join(dir, "charts"), Logger: logger})
	if err != nil {
		return nil, err
	}
	binary, err := filepath.Abs(c.binary)
	if err != nil {
		return nil, err
	}
	pool, err := worker.New(worker.Options{Command: []string{binary, worker.Subcommand}, Logger: logger})
	if err != nil {
		return nil, err
	}
	c.memo = render.New(render.Options{Renderer: pool})
	c.local = repo.NewLocal(repo.Options{Settings: unset{settings.Defaults()}, Git: mirrors, Charts: charts, Memo: c.memo})
	return func() {
		for _, part := range []io.Closer{pool, charts, mirrors} {
			part.Close()
		}
		c.local.Close()
	}, nil
}

func (c *component) scenarios(ctx context.Context) error {
	m := c.monorepo
	for _, scenario := range []struct {
		name   string
		change func() (gitserver.Change, error)
	}{
		{"cold, all rendered", nil},
		{"a commit of one file", func() (gitserver.Change, error) { return m.changeOne(), nil }},
		{"a commit of the README", func() (gitserver.Change, error) { return m.changeReadme(), nil }},
		{"a new version of the shared chart, for all", m.changeChart},
	} {
		if scenario.change != nil {
			change, err := scenario.change()
			if err != nil {
				return err
			}
			if _, err := m.repo.Apply(ctx, change); err != nil {
				return err
			}
		}
		if err := c.measure(ctx, scenario.name); err != nil {
			return fmt.Errorf("%s: %w", scenario.name, err)
		}
	}
	now, peak, err := memoryOf(os.Getpid())
	if err != nil {
		return err
	}
	fmt.Printf("%-52s %d MiB, peak %d MiB, with the workers\n", "memory of the repo component", now, peak)
	return nil
}

// measure polls, and then asks for the objects of every Application. The time
// is that after the poll, the processor time that of both.
func (c *component) measure(ctx context.Context, name string) error {
	before := c.memo.Stats()
	began, err := cpuOf(os.Getpid())
	if err != nil {
		return err
	}
	origin, _ := repo.OriginOf(c.source(0), "default")
	if _, err := c.local.Poll(ctx, origin); err != nil {
		return err
	}
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(renderers)
	for i := range c.namespaces {
		group.Go(func() error {
			_, err := c.local.Render(ctx, c.request(i))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	wall := time.Since(start)
	ended, err := cpuOf(os.Getpid())
	if err != nil {
		return err
	}
	after := c.memo.Stats()
	fmt.Printf("%-52s %8.3f s  %7.2f CPU-s  %d renders\n", name, wall.Seconds(), (ended - began).Seconds(), after.Renders-before.Renders)
	if name == "cold, all rendered" {
		c.monorepo.coldCPU = ended - began
	}
	return nil
}

func (c *component) source(i int) v1alpha1.ApplicationSource {
	return v1alpha1.ApplicationSource{
		RepoURL: c.monorepo.repo.FileURL(), Path: namespaceFolder(i),
		Helm: &v1alpha1.ApplicationSourceHelm{ReleaseName: "web", ValueFiles: []string{"common-values.yaml"}},
	}
}

func (c *component) request(i int) repo.Request {
	return repo.Request{
		Name: fmt.Sprintf("ns-%04d", i), Namespace: controlPlane, Project: "default",
		DestinationNamespace: fmt.Sprintf("ns-%04d", i), KubeVersion: "1.36.3",
		Sources: v1alpha1.ApplicationSources{c.source(i)},
	}
}
