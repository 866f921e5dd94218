package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ErrKindUnknown is what Resource and Fetch return, wrapped, for a kind or version that the API server does not serve.
var ErrKindUnknown = errors.New("the cluster does not know the kind")

// ErrKindUncertain is what Resource and Fetch return, wrapped, beside ErrKindUnknown while the kind may be served all the
// same: the cluster was not reached yet, or the server behind the kind's group does not answer.
var ErrKindUncertain = errors.New("what it serves is not known for now")

// ErrNotListed is what Ready returns, wrapped, for a kind whose first list is still under way: soon the answer is another.
var ErrNotListed = errors.New("the kind has not been listed yet")

// Resource is a kind of objects as the API server serves it.
type Resource struct {
	// Kind is the kind in the version asked for, or in the preferred one.
	Kind schema.GroupVersionKind
	// Name is the plural, lower-case name in URLs.
	Name       string
	Namespaced bool
	Verbs      []string
}

// GroupVersionResource returns what the dynamic client wants to know.
func (r Resource) GroupVersionResource() schema.GroupVersionResource {
	return r.Kind.GroupVersion().WithResource(r.Name)
}

// Watchable reports whether objects of the kind can be listed and watched.
func (r Resource) Watchable() bool {
	return slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch")
}

// apis is what one discovery found. It never changes.
type apis struct {
	version   string // of the server, such as v1.36.3
	served    map[schema.GroupVersionKind]Resource
	preferred map[schema.GroupKind]Resource
	names     []string // "group/version" and "group/version/Kind", sorted
	stale     map[schema.GroupVersion]error
}

// discovered is the answer of a discovery client.
type discovered struct {
	version   string
	groups    []metav1.APIGroup
	resources map[schema.GroupVersion]*metav1.APIResourceList
	failed    map[schema.GroupVersion]error
}

// newAPIs sorts an answer. What another server behind the API server serves is missing while that server is broken, which
// does not mean that the kinds are gone: they are carried over from the answer before. allowed leaves out what the API
// server still lists although its definition is gone.
func newAPIs(d discovered, before *apis, allowed func(Resource) bool) *apis {
	a := &apis{
		version:   d.version,
		served:    make(map[schema.GroupVersionKind]Resource),
		preferred: make(map[schema.GroupKind]Resource),
		stale:     d.failed,
	}
	for _, group := range d.groups {
		for _, v := range group.Versions {
			gv := schema.GroupVersion{Group: group.Name, Version: v.Version}
			if list := d.resources[gv]; list != nil {
				a.list(gv, list, allowed)
			}
		}
	}
	if before != nil {
		for gvk, r := range before.served {
			if d.failed[gvk.GroupVersion()] != nil {
				a.add(r)
			}
		}
	}
	for gvk := range a.served {
		group := gvk.GroupVersion().String()
		a.names = append(a.names, group, group+"/"+gvk.Kind)
	}
	slices.Sort(a.names)
	a.names = slices.Compact(a.names)
	return a
}

func (a *apis) list(gv schema.GroupVersion, list *metav1.APIResourceList, allowed func(Resource) bool) {
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") || r.Kind == "" {
			continue // a subresource
		}
		resource := Resource{Kind: gv.WithKind(r.Kind), Name: r.Name, Namespaced: r.Namespaced, Verbs: r.Verbs}
		if allowed(resource) {
			a.add(resource)
		}
	}
}

// add takes a resource; of a kind in several versions the first is preferred, but one that can be watched before one that cannot.
func (a *apis) add(r Resource) {
	if _, ok := a.served[r.Kind]; ok {
		return
	}
	a.served[r.Kind] = r
	gk := r.Kind.GroupKind()
	if p, ok := a.preferred[gk]; !ok || !p.Watchable() && r.Watchable() {
		a.preferred[gk] = r
	}
}

// resource finds a kind; an empty version asks for the preferred one.
func (a *apis) resource(gvk schema.GroupVersionKind) (Resource, error) {
	if a == nil {
		return Resource{}, fmt.Errorf("%w %s: the cluster has not been reached yet: %w", ErrKindUnknown, gvk.GroupKind(), ErrKindUncertain)
	}
	preferred, ok := a.preferred[gvk.GroupKind()]
	switch {
	case !ok && a.staleGroup(gvk.Group) != nil:
		return Resource{}, fmt.Errorf("%w %s: the server behind its API group does not answer: %w; %w", ErrKindUnknown, gvk.GroupKind(), a.staleGroup(gvk.Group), ErrKindUncertain)
	case !ok:
		return Resource{}, fmt.Errorf("%w %s: is its CustomResourceDefinition installed?", ErrKindUnknown, gvk.GroupKind())
	case gvk.Version == "":
		return preferred, nil
	}
	if r, ok := a.served[gvk]; ok {
		return r, nil
	}
	return Resource{}, fmt.Errorf("%w %s in version %s: it is served as %s", ErrKindUnknown, gvk.GroupKind(), gvk.Version, preferred.Kind.Version)
}

func (a *apis) staleGroup(group string) error {
	for gv, err := range a.stale {
		if gv.Group == group {
			return err
		}
	}
	return nil
}

// AlwaysExcluded reports kinds that are never watched: they change all the time and are part of no application. These
// are also what Argo CD leaves out regardless of settings.
func AlwaysExcluded(group, kind string) bool {
	switch group {
	case "events.k8s.io", "metrics.k8s.io":
		return true
	case "":
		return kind == "Event"
	case "coordination.k8s.io":
		return kind == "Lease"
	}
	return false
}
