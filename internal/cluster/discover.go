package cluster

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

const (
	// refreshInterval is how often discovery is repeated without a reason, for what nothing tells of: an upgraded
	// server. blindInterval is the same when definitions cannot be watched.
	refreshInterval = 10 * time.Minute
	blindInterval   = time.Minute
	// Between a definition's becoming valid and its appearing in discovery lie milliseconds, rarely seconds.
	firstRetry = 50 * time.Millisecond
	lastRetry  = 10 * time.Second
	// discoverGap is the least time between two discoveries, for when a hundred definitions arrive at once.
	discoverGap = 100 * time.Millisecond
	// lazyGap is the least age of a discovery before an unknown kind gives reason for another.
	lazyGap         = 5 * time.Second
	discoverTimeout = 30 * time.Second
)

// loop discovers, again and again, until ctx is done.
func (c *Cluster) loop(ctx context.Context) {
	var retry time.Duration
	for c.gate.wait(ctx) == nil {
		settled, err := c.discover(ctx)
		pause := c.refresh()
		if err != nil || !settled {
			retry = min(max(2*retry, firstRetry), lastRetry)
			pause = retry
		} else {
			retry = 0
		}
		c.rest(ctx, pause)
	}
}

// rest waits until discovery is due: after the pause, or when something happened.
func (c *Cluster) rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-c.permissions:
			c.retryRefused()
		case <-c.poke:
			c.mu.Lock()
			gap := discoverGap - c.options.Now().Sub(c.discovered)
			c.mu.Unlock()
			if gap > 0 {
				select {
				case <-ctx.Done():
				case <-time.After(gap):
				}
			}
			return
		}
	}
}

// refresh is how long to wait without a reason to discover.
func (c *Cluster) refresh() time.Duration {
	interval := refreshInterval
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.kinds[crdKind]; k == nil {
		interval = blindInterval
	} else if _, _, err := k.status(); err != nil {
		interval = blindInterval
	}
	return interval + rand.N(interval/5)
}

// discover asks for the kinds that are served and watches those. It reports whether the answer agrees with the
// definitions; if not, it is soon to be asked again.
func (c *Cluster) discover(ctx context.Context) (settled bool, err error) {
	c.turn.Lock()
	defer c.turn.Unlock()
	asking, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	defer context.AfterFunc(c.run, cancel)() // whoever asks, it ends with Run
	answer, err := c.ask(asking)
	if err := cmp.Or(ctx.Err(), c.run.Err()); err != nil {
		return false, err
	}
	if err != nil && unreachable(err) {
		c.gate.away(err, c.options.Now())
	}
	c.note(err)
	if err != nil {
		return false, err
	}
	filter := c.state.definitions()
	a := newAPIs(answer, c.apis.Load(), filter.allows)
	c.apis.Store(a)
	c.reconcile(a)
	return filter.agrees(a), nil
}

// ask talks to the discovery API: three requests, to a server older than 1.26 one more for every group.
func (c *Cluster) ask(ctx context.Context) (discovered, error) {
	finder := c.access.Load().finder
	version, err := finder.ServerVersionWithContext(ctx)
	if err != nil {
		return discovered{}, fmt.Errorf("reading the server's version: %w", err)
	}
	d := discovered{version: version.GitVersion}
	groups, resources, failed, err := finder.GroupsAndMaybeResourcesWithContext(ctx)
	if err != nil {
		return discovered{}, fmt.Errorf("reading the kinds that are served: %w", err)
	}
	d.groups, d.resources, d.failed = groups.Groups, resources, failed
	if resources != nil {
		return d, nil
	}
	_, lists, err := finder.ServerGroupsAndResourcesWithContext(ctx)
	if broken, ok := discovery.GroupDiscoveryFailedErrorGroups(err); ok {
		d.failed = broken
	} else if err != nil {
		return discovered{}, fmt.Errorf("reading the kinds that are served: %w", err)
	}
	d.resources = byVersion(lists)
	return d, nil
}

func byVersion(lists []*metav1.APIResourceList) map[schema.GroupVersion]*metav1.APIResourceList {
	out := make(map[schema.GroupVersion]*metav1.APIResourceList, len(lists))
	for _, list := range lists {
		if gv, err := schema.ParseGroupVersion(list.GroupVersion); err == nil {
			out[gv] = list
		}
	}
	return out
}

// definitions are what the watched CustomResourceDefinitions say, to check discovery against: it may lag behind them.
type definitions struct {
	known map[schema.GroupResource]*crdFacts
	gone  map[schema.GroupResource]bool
	// late is set when discovery listed something that no longer is.
	late bool
}

// allows leaves out kinds whose definition is gone, and versions that it does not serve.
func (d *definitions) allows(r Resource) bool {
	resource := schema.GroupResource{Group: r.Kind.Group, Resource: r.Name}
	if d.gone[resource] {
		d.late = true
		return false
	}
	if f := d.known[resource]; f != nil && f.ready && !slices.Contains(f.versions, r.Kind.Version) {
		d.late = true
		return false
	}
	return true
}

// agrees reports whether discovery is up to date.
func (d *definitions) agrees(a *apis) bool {
	if d.late {
		return false
	}
	for _, f := range d.known {
		for _, version := range f.versions {
			if _, ok := a.served[schema.GroupVersionKind{Group: f.group, Version: version, Kind: f.kind}]; !ok && f.ready {
				return false
			}
		}
	}
	return true
}
