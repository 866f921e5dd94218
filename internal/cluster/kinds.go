package cluster

import (
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// How long WaitSynced waits for a kind that does not answer at all: one of another server behind the API server, and
	// one of the API server itself.
	remotePatience = 5 * time.Second
	localPatience  = 30 * time.Second
)

// reconcile starts and stops watchers so that exactly the kinds of a are watched. The caller holds c.turn.
func (c *Cluster) reconcile(a *apis) {
	remote := c.state.remote()
	wanted := make(map[schema.GroupKind]*kind)
	for gk, r := range a.preferred {
		if c.watches(r) {
			wanted[gk] = &kind{resource: r, remote: remote[r.Kind.GroupVersion()]}
		}
	}

	c.mu.Lock()
	stopping := make(map[schema.GroupKind]*kind)
	for gk, k := range c.kinds {
		if w := wanted[gk]; w == nil || w.resource.Kind != k.resource.Kind || w.resource.Name != k.resource.Name ||
			w.resource.Namespaced != k.resource.Namespaced || w.remote != k.remote {
			stopping[gk] = k
			delete(c.kinds, gk)
		}
	}
	c.mu.Unlock()

	for gk, k := range stopping {
		k.stop()
		if wanted[gk] == nil {
			c.state.release(gk)
			c.logger.Info("kind is no longer watched", "kind", gk.String())
			c.tell(gk)
		}
	}

	c.mu.Lock()
	for gk, k := range wanted {
		if c.kinds[gk] == nil {
			c.kinds[gk] = k
			c.start(k)
		}
	}
	c.mu.Unlock()
	c.check()
}

// watches reports whether a kind is to be watched.
func (c *Cluster) watches(r Resource) bool {
	gk := r.Kind.GroupKind()
	switch {
	case !r.Watchable():
		return false
	case len(c.options.Namespaces) > 0 && !r.Namespaced && !c.options.ClusterResources:
		return false
	case gk == crdKind || gk == apiServiceKind:
		return true
	}
	return !AlwaysExcluded(gk.Group, gk.Kind) && !c.options.Exclude(gk.Group, gk.Kind)
}

// start begins to watch a kind. The caller holds c.mu.
func (c *Cluster) start(k *kind) {
	namespaces := []string{""}
	if len(c.options.Namespaces) > 0 && k.resource.Namespaced {
		namespaces = c.options.Namespaces
	}
	k.watchers = nil
	for _, namespace := range namespaces {
		w := &watcher{
			resource: k.resource, namespace: namespace, remote: k.remote, client: c.access.Load().client, gate: c.gate, state: c.state,
			decoder: func() *decoder { return c.decoder(k.resource.Kind) }, settled: c.settled, now: c.options.Now,
			patience: localPatience,
		}
		if c.options.Permissions() == PermissionsStrict {
			w.review = c.review
		}
		if k.remote {
			w.patience = remotePatience
		}
		k.watchers = append(k.watchers, w)
		w.start(c.run)
	}
}

func (k *kind) stop() {
	for _, w := range k.watchers {
		w.cancel()
	}
	for _, w := range k.watchers {
		w.stop()
	}
}

// status joins what the kind's watchers say.
func (k *kind) status() (synced, tried bool, err error) {
	synced, tried = true, true
	for _, w := range k.watchers {
		s, t, e := w.status()
		synced, tried = synced && s, tried && t
		if err == nil {
			err = e
		}
	}
	return synced, tried, err
}

func (c *Cluster) decoder(gvk schema.GroupVersionKind) *decoder {
	return &decoder{gvk: gvk, tracker: c.options.Tracker(), wanted: c.state.wanted, health: c.options.Health, strings: &c.strings}
}

// settled is called by watchers, see there.
func (c *Cluster) settled(w *watcher, news bool) {
	if news {
		c.log(w)
	}
	c.check()
	if news {
		c.tell(w.resource.Kind.GroupKind())
	}
}

func (c *Cluster) log(w *watcher) {
	level, message := slog.LevelDebug, "kind is watched"
	_, _, err := w.status()
	if err != nil {
		message = "kind may not be watched"
	}
	switch {
	case err != nil && apierrors.IsUnauthorized(err): // discovery tells it once for all kinds
	case err != nil && apierrors.IsForbidden(err) && c.options.Permissions() != PermissionsExpected:
	case err != nil && refusing(err):
		level = slog.LevelWarn
	case err != nil:
		level, message = slog.LevelInfo, "kind cannot be watched for now"
	}
	attributes := []any{"kind", w.resource.Kind.GroupKind().String()}
	if w.namespace != "" {
		attributes = append(attributes, "namespace", w.namespace)
	}
	if err != nil {
		attributes = append(attributes, "error", err)
	}
	c.logger.Log(c.run, level, message, attributes...) //nolint:sloglint // one of the three constants above
}

// tell says that Ready of a kind changed.
func (c *Cluster) tell(gk schema.GroupKind) {
	c.mu.Lock()
	ready := c.ready
	c.mu.Unlock()
	if ready {
		c.options.OnKind(gk)
	}
}

// check opens WaitSynced once every kind was tried.
func (c *Cluster) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready || c.apis.Load() == nil {
		return
	}
	for _, k := range c.kinds {
		if _, tried, _ := k.status(); !tried {
			return
		}
	}
	c.ready = true
	c.state.speak()
	close(c.synced)
	c.logger.Info("live state is complete", "kinds", len(c.kinds))
}

// retryRefused lets watchers without permission try again.
func (c *Cluster) retryRefused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.kinds {
		for _, w := range k.watchers {
			if _, _, err := w.status(); err != nil {
				w.retry()
			}
		}
	}
}
