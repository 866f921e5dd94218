package remote

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/maypok86/otter/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

// DefaultMaxMessage is how long a message may be, unless the options say otherwise.
const DefaultMaxMessage = 100 << 20

// ServerOptions are what Serve works with. Service is required.
type ServerOptions struct {
	// Service answers the calls.
	Service repo.Service
	// TLS of the port; nil serves plain text, to everybody.
	TLS *tls.Config
	// MaxMessage bounds a message in bytes, default DefaultMaxMessage.
	MaxMessage int
	// StopGrace is how long calls in progress may take after ctx has ended, default 10 s.
	StopGrace time.Duration
	// Logger for who is refused; nil discards it.
	Logger *slog.Logger
}

const (
	// connectionAge makes clients look for new servers from time to time, and show their certificates.
	connectionAge = 10 * time.Minute
	// pingAfter and pingTimeout find out that the other side is gone without a word.
	pingAfter   = time.Minute
	pingTimeout = 20 * time.Second
	// keptLists bounds the lists of APIs that a server knows: one for each cluster, and some that were.
	keptLists = 256
)

// Serve answers calls until ctx ends, and then lets those in progress finish for a while.
func Serve(ctx context.Context, listener net.Listener, o ServerOptions) error {
	if o.MaxMessage == 0 {
		o.MaxMessage = DefaultMaxMessage
	}
	if o.StopGrace == 0 {
		o.StopGrace = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{}),
		grpc.MaxRecvMsgSize(o.MaxMessage), grpc.MaxSendMsgSize(o.MaxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pingTimeout, MaxConnectionAge: connectionAge}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingAfter / 4, PermitWithoutStream: true}),
		grpc.WaitForHandlers(true),
	}
	if o.TLS != nil {
		options = append(options, grpc.Creds(refusals{credentials.NewTLS(o.TLS), o.Logger}))
	}
	h := &handler{service: o.Service, apis: otter.Must(&otter.Options[string, []string]{MaximumSize: keptLists})}
	defer h.apis.StopAllGoroutines()
	server := grpc.NewServer(options...)
	server.RegisterService(h.description(), h)
	state := health.NewServer()
	healthpb.RegisterHealthServer(server, state)

	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		state.Shutdown() // clients turn to others
		graceful := make(chan struct{})
		go func() {
			defer close(graceful)
			server.GracefulStop()
		}()
		select {
		case <-graceful:
		case <-time.After(o.StopGrace):
			server.Stop()
			<-graceful
		}
	})
	err := server.Serve(listener)
	if stop() {
		server.Stop()
		return err
	}
	<-stopped
	return nil
}

// refusals logs who was refused, and why.
type refusals struct {
	credentials.TransportCredentials
	logger *slog.Logger
}

// ServerHandshake implements credentials.TransportCredentials.
func (r refusals) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := r.TransportCredentials.ServerHandshake(conn)
	if err != nil {
		r.logger.Warn("refused a connection to the repo component", "from", conn.RemoteAddr().String(), "error", err)
	}
	return secured, info, err
}

// Clone implements credentials.TransportCredentials.
func (r refusals) Clone() credentials.TransportCredentials {
	return refusals{r.TransportCredentials.Clone(), r.logger}
}

// handler turns calls into those of the Service.
type handler struct {
	service repo.Service
	apis    *otter.Cache[string, []string]
}

// description tells gRPC the methods.
func (h *handler) description() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: serviceName,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Poll", Handler: method(h.poll)},
			{MethodName: "Render", Handler: method(h.render)},
		},
	}
}

// method makes a gRPC handler out of a function of a head.
func method[Call any](f func(context.Context, *Call) (*message, error)) grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		call := new(Call)
		if err := decode(&message{head: call}); err != nil {
			return nil, err
		}
		return f(ctx, call)
	}
}

func (h *handler) poll(ctx context.Context, call *pollCall) (*message, error) {
	changed, err := h.service.Poll(ctx, call.Origin)
	return &message{head: pollAnswer{Changed: changed, Error: encodeError(err)}}, nil
}

func (h *handler) render(ctx context.Context, call *renderCall) (*message, error) {
	switch {
	case len(call.APIVersions) > 0:
		call.APIs = hashOfAPIs(call.APIVersions)
		h.apis.Set(call.APIs, call.APIVersions)
	case call.APIs != "":
		known, ok := h.apis.GetIfPresent(call.APIs)
		if !ok {
			return &message{head: renderAnswer{WantAPIs: true}}, nil
		}
		call.APIVersions = known
	}
	req := call.Request
	req.APIVersions = call.APIVersions
	response, err := h.service.Render(ctx, req)
	if err != nil {
		return &message{head: renderAnswer{Error: encodeError(err)}}, nil
	}
	answer := renderAnswer{Sources: response.Sources, Tag: tagOf(response.Result)}
	if call.Have == answer.Tag {
		answer.Unchanged = true
		return &message{head: answer}, nil
	}
	body, err := encodeResult(response.Result)
	if err != nil {
		return nil, err
	}
	return &message{head: answer, body: body}, nil
}

// encodeResult writes a result as the body of an answer.
func encodeResult(r *render.Result) ([]byte, error) { return render.AppendResult(nil, *r) }
