package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/auth"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// serveAPI serves the API and the page until ctx ends.
func (p *process) serveAPI(ctx context.Context, watch *application.Watch) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if p.disableAuth {
		p.logger.Warn("authentication is disabled: whoever reaches the API may do everything", "address", listener.Addr().String())
	}
	api := server.New(server.Options{
		Applications: watch,
		Client:       func(namespace string) server.ApplicationClient { return p.client.Applications(namespace) },
		Tree:         p.tree,
		Project: func(app *v1alpha1.Application) (*tenancy.Project, error) {
			return watch.ProjectOf(app, p.settings.Get())
		},
		Namespace:   p.namespace,
		Settings:    p.settings.Get,
		Sessions:    auth.NewSessions(auth.Options{Settings: p.settings.Get, Now: time.Now, Logger: p.logger}),
		DisableAuth: p.disableAuth,
		Insecure:    p.insecure,
		Ready:       p.ready.err,
		Version: server.Version{
			Version: Version, GoVersion: runtime.Version(), Compiler: runtime.Compiler,
			Platform: runtime.GOOS + "/" + runtime.GOARCH,
		},
		Logger: p.logger,
	})
	p.logger.Info("serving the API and the page", "address", listener.Addr().String(), "tls", !p.insecure)
	return api.Serve(ctx, listener)
}

// tree draws an Application, as long as this process has the controller.
func (p *process) tree(app *v1alpha1.Application) (*v1alpha1.ApplicationTree, error) {
	controller := p.controller.Load()
	if controller == nil {
		return nil, errors.New("the controller does not run in this process at the moment")
	}
	return controller.Tree(app)
}
