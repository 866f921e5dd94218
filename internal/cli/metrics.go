package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// readiness says whether the process can serve: every part that was named has
// reported.
type readiness struct {
	mu      sync.Mutex
	waiting map[string]bool
}

// expect names a part that has to report before the process is ready.
func (r *readiness) expect(part string) (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = make(map[string]bool)
	}
	r.waiting[part] = true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiting, part)
	}
}

// err is nil when the process is ready.
func (r *readiness) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for part := range r.waiting {
		return fmt.Errorf("waiting for %s", part)
	}
	return nil
}

// serveMetrics serves metrics, liveness and readiness until ctx ends.
func (p *process) serveMetrics(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := p.ready.err(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	if p.profile {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, address := range p.metricsListen {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("--metrics-listen: %w", err)
		}
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
		group.Go(func() error { return serveUntil(ctx, server, listener) })
		p.logger.Info("serving metrics", "address", listener.Addr().String())
	}
	return group.Wait()
}

// serveUntil serves until ctx ends, and then lets requests finish for a while.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	err := server.Serve(listener)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// stopGrace is how long a stopping process finishes what it serves.
const stopGrace = 10 * time.Second
