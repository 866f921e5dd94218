//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
)

// renderers is how many Applications are rendered at once.
const renderers = 4

// componentJob is what a component works on.
type componentJob struct {
	Dir        string // to work in
	Binary     string // whose workers render
	Repository string // the monorepo's URL
	Namespaces int
	Profile    string // where to write a CPU profile of the first round; empty: nowhere
}

// componentRound is what came of polling and then asking for the objects of every Application.
type componentRound struct {
	Wall    time.Duration // after the poll
	Renders uint64
	Kept    int64 // bytes that the memo counts
	Error   string
}

// component is the repo component with its workers, alone in a process of its own: what serves the repositories runs
// elsewhere, and so does not count.
type component struct {
	componentJob
	local *repo.Local
	memo  *render.Memo
}

// unset are the settings of an installation in which nothing is set.
type unset struct{ settings *settings.Settings }

func (u unset) Get() *settings.Settings { return u.settings }

func (unset) Repository(url, _ string) settings.Repository { return settings.Repository{URL: url} }

// serveComponent is the whole of that process: it does a round for each line that it reads.
func serveComponent(ctx context.Context, job string, in io.Reader, out io.Writer) error {
	c := &component{}
	if err := json.Unmarshal([]byte(job), &c.componentJob); err != nil {
		return fmt.Errorf("reading what to work on: %w", err)
	}
	end, err := c.start()
	if err != nil {
		return err
	}
	defer end()
	encoder := json.NewEncoder(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		stop, err := startProfile(c.Profile)
		if err != nil {
			return err
		}
		c.Profile = ""
		round, err := c.round(ctx)
		stop()
		if err != nil {
			round.Error = err.Error()
		}
		if err := encoder.Encode(round); err != nil {
			return err
		}
	}
	return nil
}

// startProfile profiles this process until stop is called.
func startProfile(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}, nil
}

// start builds the component as `fairlead run` does.
func (c *component) start() (end func(), err error) {
	logger := slog.New(slog.DiscardHandler)
	mirrors, err := source.NewMirrors(source.Options{Dir: filepath.Join(c.Dir, "mirrors"), Env: []string{"PATH=" + os.Getenv("PATH")}, Logger: logger})
	if err != nil {
		return nil, err
	}
	charts, err := chart.New(chart.Options{Dir: filepath.Join(c.Dir, "charts"), Logger: logger})
	if err != nil {
		return nil, err
	}
	pool, err := worker.New(worker.Options{Command: []string{c.Binary, worker.Subcommand}, Logger: logger})
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

// round polls, and then asks for the objects of every Application.
func (c *component) round(ctx context.Context) (componentRound, error) {
	before := c.memo.Stats()
	origin, _ := repo.OriginOf(c.source(0), "default")
	if _, err := c.local.Poll(ctx, origin); err != nil {
		return componentRound{}, err
	}
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(renderers)
	for i := range c.Namespaces {
		group.Go(func() error {
			_, err := c.local.Render(ctx, c.request(i))
			return err
		})
	}
	err := group.Wait()
	wall, after := time.Since(start), c.memo.Stats()
	return componentRound{Wall: wall, Renders: after.Renders - before.Renders, Kept: after.Bytes}, err
}

func (c *component) source(i int) v1alpha1.ApplicationSource {
	return v1alpha1.ApplicationSource{
		RepoURL: c.Repository, Path: namespaceFolder(i),
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
