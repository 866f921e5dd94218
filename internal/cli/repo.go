package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/peer"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/repo/remote"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// repoOptions are what the repo component is built with, whether it serves an
// installation or one command.
type repoOptions struct {
	dataDir      string
	settings     repo.Settings
	gitTimeout   time.Duration
	maxManifests int64
	registerer   prometheus.Registerer // nil: no metrics
	logger       *slog.Logger
}

// repoParts is a repo component in this process. This is the one place where
// stores and renderers are joined.
type repoParts struct {
	repo.Service
	local   *repo.Local
	mirrors *source.Mirrors
	memo    *render.Memo
}

func newRepo(o repoOptions) (*repoParts, error) {
	parts := &repoParts{
		memo: render.New(render.Options{Renderer: renderers()}),
	}
	var metrics *repo.Metrics
	var onFetch func(source.FetchReport)
	if o.registerer != nil {
		var err error
		if metrics, err = repo.NewMetrics(o.registerer, parts.memo.Stats); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
		onFetch = metrics.OnFetch
	}
	var err error
	parts.mirrors, err = source.NewMirrors(source.Options{
		Dir: filepath.Join(o.dataDir, "repositories"), Env: gitEnvironment(), Logger: o.logger, PollTimeout: o.gitTimeout,
		OnFetch: onFetch,
	})
	if err != nil {
		return nil, err
	}
	parts.local = repo.NewLocal(repo.Options{
		Settings: o.settings, Git: parts.mirrors, Memo: parts.memo, MaxManifestBytes: o.maxManifests,
	})
	parts.Service = parts.local
	if metrics != nil {
		parts.Service = metrics.Count(parts.local)
	}
	return parts, nil
}

// Close gives back what the parts hold, after the last call.
func (r *repoParts) Close() error {
	r.mirrors.Close()
	return nil
}

// renderers are those of all source types.
func renderers() render.Renderer {
	return render.Dispatcher{v1alpha1.ApplicationSourceTypeDirectory: render.Directory{}}
}

// repoService is the repo component for the other components of this process:
// in it, or reached at --repo-server. Close it after the last call.
func (p *process) repoService(ctx context.Context) (service interface {
	repo.Service
	Close() error
}, err error) {
	if p.runs("repo") {
		return p.ownRepo()
	}
	options := remote.ClientOptions{
		Address: p.repoServer, MaxMessage: p.grpcMaxSize << 20, Timeout: time.Duration(p.repoTimeout),
	}
	if p.repoPlaintext || p.repoDisableTLS {
		p.logger.Warn("the repo component is reached in plain text, so that whoever is on the way can read and change what is deployed",
			"address", p.repoServer)
	} else {
		identity, err := p.identity(ctx)
		if err != nil {
			return nil, err
		}
		options.TLS = identity.ClientConfig("h2")
	}
	p.logger.Info("using the repo component of other processes", "address", p.repoServer)
	return remote.NewClient(options)
}

func (p *process) ownRepo() (*repoParts, error) {
	return newRepo(repoOptions{
		dataDir: p.dataDir, settings: p.settings, gitTimeout: p.gitTimeout, maxManifests: int64(p.maxManifests),
		registerer: p.registry, logger: p.logger,
	})
}

// worksOnApplications tells whether a component is chosen that needs more than
// the settings of the installation.
func (c *config) worksOnApplications() bool { return c.runs("api") || c.runs("controller") }

// servesRepo tells whether the repo component is for other processes.
func (c *config) servesRepo() bool { return c.runs("repo") && !c.runs("controller") }

// serveRepo answers the calls of other processes until ctx ends. It calls
// listening once it does.
func (p *process) serveRepo(ctx context.Context, listening func()) error {
	parts, err := p.ownRepo()
	if err != nil {
		return err
	}
	defer parts.Close()
	options := remote.ServerOptions{
		Service: parts, MaxMessage: p.grpcMaxSize << 20, StopGrace: stopGrace, Logger: p.logger,
	}
	if p.repoDisableTLS {
		p.logger.Warn("TLS is disabled: whoever reaches the port of the repo component can read the repositories of this installation",
			"address", p.repoListen)
	} else {
		identity, err := p.identity(ctx)
		if err != nil {
			return err
		}
		options.TLS = identity.ServerConfig("h2")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.repoListen)
	if err != nil {
		return fmt.Errorf("--repo-listen: %w", err)
	}
	p.logger.Info("serving the repo component", "address", listener.Addr().String(), "tls", !p.repoDisableTLS)
	listening()
	return remote.Serve(ctx, listener, options)
}

// identity is this process among those of the installation, kept current until
// ctx ends.
func (p *process) identity(ctx context.Context) (*peer.Identity, error) {
	identity, err := peer.Open(ctx, peer.Options{Client: p.kubernetes, Namespace: p.namespace, Logger: p.logger})
	if err != nil {
		return nil, err
	}
	go func() {
		if err := identity.Run(ctx); err != nil {
			p.logger.Error("the certificates of the installation are not followed any more", "error", err)
		}
	}()
	return identity, nil
}
