package protocol

import (
	"context"

	"google.golang.org/grpc"
)

// Names of the services, and the paths of their methods.
const (
	ServiceName        = "plugin.ConfigManagementPluginService"
	AskPassServiceName = "askpass.AskPassService"

	MethodGenerate      = "/" + ServiceName + "/GenerateManifest"
	MethodMatch         = "/" + ServiceName + "/MatchRepository"
	MethodParameters    = "/" + ServiceName + "/GetParametersAnnouncement"
	MethodConfiguration = "/" + ServiceName + "/CheckPluginConfiguration"
	MethodCredentials   = "/" + AskPassServiceName + "/GetCredentials"
)

// Stream gives the messages that a caller streams; the end is io.EOF.
type Stream interface {
	Recv() (*StreamRequest, error)
}

// Plugin is the service of a config management plugin.
type Plugin interface {
	// Generate gives the manifests of a source.
	Generate(ctx context.Context, stream Stream) (*ManifestResponse, error)
	// Match tells whether the plugin takes a source.
	Match(ctx context.Context, stream Stream) (*RepositoryResponse, error)
	// Parameters gives the parameters that a source can have.
	Parameters(ctx context.Context, stream Stream) (*ParametersResponse, error)
	// Configuration tells what the plugin can do and wants.
	Configuration(ctx context.Context) (*ConfigurationResponse, error)
}

// AskPass is the service that gives credentials.
type AskPass interface {
	Credentials(ctx context.Context, req *CredentialsRequest) (*CredentialsResponse, error)
}

// RegisterPlugin adds a plugin to a server, which must use Codec.
func RegisterPlugin(s grpc.ServiceRegistrar, p Plugin) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: ServiceName,
		HandlerType: (*Plugin)(nil),
		Methods: []grpc.MethodDesc{unary("CheckPluginConfiguration",
			func(ctx context.Context, _ *Empty) (*ConfigurationResponse, error) { return p.Configuration(ctx) })},
		Streams: []grpc.StreamDesc{
			upload("GenerateManifest", p.Generate),
			upload("MatchRepository", p.Match),
			upload("GetParametersAnnouncement", p.Parameters),
		},
	}, p)
}

// RegisterAskPass adds a source of credentials to a server, which must use Codec.
func RegisterAskPass(s grpc.ServiceRegistrar, a AskPass) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: AskPassServiceName,
		HandlerType: (*AskPass)(nil),
		Methods:     []grpc.MethodDesc{unary("GetCredentials", a.Credentials)},
	}, a)
}

// unary describes a method with one request and one answer.
func unary[Req, Resp any](name string, do func(context.Context, *Req) (*Resp, error)) grpc.MethodDesc {
	handler := func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		req := new(Req)
		if err := decode(req); err != nil {
			return nil, err
		}
		if intercept == nil {
			return do(ctx, req)
		}
		return intercept(ctx, req, &grpc.UnaryServerInfo{FullMethod: name}, func(ctx context.Context, req any) (any, error) {
			return do(ctx, req.(*Req))
		})
	}
	return grpc.MethodDesc{MethodName: name, Handler: handler}
}

// upload describes a method with a stream of requests and one answer.
func upload[Resp any](name string, do func(context.Context, Stream) (*Resp, error)) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: name, ClientStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
		response, err := do(stream.Context(), serverStream{stream})
		if err != nil {
			return err
		}
		return stream.SendMsg(response)
	}}
}

// serverStream is the receiving end of a stream.
type serverStream struct{ grpc.ServerStream }

// Recv implements Stream.
func (s serverStream) Recv() (*StreamRequest, error) {
	req := new(StreamRequest)
	if err := s.RecvMsg(req); err != nil {
		return nil, err
	}
	return req, nil
}
