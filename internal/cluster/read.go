package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// State is the condition of a cluster's live state, for status and metrics.
type State struct {
	// Connected tells that the API server answers; if not, AwaySince is when it was found away.
	Connected bool
	AwaySince time.Time
	// Synced tells that everything was listed once, see WaitSynced.
	Synced bool
	// Error is one sentence about what is wrong, the kinds that cannot be listed included; empty when nothing is.
	Error string
	// Failed are the kinds that cannot be listed or watched for now, and why.
	Failed map[schema.GroupKind]error
	// Version is the server's, such as v1.36.3; empty until it was reached.
	Version string
	// Kinds are being watched; Objects are known, of which Managed belong to applications.
	Kinds, Objects, Managed int
}

// State returns the present condition.
func (c *Cluster) State() State {
	s := State{Failed: make(map[schema.GroupKind]error)}
	c.mu.Lock()
	s.Synced, s.Kinds = c.ready, len(c.kinds)
	for gk, k := range c.kinds {
		if _, _, err := k.status(); err != nil {
			s.Failed[gk] = err
		}
	}
	failure, failing, gate := c.failure, c.failing, c.gate
	c.mu.Unlock()
	if a := c.apis.Load(); a != nil {
		s.Version = a.version
	}
	c.state.mu.RLock()
	s.Managed = c.state.index.managed
	for _, table := range c.state.index.kinds {
		s.Objects += len(table)
	}
	c.state.mu.RUnlock()

	switch {
	case gate == nil:
		s.Error = "the cluster is not being watched yet"
	default:
		since, err := gate.state()
		s.Connected, s.AwaySince = err == nil && s.Version != "", since
		if err == nil && apierrors.IsUnauthorized(failure) {
			s.Connected, s.AwaySince = false, failing
		}
		switch {
		case err != nil:
			s.Error = fmt.Sprintf("the API server cannot be reached: %v", err)
		case failure != nil:
			s.Error = failure.Error()
		default:
			s.Error = failedSentence(c.faults(s.Failed))
		}
	}
	return s
}

// faults are the failed kinds that are to be told of: all but those that are left out for want of permission, as asked.
func (c *Cluster) faults(failed map[schema.GroupKind]error) map[schema.GroupKind]error {
	if c.options.Permissions() == PermissionsExpected {
		return failed
	}
	out := maps.Clone(failed)
	maps.DeleteFunc(out, func(_ schema.GroupKind, err error) bool { return apierrors.IsForbidden(err) })
	return out
}

func failedSentence(failed map[schema.GroupKind]error) string {
	kinds := make([]string, 0, len(failed))
	for gk := range failed {
		kinds = append(kinds, gk.String())
	}
	slices.Sort(kinds)
	for gk, err := range failed {
		if gk.String() == kinds[0] {
			return fmt.Sprintf("%d kinds cannot be watched (%s); the first: %v", len(kinds), strings.Join(kinds, ", "), err)
		}
	}
	return ""
}

// Ready returns nil when the live state of a kind is complete and up to date. Otherwise the absence of an object from it
// means nothing, and the error says why: the kind is not known (ErrKindUnknown), not listed yet (ErrNotListed), not watched, not listable, or
// the API server is away.
func (c *Cluster) Ready(gk schema.GroupKind) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gate != nil {
		if _, err := c.gate.state(); err != nil {
			return fmt.Errorf("the API server cannot be reached: %w", err)
		}
	}
	k := c.kinds[gk]
	if k == nil {
		if _, err := c.apis.Load().resource(gk.WithVersion("")); err != nil {
			return err
		}
		return fmt.Errorf("%s is not watched: it is excluded, outside of the watched namespaces, or cannot be watched", gk)
	}
	synced, _, err := k.status()
	if err != nil {
		return err
	}
	if !synced {
		return fmt.Errorf("%s: %w", gk, ErrNotListed)
	}
	return nil
}

// Get returns what is known of an object; false when it does not exist (see Ready).
func (c *Cluster) Get(key Key) (*Object, bool) {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	o := c.state.index.get(key)
	return o, o != nil
}

// ByUID returns the object with the uid.
func (c *Cluster) ByUID(uid types.UID) (*Object, bool) {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	o := c.state.index.uids[uid]
	return o, o != nil
}

// Select returns all known objects that match, ordered by key. It looks at every object there is.
func (c *Cluster) Select(match func(*Object) bool) (out []*Object) {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	for _, table := range c.state.index.kinds {
		for _, o := range table {
			if match(o) {
				out = append(out, o)
			}
		}
	}
	sortByKey(out)
	return out
}

// Orphans returns the objects in a namespace that neither an application nor another object owns, ordered by key.
// owned tells of an application's instance name whether it counts: objects of one that is gone belong to nobody.
func (c *Cluster) Orphans(namespace string, owned func(app string) bool) []*Object {
	return c.Select(func(o *Object) bool {
		return o.Namespace == namespace && len(o.Owners) == 0 && (o.App == "" || !owned(o.App)) && len(c.state.index.parents(o)) == 0
	})
}

// Managed returns the objects that are tracked as the application's, ordered by key. app is the instance name.
//
// When tracking goes by label, volume claims that a StatefulSet makes carry the label too; they are left out, they
// belong to it.
func (c *Cluster) Managed(app string) []*Object {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	x := c.state.index
	out := make([]*Object, 0, len(x.apps[app]))
	for key := range x.apps[app] {
		o := x.get(key)
		if set := x.claimant(o); set != nil && c.options.Tracker().ByLabel() {
			continue
		}
		out = append(out, o)
	}
	sortByKey(out)
	return out
}

