package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// Options are the options of a Server. Config, SocketDir, WorkDir and Logger are required.
type Options struct {
	// Config describes the plugin.
	Config *Config
	// SocketDir is the folder of the sockets of plugins, which is shared with the repo server.
	SocketDir string
	// WorkDir is the folder in which files are unpacked. Whatever else is in it is removed at the start.
	WorkDir string
	// Environ is the environment of the commands, to which a request adds.
	Environ []string
	// Timeout is how long a command may take; zero is 90 s. A request may give less.
	Timeout time.Duration
	// Grace is how long a command has to end by itself after that; zero is 10 s.
	Grace time.Duration
	// MaxMessage bounds what is answered, in bytes; zero is 100 MiB.
	MaxMessage int
	// Limit bounds the files of a request; zero fields are those of archive.DefaultLimit.
	Limit archive.Limit
	// AskPass is a program that asks the repo server for credentials when git runs it, see package askpass; empty for
	// one that is named argocd in PATH.
	AskPass string
	// Logger gets what commands say, and failures.
	Logger *slog.Logger
}

// Server serves one plugin.
type Server struct {
	o Options
}

// New makes a Server.
func New(o Options) *Server {
	if o.Timeout == 0 {
		o.Timeout = 90 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = 100 << 20
	}
	return &Server{o: o}
}

// maxSocketPath is how long the path of a socket may be on Linux.
const maxSocketPath = 107

// Socket is the path of the socket.
func (s *Server) Socket() string {
	return filepath.Join(s.o.SocketDir, s.o.Config.FullName()+".sock")
}

// stopTime is how long requests may go on after the server was told to stop.
const stopTime = 5 * time.Second

// Run serves until ctx ends, which is no error. The socket is removed at the end.
func (s *Server) Run(ctx context.Context) error {
	if err := os.RemoveAll(s.o.WorkDir); err != nil {
		return fmt.Errorf("emptying the work folder: %w; check ARGOCD_CMP_WORKDIR", err)
	}
	if err := os.MkdirAll(s.o.WorkDir, 0o700); err != nil {
		return fmt.Errorf("making the work folder: %w; check ARGOCD_CMP_WORKDIR", err)
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(protocol.Codec{}),
		grpc.MaxRecvMsgSize(s.o.MaxMessage), grpc.MaxSendMsgSize(s.o.MaxMessage),
		grpc.WaitForHandlers(true),
		grpc.StreamInterceptor(s.intercept(requests)),
	)
	protocol.RegisterPlugin(server, &service{s.o})
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	s.o.Logger.Info("the plugin is ready", "plugin", s.o.Config.FullName(), "socket", listener.Addr().String())
	if !s.o.Config.Discover.IsSet() {
		s.o.Logger.Info("the plugin has no discovery rule; an Application has to name it in spec.source.plugin.name", "plugin", s.o.Config.FullName())
	}
	select {
	case err := <-serving:
		return fmt.Errorf("serving on %s: %w", s.Socket(), err)
	case <-ctx.Done():
	}
	timer := time.AfterFunc(stopTime, func() {
		end()
		server.Stop()
	})
	defer timer.Stop()
	server.GracefulStop()
	<-serving //nolint:errcheck // it ends because it was told to
	return nil
}

// listen opens the socket, in place of one that a predecessor has left.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	socket := s.Socket()
	if len(socket) > maxSocketPath {
		return nil, fmt.Errorf("the path of the socket, %s, has %d characters; %d are possible: shorten the plugin's name, or the folder (ARGOCD_PLUGINSOCKFILEPATH)",
			socket, len(socket), maxSocketPath)
	}
	switch info, err := os.Lstat(socket); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("looking for an old socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is there already and is no socket; remove it", socket)
	default:
		if err := os.Remove(socket); err != nil {
			return nil, fmt.Errorf("removing the old socket: %w", err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("opening the socket: %w; is the folder of the sockets mounted at %s?", err, s.o.SocketDir)
	}
	return listener, nil
}
