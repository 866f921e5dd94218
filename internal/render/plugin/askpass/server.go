package askpass

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// DefaultSocket is where a Server listens when nothing else is said.
const DefaultSocket = "/tmp/reposerver-ask-pass.sock"

// Names that the parts agree on.
const (
	// BinaryName is the name under which the program that git runs is known.
	BinaryName = "argocd-git-ask-pass"
	// EnvSocket and EnvNonce tell that program whom to ask, and for what.
	EnvSocket = "ARGOCD_ASK_PASS_SOCK"
	EnvNonce  = "ARGOCD_GIT_ASKPASS_NONCE"
)

// Credentials of a repository that is reached by HTTPS.
type Credentials struct {
	Username, Password string
	// Insecure says that the server's certificate is not looked at.
	Insecure bool
}

// Server lends credentials.
type Server struct {
	socket string

	mu   sync.Mutex
	lent map[string]Credentials
}

var _ protocol.AskPass = (*Server)(nil)

// NewServer makes a Server that will listen on a socket; empty is DefaultSocket.
func NewServer(socket string) *Server {
	if socket == "" {
		socket = DefaultSocket
	}
	return &Server{socket: socket, lent: map[string]Credentials{}}
}

// Run serves until ctx ends, which is no error.
func (s *Server) Run(ctx context.Context) error {
	if info, err := os.Lstat(s.socket); err == nil && info.Mode().Type() == fs.ModeSocket {
		if err := os.Remove(s.socket); err != nil {
			return fmt.Errorf("removing the old socket for git credentials: %w", err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", s.socket)
	if err != nil {
		return fmt.Errorf("opening the socket for git credentials: %w; set %s to a path in a volume that plugins mount too", err, EnvSocket)
	}
	if err := os.Chmod(s.socket, 0o600); err != nil {
		listener.Close()
		return fmt.Errorf("protecting the socket for git credentials: %w", err)
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(protocol.Codec{}), grpc.MaxRecvMsgSize(4<<10))
	protocol.RegisterAskPass(server, s)
	defer context.AfterFunc(ctx, server.Stop)()
	if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serving git credentials: %w", err)
	}
	return nil
}

// Lend lends credentials until back is called, and gives the environment with which git gets them.
func (s *Server) Lend(c Credentials) (env []string, back func()) {
	nonce := rand.Text()
	s.mu.Lock()
	s.lent[nonce] = c
	s.mu.Unlock()
	env = []string{
		"GIT_ASKPASS=argocd",
		EnvNonce + "=" + nonce,
		"GIT_TERMINAL_PROMPT=0",
		"ARGOCD_BINARY_NAME=" + BinaryName,
		EnvSocket + "=" + s.socket,
	}
	if c.Insecure {
		env = append(env, "GIT_SSL_NO_VERIFY=true")
	}
	return env, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.lent, nonce)
	}
}

// Credentials implements protocol.AskPass.
func (s *Server) Credentials(_ context.Context, req *protocol.CredentialsRequest) (*protocol.CredentialsResponse, error) {
	if req.Nonce == "" {
		return nil, status.Error(codes.InvalidArgument, "missing nonce")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.lent[req.Nonce]
	if !ok {
		return nil, status.Error(codes.NotFound, "unknown nonce")
	}
	return &protocol.CredentialsResponse{Username: c.Username, Password: c.Password}, nil
}
