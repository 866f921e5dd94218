package remote

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/maypok86/otter/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // the client's side of health checks
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

// ClientOptions are what a Client works with. Address is required.
type ClientOptions struct {
	// Address of the servers, host:port. All addresses that DNS gives for the host are used.
	Address string
	// TLS to reach them with; nil speaks plain text.
	TLS *tls.Config
	// MaxMessage bounds a message in bytes, default DefaultMaxMessage.
	MaxMessage int
	// Timeout bounds one call, default 60 s.
	Timeout time.Duration
	// MaxBytes bounds roughly the memory for last results, default 128 MiB.
	MaxBytes int64
	// MaxBackoff is the longest wait before a server that could not be reached is tried again, default 5 s.
	MaxBackoff time.Duration
	// Now is the clock, default time.Now.
	Now func() time.Time
}

// Client is the repo component in other processes. It is safe for concurrent use.
type Client struct {
	o    ClientOptions
	conn *grpc.ClientConn
	kept *otter.Cache[string, kept]
	// polled is when the last good poll of an origin began.
	polled *otter.Cache[repo.Origin, time.Time]
}

var _ repo.Service = (*Client)(nil)

// kept is the last response to a request.
type kept struct {
	response *repo.Response
	tag      string
	bytes    int
}

// serviceConfig has calls spread by repository over healthy servers, and tries again what did not reach one.
const serviceConfig = `{
	"loadBalancingConfig": [{"` + balancerName + `": {}}],
	"healthCheckConfig": {"serviceName": ""},
	"methodConfig": [{
		"name": [{"service": "` + serviceName + `"}],
		"retryPolicy": {
			"maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "0.5s", "backoffMultiplier": 3,
			"retryableStatusCodes": ["UNAVAILABLE"]
		}
	}]
}`

// maxOrigins bounds the memory for the times of polls.
const maxOrigins = 100_000

// NewClient makes a Client. It reaches nobody before the first call. Close it after the last one.
func NewClient(o ClientOptions) (*Client, error) {
	o.MaxMessage = cmp.Or(o.MaxMessage, DefaultMaxMessage)
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.MaxBytes = cmp.Or(o.MaxBytes, 128<<20)
	o.MaxBackoff = cmp.Or(o.MaxBackoff, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if _, _, err := net.SplitHostPort(o.Address); err != nil {
		return nil, fmt.Errorf("the address of the repo component: %w; give it as host:port", err)
	}
	secured := insecure.NewCredentials()
	if o.TLS != nil {
		secured = credentials.NewTLS(o.TLS)
	}
	retry := backoff.DefaultConfig
	retry.BaseDelay, retry.MaxDelay = min(200*time.Millisecond, o.MaxBackoff), o.MaxBackoff
	conn, err := grpc.NewClient("dns:///"+o.Address,
		grpc.WithTransportCredentials(secured),
		grpc.WithDefaultServiceConfig(serviceConfig), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec{}),
			grpc.MaxCallRecvMsgSize(o.MaxMessage), grpc.MaxCallSendMsgSize(o.MaxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: 5 * time.Second}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingTimeout, PermitWithoutStream: true}),
		grpc.WithNoProxy(),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to the repo component at %s: %w", o.Address, err)
	}
	return &Client{
		o: o, conn: conn,
		kept: otter.Must(&otter.Options[string, kept]{
			MaximumWeight: uint64(o.MaxBytes),
			Weigher:       func(_ string, k kept) uint32 { return uint32(512 + expansion*k.bytes) },
		}),
		polled: otter.Must(&otter.Options[repo.Origin, time.Time]{MaximumSize: maxOrigins}),
	}, nil
}

// expansion is how many times as long as on the wire a result is in memory, roughly.
const expansion = 4

// Close ends the connections. No call may be in progress or follow.
func (c *Client) Close() error {
	c.kept.StopAllGoroutines()
	c.polled.StopAllGoroutines()
	return c.conn.Close()
}

// Poll implements repo.Service.
func (c *Client) Poll(ctx context.Context, origin repo.Origin) (changed bool, err error) {
	begin := c.o.Now()
	var answer pollAnswer
	call := &message{head: pollCall{Origin: origin}}
	if err := c.invoke(withRoute(ctx, origin.URL), pollMethod, call, &message{head: &answer}); err != nil {
		return false, err
	}
	if answer.Error != nil {
		return false, answer.Error.decode()
	}
	c.polled.Set(origin, begin)
	return answer.Changed, nil
}

