package application

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// Destination is one cluster that Applications are deployed to.
type Destination struct {
	Server, Name string
	Live         *cluster.Cluster
	Applier      *apply.Applier
}

// Clusters are the destinations that are known, by server and by name.
type Clusters struct {
	local  *Destination
	logger *slog.Logger

	mu       sync.Mutex
	watchers map[int]clusterWatcher
	next     int
}

// clusterWatcher is told what happens in the clusters.
type clusterWatcher struct {
	changed   func(instance string) // an object of an application changed
	changedIn func()                // something that may concern every application
}

// applyConcurrency is how many writes may be under way in one cluster.
const applyConcurrency = 32

// NewClusters returns the set that holds the local cluster alone.
func NewClusters(local *cluster.Cluster, logger *slog.Logger) *Clusters {
	return &Clusters{
		local: &Destination{
			Server: v1alpha1.InClusterServer, Name: v1alpha1.InClusterName,
			Live: local, Applier: apply.New(local, applyConcurrency),
		},
		logger: logger,
	}
}

// Run watches the clusters until ctx ends.
func (c *Clusters) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.local.Live.Run(ctx); err != nil && ctx.Err() == nil {
			c.logger.Error("live state of a cluster ended", "server", c.local.Server, "error", err)
		}
	})
	wg.Wait()
}

// For returns the cluster that a destination names. Without inCluster the local
// one is none.
func (c *Clusters) For(destination v1alpha1.ApplicationDestination, inCluster bool) (*Destination, error) {
	server, name := destination.Server, destination.Name
	switch {
	case server != "" && name != "":
		return nil, fmt.Errorf("the destination names a cluster twice, as server %q and as name %q; remove one of them", server, name)
	case server == "" && name == "":
		return nil, fmt.Errorf("the destination names no cluster; set spec.destination.server or spec.destination.name, for example %q", v1alpha1.InClusterServer)
	case (server == c.local.Server || name == c.local.Name) && !inCluster:
		return nil, fmt.Errorf("the cluster of the control plane is no destination here; cluster.inClusterEnabled in argocd-cm is false")
	case server == c.local.Server, name == c.local.Name:
		return c.local, nil
	case server != "":
		return nil, fmt.Errorf("there is no cluster with the server address %q; known is %q", server, c.local.Server)
	default:
		return nil, fmt.Errorf("there is no cluster named %q; known is %q", name, c.local.Name)
	}
}

// forget says that an application is gone, by its instance name.
func (c *Clusters) forget(instance string) { c.local.Live.Want(instance, nil) }

// Changed tells that an object of an application, or one that belongs to such
// an object, changed. It is what live state calls.
func (c *Clusters) Changed(change cluster.Change) {
	c.each(func(w clusterWatcher) { w.changed(change.App) })
}

// ChangedIn tells that a cluster can be reached again, or that it knows other
// kinds than before.
func (c *Clusters) ChangedIn() {
	c.each(func(w clusterWatcher) { w.changedIn() })
}

func (c *Clusters) each(tell func(clusterWatcher)) {
	c.mu.Lock()
	watchers := slices.Collect(maps.Values(c.watchers))
	c.mu.Unlock()
	for _, w := range watchers {
		tell(w)
	}
}

// subscribe tells w what happens until the returned function is called.
func (c *Clusters) subscribe(w clusterWatcher) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.next
	c.next++
	if c.watchers == nil {
		c.watchers = make(map[int]clusterWatcher)
	}
	c.watchers[id] = w
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, id)
	}
}
