package legacy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/command"
)

// Options are the options of a Runner. Plugins, Dir and Logger are required.
type Options struct {
	// Plugins gives the plugins that argocd-cm lists now.
	Plugins func() []v1alpha1.ConfigManagementPlugin
	// Dir is the folder for files of repositories, below the data directory. Whatever is in it is removed at the start.
	Dir string
	// Environ is the environment of the commands, to which a request adds.
	Environ []string
	// Timeout is how long a command may take, and Grace how long it has to end by itself after that.
	Timeout, Grace time.Duration
	// MaxOutput bounds what a command prints, in bytes; zero is command.DefaultMaxOutput.
	MaxOutput int64
	// Limit bounds the files of a repository; zero fields are those of archive.DefaultLimit.
	Limit archive.Limit
	// Logger gets what commands say.
	Logger *slog.Logger
}

// Runner runs plugins.
type Runner struct {
	o Options

	mu    sync.Mutex
	locks map[string]*repositoryLock
}

// repositoryLock is held by the one who has put a value into turn; waiting counts all who want or hold it.
type repositoryLock struct {
	turn    chan struct{}
	waiting int
}

// New makes a Runner and its folder.
func New(o Options) (*Runner, error) {
	if err := os.RemoveAll(o.Dir); err != nil {
		return nil, fmt.Errorf("emptying the folder for plugins: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for plugins: %w", err)
	}
	return &Runner{o: o, locks: map[string]*repositoryLock{}}, nil
}

// Request is one request to a plugin.
type Request struct {
	// Name of the plugin.
	Name string
	// Repository names where the files are from; plugins with lockRepo run one at a time for each.
	Repository string
	// Files of the repository, and the path of the source in them.
	Files fs.FS
	Path  string
	// Env is added to the environment, NAME=value.
	Env []string
}

// Names are the names of the plugins that there are.
func (r *Runner) Names() []string {
	var names []string
	for _, p := range r.o.Plugins() {
		names = append(names, p.Name)
	}
	return names
}

// ErrNoPlugin means that there is no plugin of that name.
var ErrNoPlugin = errors.New("there is no such plugin in argocd-cm")

// Generate gives what the plugin prints.
func (r *Runner) Generate(ctx context.Context, req Request) ([]byte, error) {
	plugins := r.o.Plugins()
	i := slices.IndexFunc(plugins, func(p v1alpha1.ConfigManagementPlugin) bool { return p.Name == req.Name })
	if i < 0 {
		return nil, fmt.Errorf("plugin %q: %w", req.Name, ErrNoPlugin)
	}
	if plugins[i].LockRepo {
		unlock, err := r.lock(ctx, req.Repository)
		if err != nil {
			return nil, fmt.Errorf("plugin %q: waiting for its turn in the repository: %w", req.Name, err)
		}
		defer unlock()
	}
	out, err := r.generate(ctx, plugins[i], req)
	if err != nil {
		return nil, fmt.Errorf("plugin %q: %w", req.Name, err)
	}
	return out, nil
}

func (r *Runner) generate(ctx context.Context, p v1alpha1.ConfigManagementPlugin, req Request) ([]byte, error) {
	dir, err := os.MkdirTemp(r.o.Dir, "")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the files: %w", err)
	}
	defer func() {
		if err := removeAll(dir); err != nil {
			r.o.Logger.Error("the folder of a plugin could not be removed", "folder", dir, "error", err)
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := archive.Copy(ctx, archive.Source{Files: req.Files, Limit: r.o.Limit}, root); err != nil {
		return nil, fmt.Errorf("writing the files of the repository: %w", err)
	}
	if info, err := root.Stat(path.Clean(req.Path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the path %q of the source is no folder", req.Path)
	}
	work := filepath.Join(dir, filepath.FromSlash(path.Clean(req.Path)))
	if p.Init != nil && len(p.Init.Command) > 0 {
		if _, err := r.run(ctx, "init", *p.Init, work, req.Env); err != nil {
			return nil, err
		}
	}
	return r.run(ctx, "generate", p.Generate, work, req.Env)
}

func (r *Runner) run(ctx context.Context, what string, c v1alpha1.Command, dir string, env []string) ([]byte, error) {
	result, err := command.Command{
		Args: slices.Concat(c.Command, c.Args), Dir: dir, Env: slices.Concat(r.o.Environ, env),
		Timeout: r.o.Timeout, Grace: r.o.Grace, MaxOutput: r.o.MaxOutput,
	}.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("the %s command failed: %w", what, err)
	}
	if result.Errors != "" {
		r.o.Logger.Info("the command of a plugin has said something", "command", what, "errors", result.Errors)
	}
	return result.Output, nil
}

// lock waits until nobody else is at work in a repository.
func (r *Runner) lock(ctx context.Context, repository string) (unlock func(), err error) {
	r.mu.Lock()
	l := r.locks[repository]
	if l == nil {
		l = &repositoryLock{turn: make(chan struct{}, 1)}
		r.locks[repository] = l
	}
	l.waiting++
	r.mu.Unlock()
	leave := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if l.waiting--; l.waiting == 0 {
			delete(r.locks, repository)
		}
	}
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}

// removeAll removes a folder, even if a command has made parts of it unreadable.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700) //nolint:gosec // a folder that is removed next
		}
		return nil
	})
	return os.RemoveAll(dir)
}
