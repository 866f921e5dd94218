package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// connection is how the API server is reached. It never changes; Reconnect puts another in its place.
type connection struct {
	config  *rest.Config
	client  rest.Interface
	dynamic dynamic.Interface
	finder  *discovery.DiscoveryClient

	// patience is how long answers are waited for.
	patience patient

	mu sync.Mutex
	// others are the clients that write as other users.
	others map[string]dynamic.Interface
}

func (c *Cluster) connect(how *rest.Config) (*connection, error) {
	made, err := connect(how, c.absence, c.lost)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.options.Server, err)
	}
	return made, nil
}

// connect prepares a connection. away and lost are those of [patient].
func connect(how *rest.Config, away func() error, lost func(error)) (*connection, error) {
	c := &connection{config: rest.CopyConfig(how)}
	c.config.QPS, c.config.Burst, c.config.Timeout = -1, -1, 0
	if c.config.UserAgent == "" {
		c.config.UserAgent = "fairlead"
	}
	transport, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection: %w", err)
	}
	c.patience = patient{probe: c.probe, away: away, lost: lost}
	awaited := &http.Client{Transport: c.patience.over(transport)}
	if c.dynamic, err = c.newDynamic(c.config); err != nil {
		return nil, err
	}
	config := rest.CopyConfig(c.config)
	config.WarningHandler = rest.NoWarnings{} // of deprecated APIs: we watch whatever is there
	config.AcceptContentTypes, config.ContentType = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	config.NegotiatedSerializer = serializer.NewCodecFactory(parameterScheme).WithoutConversion()
	if c.client, err = rest.UnversionedRESTClientForConfigAndClient(config, transport); err != nil {
		return nil, fmt.Errorf("preparing the client: %w", err)
	}
	if c.finder, err = discovery.NewDiscoveryClientForConfigAndClient(config, awaited); err != nil {
		return nil, fmt.Errorf("preparing discovery: %w", err)
	}
	return c, nil
}

// newDynamic returns a client that tells how its requests go (WithAnswers). Clients of one configuration share
// connections, whoever they write as.
func (c *connection) newDynamic(config *rest.Config) (dynamic.Interface, error) {
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection: %w", err)
	}
	told := *transport
	told.Transport = answering{next: c.patience.over(transport)}
	client, err := dynamic.NewForConfigAndClient(config, &told)
	if err != nil {
		return nil, fmt.Errorf("preparing the client: %w", err)
	}
	return client, nil
}

// as returns the client that acts as a user; it is made once.
func (c *connection) as(user string) (dynamic.Interface, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.others[user]; ok {
		return client, nil
	}
	config := rest.CopyConfig(c.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	client, err := c.newDynamic(config)
	if err != nil {
		return nil, fmt.Errorf("acting as %s: %w", user, err)
	}
	if c.others == nil {
		c.others = make(map[string]dynamic.Interface)
	}
	c.others[user] = client
	return client, nil
}

// Reconnect reaches the same cluster in another way from now on, for example with a new token. What is known of the
// cluster stays, and every watch begins anew. The error tells that the configuration cannot be used; the old one stays.
func (c *Cluster) Reconnect(how *rest.Config) error {
	access, err := c.connect(how)
	if err != nil {
		return err
	}
	c.access.Store(access)
	c.Retrack()
	signal(c.poke)
	return nil
}

// Config returns how the cluster is reached, without a limit of queries. The caller may change the copy.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.access.Load().config) }

// Client returns a client that shares the connections of the watches.
func (c *Cluster) Client() dynamic.Interface { return c.access.Load().dynamic }

// ClientAs returns such a client that acts as another user, by impersonation: the credentials of the cluster must permit
// it. A user of the form system:serviceaccount:namespace:name has the groups of that service account.
func (c *Cluster) ClientAs(user string) (dynamic.Interface, error) { return c.access.Load().as(user) }

// roundTripperOf is what a client sends its requests with.
func roundTripperOf(c *http.Client) http.RoundTripper {
	if c.Transport == nil {
		return http.DefaultTransport
	}
	return c.Transport
}

// probe asks the API server for a sign of life; any answer is one.
func (c *connection) probe(ctx context.Context) error {
	err := c.client.Get().AbsPath("/version").MaxRetries(0).Do(ctx).Error()
	if err != nil && unreachable(err) {
		return err
	}
	return nil
}

// absence is why the API server is away; nil when it is there.
func (c *Cluster) absence() error {
	c.mu.Lock()
	gate := c.gate
	c.mu.Unlock()
	if gate == nil {
		return nil
	}
	_, err := gate.state()
	return err
}

// lost notes that the API server is away.
func (c *Cluster) lost(err error) {
	c.mu.Lock()
	gate := c.gate
	c.mu.Unlock()
	if gate != nil {
		gate.away(err, c.options.Now())
	}
}

// Condition tells in short whether what is known of the cluster can be relied on: whether everything was listed once,
// and since when and why the cluster cannot be worked with, nil when it can: its API server is away, or does not accept
// the credentials.
func (c *Cluster) Condition() (synced bool, since time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gate == nil {
		return false, time.Time{}, nil
	}
	if since, err := c.gate.state(); err != nil {
		return c.ready, since, fmt.Errorf("the API server cannot be reached: %w", err)
	}
	if c.failure != nil && (!c.ready || apierrors.IsUnauthorized(c.failure)) {
		return c.ready, c.failing, c.failure
	}
	return c.ready, time.Time{}, nil
}

// note notes how a discovery ended, and lets everybody try again after a failure is over.
func (c *Cluster) note(err error) {
	now := c.options.Now()
	c.mu.Lock()
	before := c.failure
	c.failure, c.discovered = err, now
	if before == nil {
		c.failing = now
	}
	c.mu.Unlock()
	if (err == nil) == (before == nil) {
		return
	}
	if err != nil {
		c.logger.Warn("the kinds that the cluster serves cannot be read", "error", err)
	} else {
		c.retryRefused()
	}
	c.options.OnConnection(err == nil)
}

// unreachable reports whether an error came from the way to the API server and not from the server.
func unreachable(err error) bool {
	var status apierrors.APIStatus
	return !errors.As(err, &status)
}

// refusing reports whether asking again soon makes no sense.
func refusing(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err)
}
