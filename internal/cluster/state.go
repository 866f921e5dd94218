package cluster

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// state joins what watches say with what our own writes returned, and tells which applications each news touches.
//
// The two sources race: the answer to a write may arrive before or after the watch event of it, and before or after
// events of what happened next. The rules: the watch is right about everything it has come to; until then a newer
// state that a write returned stands; a uid that was deleted never comes back.
type state struct {
	now      func() time.Time
	onChange func(Change)
	onStray  func(namespace string)
	// hooks, called under the lock: they must not block.
	apiChanged, permissionsChanged func()

	mu     sync.RWMutex
	index  *index
	graves graves
	// gone are custom resources whose definition was deleted, until the API server stops listing them.
	gone map[schema.GroupResource]time.Time
	// strayed are namespaces that onStray is to hear of.
	strayed map[string]struct{}
	// quiet holds back Changes until everything was listed once.
	quiet bool
}

// update runs fn under the lock, then delivers the changes that fn collected.
func (s *state) update(fn func(*changes)) {
	var ch changes
	s.mu.Lock()
	fn(&ch)
	quiet, strayed := s.quiet, s.strayed
	s.strayed = nil
	s.mu.Unlock()
	if quiet {
		return
	}
	if s.onChange != nil {
		for _, c := range ch {
			s.onChange(c)
		}
	}
	for namespace := range strayed {
		s.onStray(namespace)
	}
}

// stray notes a namespace in which an object became, or ceased to be, one that belongs to nobody.
func (s *state) stray(old, o *Object) {
	if s.onStray == nil || old.astray() == o.astray() {
		return
	}
	if o == nil {
		o = old
	}
	if s.strayed == nil {
		s.strayed = make(map[string]struct{})
	}
	s.strayed[o.Namespace] = struct{}{}
}

// astray reports whether the object, which may be nil, is in a namespace and belongs to nobody.
func (o *Object) astray() bool {
	return o != nil && o.App == "" && o.Namespace != "" && len(o.Owners) == 0
}

// watched takes a state that a watch brought.
func (s *state) watched(o *Object) {
	s.update(func(ch *changes) { s.take(o, "", ch) })
}

// take is watched under the lock; listed is the list's resource version when o comes from a list.
func (s *state) take(o *Object, listed string, ch *changes) {
	if s.graves.holds(o.UID, s.now()) {
		return
	}
	old := s.index.get(o.Key)
	if old != nil && s.ahead(old, listed) && older(o.ResourceVersion, old.ResourceVersion) {
		return
	}
	if old != nil && old.UID == o.UID && old.ResourceVersion == o.ResourceVersion && old.App == o.App &&
		old.Version == o.Version && old.Whole() == o.Whole() {
		old.observed = time.Time{}
		return
	}
	s.swap(old, o, ch)
}

// ahead reports whether a stored object is newer than what its watch has come to: a write returned it a moment ago. A list
// at or past the object's version has come to it.
func (s *state) ahead(o *Object, listed string) bool {
	return !o.observed.IsZero() && s.now().Sub(o.observed) < graveLife && (listed == "" || older(listed, o.ResourceVersion))
}

// swap puts o in the place of old, which may be nil.
func (s *state) swap(old, o *Object, ch *changes) {
	s.react(old, o)
	s.stray(old, o)
	if old == nil {
		s.index.put(o)
		s.index.touched(ch, o)
		return
	}
	if !old.Whole() && !o.Whole() && sameReference(old, o) {
		s.index.put(o)
		return
	}
	s.index.touched(ch, old)
	s.index.put(o)
	s.index.touched(ch, o)
}

// remove forgets a stored object.
func (s *state) remove(o *Object, ch *changes) {
	s.index.touched(ch, o)
	s.index.remove(o)
	s.react(o, nil)
	s.stray(o, nil)
}

// react watches for the objects that decide which kinds there are and which may be listed.
func (s *state) react(old, o *Object) {
	either := o
	if o == nil {
		either = old
	}
	switch {
	case either.Group == "rbac.authorization.k8s.io":
		s.permissionsChanged()
	case either.GroupKind() == crdKind || either.GroupKind() == apiServiceKind:
		if old != nil && o != nil && old.crd.equal(o.crd) {
			return
		}
		if either.GroupKind() == crdKind {
			resource := schema.GroupResource{Group: either.crd.group, Resource: either.crd.plural}
			if o == nil {
				s.gone[resource] = s.now()
			} else {
				delete(s.gone, resource)
			}
		}
		s.apiChanged()
	}
}

// deleted takes a deletion that a watch reported.
func (s *state) deleted(o *Object) {
	s.update(func(ch *changes) { s.bury(o.Key, o.UID, ch) })
}

func (s *state) bury(key Key, uid types.UID, ch *changes) {
	s.graves.bury(uid, s.now())
	if old := s.index.get(key); old != nil && old.UID == uid {
		s.remove(old, ch)
	}
}

// replace takes a list: all objects of a kind, in one namespace unless it is empty, at a resource version.
func (s *state) replace(gk schema.GroupKind, namespace string, list []*Object, version string) {
	s.update(func(ch *changes) {
		listed := make(map[name]struct{}, len(list))
		for _, o := range list {
			listed[o.name()] = struct{}{}
			s.take(o, version, ch)
		}
		for n, o := range s.index.kinds[gk] {
			if _, ok := listed[n]; ok || namespace != "" && n.namespace != namespace || s.ahead(o, version) {
				continue
			}
			s.remove(o, ch)
		}
	})
}

// release forgets all objects of a kind.
func (s *state) release(gk schema.GroupKind) {
	s.update(func(ch *changes) {
		for _, o := range s.index.kinds[gk] {
			s.remove(o, ch)
		}
	})
}

// speak begins to tell changes.
func (s *state) speak() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = false
}

// wanted reports whether an application asked for the object to be kept whole.
func (s *state) wanted(key Key) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.index.wanted.apps[key]) > 0
}

// observed takes a state that the API server returned to a write or a read of ours.
func (s *state) observed(o *Object) {
	s.update(func(ch *changes) {
		old := s.index.get(o.Key)
		if s.graves.holds(o.UID, s.now()) || old != nil && !s.newer(o, old) {
			return
		}
		o.observed = s.now()
		s.swap(old, o, ch)
	})
}

// newer reports whether an observed state is to replace the stored one: it is a later version, or the same with the
// body that the stored one lacks.
func (s *state) newer(o, old *Object) bool {
	if o.ResourceVersion == old.ResourceVersion {
		return o.UID == old.UID && o.Whole() && !old.Whole()
	}
	return older(old.ResourceVersion, o.ResourceVersion)
}

// want replaces the wishes of an application, see Cluster.Want.
func (s *state) want(app string, keys []Key) (references []Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.index.wanted.set(app, keys) {
		if o := s.index.get(k); o != nil && o.App == "" && o.Whole() {
			reference := *o
			reference.body = nil
			s.index.put(&reference)
		}
	}
	for _, k := range keys {
		if o := s.index.get(k); o != nil && !o.Whole() {
			references = append(references, k)
		}
	}
	return references
}

// older reports whether resource version a is known to be older than b.
func older(a, b string) bool {
	n, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && n < 0
}
