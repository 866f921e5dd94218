package cli

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/auth"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// serveAPI serves the API and the page until ctx ends.
func (p *process) serveAPI(ctx context.Context, watch *application.Watch) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	own, err := inspect.New(p.restConfig)
	if err != nil {
		return err
	}
	if p.disableAuth {
		p.logger.Warn("authentication is disabled: whoever reaches the API may do everything", "address", listener.Addr().String())
	}
	api := server.New(server.Options{
		Applications: watch,
		Client:       func(namespace string) server.ApplicationClient { return p.client.Applications(namespace) },
		Project: func(app *v1alpha1.Application) (*tenancy.Project, error) {
			return watch.ProjectOf(app, p.settings.Get())
		},
		Live:   p.live,
		Pushed: p.pushed,
		Events: func(ctx context.Context, app *v1alpha1.Application) (*corev1.EventList, error) {
			return own.Events(ctx, inspect.Involved{Namespace: app.Namespace, Name: app.Name, UID: string(app.UID)})
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

// live gives what is known of the clusters, as long as this process has the controller.
func (p *process) live() server.Live {
	if controller := p.controller.Load(); controller != nil {
		return controller.Inspector()
	}
	return nil
}

// pushed has the controller of this process, as long as it leads, look at what was pushed.
func (p *process) pushed(ctx context.Context, key string, apps []*v1alpha1.Application) []*v1alpha1.Application {
	if controller := p.controller.Load(); controller != nil {
		return controller.Pushed(ctx, key, apps)
	}
	return apps
}