// ApplicationsOf returns the instance names of the applications that an object is a part of: those that manage or want it
// or something that it came of.
func (c *Cluster) ApplicationsOf(o *Object) []string {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	var found changes
	c.state.index.touched(&found, o)
	apps := make([]string, 0, len(found))
	for _, part := range found {
		apps = append(apps, part.App)
	}
	slices.Sort(apps)
	return slices.Compact(apps)
}

// Apps returns the instance names of all applications that have managed objects, ordered.
func (c *Cluster) Apps() []string {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	return slices.Sorted(maps.Keys(c.state.index.apps))
}

// Children returns the objects that an object owns, ordered by key. The volume claims of a StatefulSet count as its own.
func (c *Cluster) Children(owner types.UID) []*Object {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	out := c.state.index.offspring(owner)
	sortByKey(out)
	return out
}

// Parents returns the known owners of an object.
func (c *Cluster) Parents(o *Object) []*Object {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	return c.state.index.parents(o)
}

// Descendants returns everything below an object, each once, parents before children.
func (c *Cluster) Descendants(owner types.UID) []*Object {
	c.state.mu.RLock()
	defer c.state.mu.RUnlock()
	return c.state.index.descendants(owner)
}

// Resource finds a kind; an empty version asks for the preferred one. A kind that is not known is looked for in the
// cluster before it is said to be unknown, though not more often than every few seconds. Errors wrap ErrKindUnknown.
func (c *Cluster) Resource(ctx context.Context, gvk schema.GroupVersionKind) (Resource, error) {
	r, err := c.apis.Load().resource(gvk)
	if err == nil || !c.lookAgain(ctx) {
		return r, err
	}
	return c.apis.Load().resource(gvk)
}

// lookAgain repeats discovery for an unknown kind, unless it was done just now or cannot be.
func (c *Cluster) lookAgain(ctx context.Context) bool {
	c.mu.Lock()
	running := c.gate != nil
	recent := c.options.Now().Sub(c.discovered) < lazyGap
	c.mu.Unlock()
	if !running || recent || c.absence() != nil {
		return false
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.discover(context.WithoutCancel(ctx)) // which ends with Run
		done <- err
	}()
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case err := <-done:
		return err == nil
	case <-ctx.Done():
		return false
	}
}

// Version returns the server's version, such as v1.36.3, and what it serves as "group/version" and
// "group/version/Kind", ordered; both empty until it was reached. The slice must not be changed.
func (c *Cluster) Version() (version string, names []string) {
	if a := c.apis.Load(); a != nil {
		return a.version, a.names
	}
	return "", nil
}

// fetchTimeout bounds the read of one object: the API server may wait for another server behind it.
const fetchTimeout = 10 * time.Second

// Fetch reads an object from the API server, in a version or in the preferred one when it is empty, and observes it.
// Errors are those of the API server, or wrap ErrKindUnknown.
func (c *Cluster) Fetch(ctx context.Context, key Key, version string) (*unstructured.Unstructured, error) {
	r, err := c.Resource(ctx, key.GroupKind().WithVersion(version))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	client := c.Client().Resource(r.GroupVersionResource())
	var obj *unstructured.Unstructured
	if r.Namespaced {
		obj, err = client.Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	} else {
		obj, err = client.Get(ctx, key.Name, metav1.GetOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	c.Observe(obj)
	return obj, nil
}

// Observe takes an object that the API server returned to a write or a read, so that Get knows it before the watch
// brings it. What is older than the known state is ignored, as are kinds and versions that are not watched.
func (c *Cluster) Observe(obj *unstructured.Unstructured) {
	gvk := obj.GroupVersionKind()
	c.mu.Lock()
	k := c.kinds[gvk.GroupKind()]
	watched := k != nil && k.resource.Kind == gvk && slices.ContainsFunc(k.watchers, func(w *watcher) bool {
		return w.namespace == "" || w.namespace == obj.GetNamespace()
	})
	c.mu.Unlock()
	if !watched || obj.GetUID() == "" {
		return
	}
	body, err := json.Marshal(obj.Object)
	if err != nil {
		return // the watch will bring it
	}
	o, err := c.decoder(gvk).decode(body)
	if err != nil {
		return
	}
	c.state.observed(o)
}

// ObserveDeleted takes note that an object is gone. Call it only when the API server's answer says so: a deletion that
// waits for finalizers or children is not one yet.
func (c *Cluster) ObserveDeleted(key Key, uid types.UID) {
	c.state.update(func(ch *changes) { c.state.bury(key, uid, ch) })
}

// Want says which objects an application has in Git. They are kept whole from the next time that they are read, and
// changes of them are told as the application's, whether they carry its mark or not: it matters for objects that exist but were
// never synced, and for CustomResourceDefinitions, which carry none. It replaces what was wanted before; nil ends it.
// The keys returned are of objects known only by reference so far: Fetch reads one and keeps it.
func (c *Cluster) Want(app string, keys []Key) (references []Key) {
	return c.state.want(app, keys)
}

func sortByKey(objects []*Object) {
	slices.SortFunc(objects, func(a, b *Object) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}
