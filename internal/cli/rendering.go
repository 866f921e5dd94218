package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/fairlead-cd/fairlead/internal/cache"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

// renderConfig bounds the rendering processes.
type renderConfig struct {
	workers int
	timeout time.Duration
	memory  quantity
	output  quantity
}

// renderOrigins are where the flags of addFlags come from beside our own variables.
var renderOrigins = []origin{
	{flag: "render-workers", argocd: []string{"ARGOCD_REPO_SERVER_PARALLELISM_LIMIT"}, params: []string{"reposerver.parallelism.limit"}},
	{flag: "render-timeout", argocd: []string{"ARGOCD_EXEC_TIMEOUT"}},
}

func (c *renderConfig) addFlags(flags *pflag.FlagSet) {
	c.memory, c.output = quantity(512<<20), quantity(64<<20)
	flags.IntVar(&c.workers, "render-workers", 0, "how many processes render at once; 0: as many as there are processors")
	flags.DurationVar(&c.timeout, "render-timeout", time.Minute, "how long rendering one source may take, downloads not counted")
	flags.Var(&c.memory, "render-memory-limit", "how much memory rendering one source may need, such as 512Mi")
	flags.Var(&c.output, "render-output-limit", "how large the result of rendering one source may be, such as 64Mi")
}

func (c *renderConfig) validate() error {
	var errs []error
	if c.workers < 0 {
		errs = append(errs, fmt.Errorf("--render-workers is %d; it has to be at least 0", c.workers))
	}
	if c.timeout <= 0 {
		errs = append(errs, fmt.Errorf("--render-timeout is %v; it has to be more than 0", c.timeout))
	}
	if c.memory < worker.MinMemory {
		errs = append(errs, fmt.Errorf("--render-memory-limit is %v; it has to be at least 64Mi", &c.memory))
	}
	if c.output < 1 || c.output > worker.MaxMessage {
		errs = append(errs, fmt.Errorf("--render-output-limit is %v; it has to be at least 1 and at most 1Gi", &c.output))
	}
	return errors.Join(errs...)
}

// newMemo builds what renders and keeps results. What it returns second ends it.
func (p *process) newMemo() (*render.Memo, func(), error) {
	pool, err := worker.New(worker.Options{
		Workers: p.rendering.workers, Timeout: p.rendering.timeout, MemoryLimit: int64(p.rendering.memory),
		MaxOutput: int64(p.rendering.output), Logger: p.logger,
	})
	if err != nil {
		return nil, nil, err
	}
	stop := func() {
		if err := pool.Close(); err != nil {
			p.logger.Warn("the rendering processes could not be ended", "error", err)
		}
	}
	if err := p.registry.Register(repo.WorkerNumbers(pool.Stats)); err != nil {
		stop()
		return nil, nil, fmt.Errorf("registering metrics: %w", err)
	}
	options := render.Options{Renderer: pool}
	if p.redis.used() {
		o, err := p.redis.options()
		if err != nil {
			stop()
			return nil, nil, err
		}
		metrics, err := cache.NewMetrics(p.registry)
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("registering metrics: %w", err)
		}
		o.OnRequest = metrics.OnRequest
		o.Key, o.Version, o.Logger = func() []byte { return p.settings.Get().ServerKey }, buildID(), p.logger
		store := cache.New(o)
		options.Store = store
		stopPool := stop
		stop = func() {
			stopPool()
			store.Close()
		}
	}
	return render.New(options), stop, nil
}
