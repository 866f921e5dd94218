package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Cluster is the live state of one cluster. Make it with New, keep it going with Run; everything else may be called at
// any time, from any goroutine.
type Cluster struct {
	options Options
	logger  *slog.Logger
	config  *rest.Config
	client  rest.Interface
	dynamic dynamic.Interface
	finder  *discovery.DiscoveryClient
	state   *state
	strings interner

	poke        chan struct{} // something happened to the kinds that are served
	permissions chan struct{} // roles changed
	synced      chan struct{} // closed once everything was listed
	apis        atomic.Pointer[apis]

	// turn is held by whoever starts and stops watchers.
	turn sync.Mutex

	mu         sync.Mutex
	run        context.Context // of Run, nil before it
	gate       *gate
	kinds      map[schema.GroupKind]*kind
	discovered time.Time
	failure    error // of the last discovery
	ready      bool
}

// kind is a kind of objects that is being watched.
type kind struct {
	resource Resource
	remote   bool
	watchers []*watcher // one, or one for each namespace
}

var (
	parameterVersion = schema.GroupVersion{Version: "v1"}
	parameterScheme  = newScheme()
	parameterCodec   = runtime.NewParameterCodec(parameterScheme)
)

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	metav1.AddToGroupVersion(s, parameterVersion)
	return s
}

// New prepares the live state of a cluster. It does not talk to it yet; the error tells that the configuration cannot be used.
func New(options Options) (*Cluster, error) {
	c := &Cluster{
		options:     options.withDefaults(),
		poke:        make(chan struct{}, 1),
		permissions: make(chan struct{}, 1),
		synced:      make(chan struct{}),
		kinds:       make(map[schema.GroupKind]*kind),
	}
	c.logger = c.options.Logger
	c.state = &state{
		now:                c.options.Now,
		onChange:           c.options.OnChange,
		apiChanged:         func() { signal(c.poke) },
		permissionsChanged: func() { signal(c.permissions) },
		index:              newIndex(),
		gone:               make(map[schema.GroupResource]time.Time),
		quiet:              true,
	}
	if err := c.connect(); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.options.Server, err)
	}
	return c, nil
}

func (c *Cluster) connect() error {
	c.config = rest.CopyConfig(c.options.Config)
	c.config.QPS, c.config.Burst, c.config.Timeout = -1, -1, 0
	if c.config.UserAgent == "" {
		c.config.UserAgent = "fairlead"
	}
	transport, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return fmt.Errorf("preparing the connection: %w", err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(c.config, transport); err != nil {
		return fmt.Errorf("preparing the client: %w", err)
	}
	config := rest.CopyConfig(c.config)
	config.WarningHandler = rest.NoWarnings{} // of deprecated APIs: we watch whatever is there
	config.AcceptContentTypes, config.ContentType = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	config.NegotiatedSerializer = serializer.NewCodecFactory(parameterScheme).WithoutConversion()
	if c.client, err = rest.UnversionedRESTClientForConfigAndClient(config, transport); err != nil {
		return fmt.Errorf("preparing the client: %w", err)
	}
	if c.finder, err = discovery.NewDiscoveryClientForConfigAndClient(config, transport); err != nil {
		return fmt.Errorf("preparing discovery: %w", err)
	}
	return nil
}

// Run keeps the live state in step with the cluster until ctx is done, and returns when all its goroutines have ended.
// Nothing that happens to the cluster ends it. It may be called once.
func (c *Cluster) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.run != nil {
		c.mu.Unlock()
		return errors.New("cluster: Run was called before")
	}
	c.run = ctx
	c.gate = newGate(ctx, c.probe, c.turned, c.logger)
	c.mu.Unlock()

	c.loop(ctx)

	c.turn.Lock()
	defer c.turn.Unlock()
	for _, k := range c.kinds {
		k.stop()
	}
	c.gate.stop()
	return nil
}

// WaitSynced returns once every kind was listed, or turned out not to be listable for now (see Ready). Until then Get and
// its like do not know everything, and OnChange is not called: compare all applications afterwards. The error is ctx's.
func (c *Cluster) WaitSynced(ctx context.Context) error {
	select {
	case <-c.synced:
		return nil
	case <-ctx.Done():
		if err := c.State().Error; err != "" {
			return fmt.Errorf("waiting for the live state of %s (%s): %w", c.options.Server, err, ctx.Err())
		}
		return fmt.Errorf("waiting for the live state of %s: %w", c.options.Server, ctx.Err())
	}
}

// Config returns how the cluster is reached, without a limit of queries. The caller may change the copy.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Client returns a client that shares the connections of the watches.
func (c *Cluster) Client() dynamic.Interface { return c.dynamic }

// Retrack applies changed settings, of tracking and of excluded kinds: everything is listed again, and Changes tell which
// applications gained or lost objects.
func (c *Cluster) Retrack() {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	kinds := make([]*kind, 0, len(c.kinds))
	for _, k := range c.kinds {
		kinds = append(kinds, k)
	}
	c.mu.Unlock()
	for _, k := range kinds {
		k.stop()
	}
	c.mu.Lock()
	for _, k := range kinds {
		c.start(k)
	}
	c.mu.Unlock()
	if a := c.apis.Load(); a != nil {
		c.reconcile(a)
	}
}

// probe asks the API server for a sign of life; any answer is one.
func (c *Cluster) probe(ctx context.Context) error {
	err := c.client.Get().AbsPath("/version").MaxRetries(0).Do(ctx).Error()
	if err != nil && unreachable(err) {
		return err
	}
	return nil
}

// turned is called by the gate.
func (c *Cluster) turned(open bool) {
	if open {
		signal(c.poke) // the server may be another one
	}
	c.options.OnConnection(open)
}

// signal leaves word in a channel of one place.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
