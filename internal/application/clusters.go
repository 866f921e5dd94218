package application

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Destination is one cluster that Applications are deployed to, as it was registered when it was asked for.
type Destination struct {
	Server, Name string
	// Project is the project that the cluster is registered for; "" for all.
	Project string
	Live    *cluster.Cluster
	Applier *apply.Applier
}

// ClustersOptions are what a set of clusters works with. All fields are required, except where their comment says
// otherwise.
type ClustersOptions struct {
	Settings *settings.Store
	// Local reaches the cluster of the control plane itself.
	Local *rest.Config
	// Health assesses objects that are parts of an Application without being managed; nil for none.
	Health func(*unstructured.Unstructured) (status, message string, ok bool)
	// Sharding says which clusters are this controller's.
	Sharding Sharding
	Logger   *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Idle is how long a cluster is still watched after the last Application left it; 0 for the usual time.
	Idle time.Duration
}

// Clusters are the destinations that are known: the cluster of the control plane, and those of the Secrets in the
// settings. They follow the settings. A cluster is watched from the moment that an Application uses it until some time
// after the last one left, so that one nobody uses costs nothing.
type Clusters struct {
	options ClustersOptions

	mu       sync.Mutex
	applied  *settings.Settings // what entries follow
	entries  map[string]*entry  // by server
	users    map[string]*entry  // by the instance name of an Application
	watchers map[int]clusterWatcher
	next     int
	strays   strays

	// ctx is what everything runs with; closed says that nothing new may begin.
	ctx     context.Context
	cancel  context.CancelFunc
	closed  bool
	running sync.WaitGroup
}

// clusterWatcher is told what happens in the clusters to an application, by its instance name.
type clusterWatcher struct {
	// changed means that an object of it changed, or that its cluster did, and that it is to be looked at after a time.
	changed func(instance string, after time.Duration)
	// strayed means that an object that belongs to nobody appeared or went in the namespace that it goes to.
	strayed func(instance string)
}

// defaultIdle is how long a cluster is watched without need.
const defaultIdle = 10 * time.Minute

