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
)

// Cluster is the live state of one cluster. Make it with New, keep it going with Run; everything else may be called at
// any time, from any goroutine.
type Cluster struct {
	options Options
	logger  *slog.Logger
	access  atomic.Pointer[connection]
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
	failing    time.Time
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
		onStray:            c.options.OnStray,
		apiChanged:         func() { signal(c.poke) },
		permissionsChanged: func() { signal(c.permissions) },
		index:              newIndex(),
		gone:               make(map[schema.GroupResource]time.Time),
		quiet:              true,
	}
	access, err := c.connect(c.options.Config)
	if err != nil {
		return nil, err
	}
	c.access.Store(access)
	return c, nil
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
	c.gate = newGate(ctx, func(ctx context.Context) error { return c.access.Load().probe(ctx) }, c.turned, c.logger)
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
