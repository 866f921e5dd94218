package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead-cd/fairlead/internal/peer"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/repo/remote"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/internal/source/content"
	"github.com/fairlead-cd/fairlead/internal/source/download"
	"github.com/fairlead-cd/fairlead/internal/source/oci"
)

// repoOptions are what the repo component is built with, whether it serves an
// installation or one command.
type repoOptions struct {
	dataDir       string
	memo          *render.Memo
	settings      repo.Settings
	gitTimeout    time.Duration
	maxManifests  int64
	maxRepository int64
	submodules    bool
	ociMediaTypes []string              // nil: those that OCI artifacts have by default
	plugins       repo.Plugins          // nil: none
	registerer    prometheus.Registerer // nil: no metrics
	logger        *slog.Logger
}

// repoParts is a repo component in this process. This is the one place where
// stores and renderers are joined.
type repoParts struct {
	repo.Service
	local   *repo.Local
	mirrors *source.Mirrors
	memo    *render.Memo
	// closing are what Close calls, the last one first.
	closing []func() error
}

func newRepo(o repoOptions) (parts *repoParts, err error) {
	parts = &repoParts{memo: o.memo}
	defer func() {
		if err != nil {
			parts.Close()
		}
	}()
	var metrics *repo.Metrics
	var onFetch func(source.FetchReport)
	var onChart func(chart.Request)
	var onArtifact func(oci.Request)
	if o.registerer != nil {
		if metrics, err = repo.NewMetrics(o.registerer); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
		onFetch, onChart, onArtifact = metrics.OnFetch, metrics.OnChart, metrics.OnArtifact
	}
	env := gitEnvironment()
	parts.mirrors, err = source.NewMirrors(source.Options{
		Dir: filepath.Join(o.dataDir, "repositories"), Env: env, Logger: o.logger, PollTimeout: o.gitTimeout,
		WithoutSubmodules: !o.submodules, Credentials: repo.SubmoduleCredentials(o.settings),
		MaxRepositorySize: o.maxRepository, OnFetch: onFetch,
	})
	if err != nil {
		return nil, err
	}
	parts.closing = append(parts.closing, parts.mirrors.Close)
	charts, err := chart.New(chart.Options{Dir: o.dataDir, Env: env, Logger: o.logger, OnRequest: onChart})
	if err != nil {
		return nil, err
	}
	parts.closing = append(parts.closing, charts.Close)
	artifacts, err := oci.New(oci.Options{Dir: o.dataDir, Env: env, MediaTypes: o.ociMediaTypes, Logger: o.logger, OnRequest: onArtifact})
	if err != nil {
		return nil, err
	}
	parts.closing = append(parts.closing, artifacts.Close)
	downloads := download.New(download.Options{Env: env, Logger: o.logger})
	parts.closing = append(parts.closing, downloads.Close)
	parts.local = repo.NewLocal(repo.Options{
		Settings: o.settings, Git: parts.mirrors, Charts: charts, Artifacts: artifacts, Downloads: downloads, Plugins: o.plugins,
		Memo: parts.memo, MaxManifestBytes: o.maxManifests,
	})
	parts.Service = parts.local
	if metrics != nil {
		err := errors.Join(o.registerer.Register(repo.MemoNumbers(parts.memo.Stats)),
			o.registerer.Register(repo.StoreNumbers(map[string]func() content.Stats{"charts": charts.Stats, "oci": artifacts.Stats})))
		if err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
		parts.Service = metrics.Count(parts.local)
	}
	return parts, nil
}

// Close gives back what the parts hold, after the last call.
func (r *repoParts) Close() error {
	var errs []error
	for _, one := range slices.Backward(r.closing) {
		errs = append(errs, one())
	}
	return errors.Join(errs...)
}

// repoService is the repo component for the other components of this process:
// in it, or reached at --repo-server. Close it after the last call.
func (p *process) repoService(ctx context.Context) (service interface {
	repo.Service
	Close() error
}, err error) {
	if p.runs("repo") {
		return p.ownRepo(ctx)
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

// ownRepo builds the repo component of this process, which lends plugins git
// credentials until ctx ends.
func (p *process) ownRepo(ctx context.Context) (*repoParts, error) {
	memo, stopRendering, err := p.newMemo()
	if err != nil {
		return nil, err
	}
	plugins, lend, err := p.newPlugins()
	if err != nil {
		stopRendering()
		return nil, err
	}
	parts, err := newRepo(repoOptions{
		dataDir: p.dataDir, memo: memo, settings: p.settings, gitTimeout: p.gitTimeout, maxManifests: int64(p.maxManifests),
		maxRepository: int64(p.maxRepository), submodules: p.gitSubmodules, plugins: plugins, ociMediaTypes: p.ociMediaTypes,
		registerer: p.registry, logger: p.logger,
	})
	if err != nil {
		plugins.Close()
		stopRendering()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	lent := make(chan struct{})
	go func() {
		defer close(lent)
		lend(ctx)
	}()
	parts.closing = append(parts.closing, func() error {
		cancel()
		<-lent
		plugins.Close()
		stopRendering()
		return nil
	})
	return parts, nil
}

// worksOnApplications tells whether a component is chosen that needs more than
// the settings of the installation.
func (c *config) worksOnApplications() bool { return c.runs("api") || c.runs("controller") }

// servesRepo tells whether the repo component is for other processes.
func (c *config) servesRepo() bool { return c.runs("repo") && !c.runs("controller") }

// serveRepo answers the calls of other processes until ctx ends. It calls
// listening once it does.
func (p *process) serveRepo(ctx context.Context, listening func()) error {
	parts, err := p.ownRepo(ctx)
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