// NewClusters returns the set of clusters that the settings name.
func NewClusters(options ClustersOptions) *Clusters {
	if options.Idle == 0 {
		options.Idle = defaultIdle
	}
	c := &Clusters{
		options: options, entries: make(map[string]*entry), users: make(map[string]*entry),
		watchers: make(map[int]clusterWatcher), strays: newStrays(),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Run watches the clusters until ctx ends, and returns when nothing is left of it. It may be called once.
func (c *Clusters) Run(ctx context.Context) {
	defer c.close()
	defer c.options.Settings.Subscribe(func(*settings.Settings) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.follow()
	})()
	c.mu.Lock()
	c.follow()
	if local := c.entries[v1alpha1.InClusterServer]; local != nil && local.shard == c.options.Sharding.Shard && c.applied.InClusterEnabled {
		_ = local.start() // most installations use it; what is wrong shows at the first use
	}
	c.mu.Unlock()
	ticker := time.NewTicker(max(c.options.Idle/10, time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.stopIdle()
		}
	}
}

// close ends everything and waits for it.
func (c *Clusters) close() {
	c.cancel()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
}

// begin runs work in the background. The caller holds the lock.
func (c *Clusters) begin(work func()) {
	if !c.closed {
		c.running.Go(work)
	}
}

// For returns the cluster that the destination of an application names, and keeps it watched for the application.
// Without inCluster the cluster of the control plane is no destination.
func (c *Clusters) For(instance string, destination v1alpha1.ApplicationDestination, inCluster bool) (*Destination, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
	e, err := c.find(destination)
	if err == nil && e.server == v1alpha1.InClusterServer && !inCluster {
		err = fmt.Errorf("the cluster of the control plane is no destination here; cluster.inClusterEnabled in argocd-cm is false")
	}
	if err == nil {
		err = e.start()
	}
	c.use(instance, e)
	if err != nil {
		return nil, err
	}
	return e.destination, nil
}

// elsewhere says that another controller works on the applications of a destination. Those of a cluster that there is
// not are the first controller's, which tells them so.
func (c *Clusters) elsewhere(destination v1alpha1.ApplicationDestination) bool {
	if c.options.Sharding.all() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
	e, err := c.find(destination)
	if err != nil {
		return c.options.Sharding.Shard != 0
	}
	return e.shard != c.options.Sharding.Shard
}

// watched returns the cluster that a destination names, if it is watched at the moment.
func (c *Clusters) watched(destination v1alpha1.ApplicationDestination) (*Destination, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := c.find(destination)
	switch {
	case err != nil:
		return nil, err
	case e.destination == nil && e.broken != nil:
		return nil, e.broken
	case e.destination == nil:
		return nil, fmt.Errorf("the cluster %s is not watched", e.server)
	}
	return e.destination, nil
}

// find returns the cluster that a destination names.
func (c *Clusters) find(destination v1alpha1.ApplicationDestination) (*entry, error) {
	server, name := strings.TrimSuffix(destination.Server, "/"), destination.Name
	switch {
	case server != "" && name != "":
		return nil, fmt.Errorf("the destination names a cluster twice, as server %q and as name %q; remove one of them", server, name)
	case server != "":
		if e := c.entries[server]; e != nil {
			return e, nil
		}
		return nil, fmt.Errorf("there is no cluster with the server address %q; register it with a Secret, or correct spec.destination.server", server)
	case name != "":
		return c.named(name)
	default:
		return nil, fmt.Errorf("the destination names no cluster; set spec.destination.server or spec.destination.name, for example %q", v1alpha1.InClusterServer)
	}
}

func (c *Clusters) named(name string) (*entry, error) {
	var found *entry
	var servers []string
	for server, e := range c.entries {
		if e.registration.Name == name {
			found, servers = e, append(servers, server)
		}
	}
	switch len(servers) {
	case 0:
		return nil, fmt.Errorf("there is no cluster named %q; register it with a Secret, or correct spec.destination.name", name)
	case 1:
		return found, nil
	}
	slices.Sort(servers)
	return nil, fmt.Errorf("there are %d clusters named %q: %s; set spec.destination.server instead", len(servers), name, strings.Join(servers, ", "))
}

// use notes which cluster an application uses; nil for none.
func (c *Clusters) use(instance string, e *entry) {
	before := c.users[instance]
	if before == e {
		return
	}
	if before != nil {
		before.leave(instance)
	}
	delete(c.users, instance)
	if e != nil && e.destination != nil {
		c.users[instance] = e
		e.users[instance] = struct{}{}
	}
}

// forget says that an application is gone, by its instance name.
func (c *Clusters) forget(instance string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.use(instance, nil)
	c.strays.look(instance, place{})
}

// follow brings the entries up to the settings. The caller holds the lock.
func (c *Clusters) follow() {
	s, last := c.options.Settings.Get(), c.applied
	if s == last {
		return
	}
	c.applied = s
	registered := c.registered(s)
	for server, e := range c.entries {
		if _, ok := registered[server]; !ok {
			c.options.Logger.Info("a cluster is no longer registered", "server", server, "name", e.registration.Name)
			delete(c.entries, server)
			for instance := range e.users {
				delete(c.users, instance)
			}
			e.stop()
		}
	}
	shards := c.options.Sharding.place(registered)
	for server, r := range registered {
		e := c.entries[server]
		if e == nil {
			e = newEntry(c, server, r)
			c.entries[server] = e
		}
		e.change(r)
		if e.shard = shards[server]; e.shard != c.options.Sharding.Shard {
			e.stop()
		}
	}
	if last == nil || TrackerOf(s) == TrackerOf(last) && reflect.DeepEqual(s.Resources, last.Resources) && s.RespectRBAC == last.RespectRBAC && checksOf(s) == checksOf(last) {
		return
	}
	for _, e := range c.entries {
		if e.destination != nil {
			c.begin(e.destination.Live.Retrack)
		}
	}
}

// registered gives the clusters of the settings by their server, and the local one.
func (c *Clusters) registered(s *settings.Settings) map[string]settings.Cluster {
	out := map[string]settings.Cluster{
		v1alpha1.InClusterServer: {Server: v1alpha1.InClusterServer, Name: v1alpha1.InClusterName},
	}
	for _, r := range s.Clusters {
		if r.Name == "" {
			r.Name = r.Server
		}
		if first, ok := out[r.Server]; ok && first.SecretName != "" {
			c.options.Logger.Warn("two Secrets register the same cluster; the first counts", "server", r.Server, "secret", first.SecretName, "ignored", r.SecretName)
			continue
		}
		out[r.Server] = r
	}
	return out
}

// stopIdle ends the watches of clusters that nobody has used for long.
func (c *Clusters) stopIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.options.Now()
	for _, e := range c.entries {
		switch {
		case e.destination == nil || len(e.users) > 0:
			e.idle = time.Time{}
		case e.idle.IsZero():
			e.idle = now
		case now.Sub(e.idle) >= c.options.Idle:
			c.options.Logger.Info("no Application uses the cluster; it is not watched any more", "server", e.server, "name", e.registration.Name)
			e.stop()
		}
	}
}

// tell calls the watchers for each of the applications.
func (c *Clusters) tell(instances []string, how func(clusterWatcher, string)) {
	c.mu.Lock()
	watchers := slices.Collect(maps.Values(c.watchers))
	c.mu.Unlock()
	for _, w := range watchers {
		for _, instance := range instances {
			how(w, instance)
		}
	}
}

func tellChanged(w clusterWatcher, instance string) { w.changed(instance, 0) }
func tellStrayed(w clusterWatcher, instance string) { w.strayed(instance) }

// watch calls told with the instance name of each application to which something happens, until stop is called.
func (c *Clusters) watch(told func(instance string)) (stop func()) {
	return c.subscribe(clusterWatcher{changed: func(instance string, _ time.Duration) { told(instance) }, strayed: told})
}

// subscribe tells w what happens until the returned function is called.
func (c *Clusters) subscribe(w clusterWatcher) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.next
	c.next++
	c.watchers[id] = w
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, id)
	}
}
