package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/webhook"
)

// Server answers the API and the page. Create it with [New].
type Server struct {
	options Options
	hub     *hub
	encoded *encodings
	handler http.Handler
	streams chan struct{}
	hooks   *webhook.Queue
	refused refusals
	// hookBytes are those of bodies of webhooks that are in memory.
	hookBytes atomic.Int64
}

// Limits of one server.
const (
	maxHeader     = 64 << 10
	maxStreams    = 2_000
	headerTimeout = 10 * time.Second
	bodyTimeout   = 60 * time.Second
	answerTimeout = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 5 * time.Second
)

// New makes a server. It subscribes to changes when [Server.Serve] runs.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{options: o, hub: newHub(), encoded: newEncodings(), streams: make(chan struct{}, maxStreams)}
	s.hooks = webhook.NewQueue(webhook.QueueOptions{Applications: o.Applications.OfRepository, Look: s.lookAgain})
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.guard(r))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.writeError(w, r, failure(codeNotFound, "there is no %s %s", r.Method, r.URL.Path))
	})
	mux.Handle("/", s.page())
	s.handler = s.recovering(s.securing(mux))
	return s
}

// Handler is everything that the server answers. Streams stay silent until [Server.Watch] runs.
func (s *Server) Handler() http.Handler { return s.handler }

// Watch brings changes of Applications to the streams, and works on what webhooks tell, until ctx ends.
func (s *Server) Watch(ctx context.Context) error {
	stop, err := s.options.Applications.OnApplication(func(old, app *v1alpha1.Application) {
		if app == nil {
			s.encoded.forget(old)
		}
		s.hub.changed(old, app)
	})
	if err != nil {
		return fmt.Errorf("watch Applications for the API: %w", err)
	}
	defer stop()
	s.hooks.Run(ctx)
	return nil
}

// Serve answers on the listener until ctx ends, lets what is under way finish for a moment, and closes the listener. It
// gives nil when ctx ended.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	// Requests end with this context, so that streams do not hold the stop up.
	requests, cancel := context.WithCancel(ctx)
	defer cancel()
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(s.options.Insecure)
	server := &http.Server{
		Handler:           s.handler,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelDebug),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.options.certificate},
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Watch(ctx) })
	group.Go(func() error {
		var err error
		if s.options.Insecure {
			err = server.Serve(listener)
		} else {
			err = server.ServeTLS(listener, "", "")
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve the API on %s: %w", listener.Addr(), err)
	})
	group.Go(func() error {
		<-ctx.Done()
		cancel()
		grace, stopped := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer stopped()
		if err := server.Shutdown(grace); err != nil {
			_ = server.Close() // what has not ended by now is cut off
		}
		return nil
	})
	return group.Wait()
}