// Render implements repo.Service.
func (c *Client) Render(ctx context.Context, req repo.Request) (*repo.Response, error) {
	call := renderCall{Request: req}
	if len(req.APIVersions) > 0 {
		call.APIs = hashOfAPIs(req.APIVersions)
	}
	call.Request.APIVersions, call.Request.MaxAge = nil, c.ages(&req)
	id, err := identity(req, call.APIs)
	if err != nil {
		return nil, err
	}
	last, known := c.kept.GetIfPresent(id)
	call.Have = last.tag
	ctx = withRoute(ctx, routeOf(req.Sources))
	answer, err := c.render(ctx, call, req.APIVersions)
	switch {
	case errors.Is(err, repo.ErrUnavailable) && known && ctx.Err() == nil:
		stale := *last.response
		stale.Stale = err
		return &stale, nil
	case err != nil:
		return nil, blameKnown(err, len(req.Sources))
	}
	response := &repo.Response{Sources: answer.head.Sources}
	if answer.head.Unchanged {
		if !known || answer.head.Tag != last.tag {
			return nil, errors.New("the repo component says that a result is unchanged which it has not given")
		}
		response.Result = last.response.Result
		last.response = response
		c.kept.Set(id, last)
		return response, nil
	}
	result, err := render.DecodeResult(answer.body)
	if err != nil {
		return nil, fmt.Errorf("answer of the repo component at %s: %w; both sides have to be of one version", c.o.Address, err)
	}
	response.Result = &result
	c.kept.Set(id, kept{response: response, tag: answer.head.Tag, bytes: len(answer.body)})
	return response, nil
}

// blameKnown leaves out the blame of a source that the request does not have.
func blameKnown(err error, sources int) error {
	var one *repo.SourceError
	if errors.As(err, &one) && (one.Index < 0 || one.Index >= sources) {
		return one.Err
	}
	return err
}

// rendered is an answer with its body.
type rendered struct {
	head renderAnswer
	body []byte
}

// render calls, and again with the list of APIs when the server asks for it.
func (c *Client) render(ctx context.Context, call renderCall, apis []string) (*rendered, error) {
	for range 2 {
		out := &rendered{}
		answer := &message{head: &out.head}
		if err := c.invoke(ctx, renderMethod, &message{head: call}, answer); err != nil {
			return nil, err
		}
		switch {
		case out.head.WantAPIs:
			call.APIVersions = apis
			continue
		case out.head.Error != nil:
			return nil, out.head.Error.decode()
		}
		out.body = answer.body
		return out, nil
	}
	return nil, errors.New("the repo component asks for the list of APIs again and again")
}

// ages are how long ago the origins of the sources were polled, so that no server answers by what it knew before.
func (c *Client) ages(req *repo.Request) []time.Duration {
	ages := make([]time.Duration, len(req.Sources))
	for i := range req.Sources {
		if origin, ok := repo.OriginOf(req.Sources[i], req.Project); ok {
			if at, ok := c.polled.GetIfPresent(origin); ok {
				ages[i] = max(c.o.Now().Sub(at), time.Nanosecond)
			}
		}
	}
	return ages
}

// invoke makes one call.
func (c *Client) invoke(ctx context.Context, method string, call, answer *message) error {
	limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	err := c.conn.Invoke(limited, method, call, answer)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch said := status.Convert(err); said.Code() {
	case codes.Unavailable:
		return fmt.Errorf("%w at %s: %s", repo.ErrUnavailable, c.o.Address, said.Message())
	case codes.DeadlineExceeded, codes.Canceled:
		return fmt.Errorf("%w at %s: there was no answer within %s", repo.ErrUnavailable, c.o.Address, c.o.Timeout)
	case codes.ResourceExhausted:
		return fmt.Errorf("calling the repo component at %s: %s; raise --grpc-max-size-mb on both sides when that is meant to be",
			c.o.Address, said.Message())
	default:
		return fmt.Errorf("calling the repo component at %s: %s", c.o.Address, said.Message())
	}
}
