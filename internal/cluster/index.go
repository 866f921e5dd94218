package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// name is an object's place within its kind.
type name struct{ namespace, name string }

// index holds the objects of a cluster and the ways to find them. It knows nothing of watches, locks or time; whoever
// uses it holds a lock.
type index struct {
	kinds map[schema.GroupKind]map[name]*Object
	uids  map[types.UID]*Object
	// children lists who names the uid as owner, whether or not an object of that uid is known.
	children map[types.UID][]types.UID
	// claims finds the StatefulSet of a volume claim by the claim's name without its ordinal; claimed finds the claims.
	claims  map[name]types.UID
	claimed map[name][]types.UID
	apps    map[string]map[Key]struct{}
	managed int
	wanted  wishes
}

func newIndex() *index {
	return &index{
		kinds:    make(map[schema.GroupKind]map[name]*Object),
		uids:     make(map[types.UID]*Object),
		children: make(map[types.UID][]types.UID),
		claims:   make(map[name]types.UID),
		claimed:  make(map[name][]types.UID),
		apps:     make(map[string]map[Key]struct{}),
		wanted:   wishes{apps: make(map[Key][]string), keys: make(map[string][]Key)},
	}
}

func (k Key) name() name { return name{k.Namespace, k.Name} }

func (x *index) get(k Key) *Object { return x.kinds[k.GroupKind()][k.name()] }

// put stores o in the place of the object of its key.
func (x *index) put(o *Object) {
	if old := x.get(o.Key); old != nil {
		if sameLinks(old, o) {
			x.kinds[o.GroupKind()][o.name()] = o
			x.uids[o.UID] = o
			return
		}
		x.unlink(old)
	}
	table := x.kinds[o.GroupKind()]
	if table == nil {
		table = make(map[name]*Object)
		x.kinds[o.GroupKind()] = table
	}
	table[o.name()] = o
	x.link(o)
}

// sameLinks reports whether one state of an object can take the other's place without any list changing: the usual case.
func sameLinks(a, b *Object) bool {
	return a.UID == b.UID && a.App == b.App && slices.Equal(a.Owners, b.Owners) && slices.Equal(a.claims, b.claims)
}

// remove forgets o, which must be stored.
func (x *index) remove(o *Object) {
	x.unlink(o)
	table := x.kinds[o.GroupKind()]
	delete(table, o.name())
	if len(table) == 0 {
		delete(x.kinds, o.GroupKind())
	}
}

func (x *index) link(o *Object) {
	x.uids[o.UID] = o
	for _, owner := range o.Owners {
		x.children[owner.UID] = append(x.children[owner.UID], o.UID)
	}
	for _, template := range o.claims {
		x.claims[claimsOf(o, template)] = o.UID
	}
	if base, ok := claimBase(o); ok {
		x.claimed[base] = append(x.claimed[base], o.UID)
	}
	if o.App != "" {
		x.managed++
		keys := x.apps[o.App]
		if keys == nil {
			keys = make(map[Key]struct{})
			x.apps[o.App] = keys
		}
		keys[o.Key] = struct{}{}
	}
}

func (x *index) unlink(o *Object) {
	if x.uids[o.UID] == o {
		delete(x.uids, o.UID)
	}
	for _, owner := range o.Owners {
		drop(x.children, owner.UID, o.UID)
	}
	for _, template := range o.claims {
		if place := claimsOf(o, template); x.claims[place] == o.UID {
			delete(x.claims, place)
		}
	}
	if base, ok := claimBase(o); ok {
		drop(x.claimed, base, o.UID)
	}
	if o.App != "" {
		x.managed--
		if keys := x.apps[o.App]; len(keys) == 1 {
			delete(x.apps, o.App)
		} else {
			delete(keys, o.Key)
		}
	}
}

// drop takes one value out of the list at key.
func drop[K comparable](lists map[K][]types.UID, key K, uid types.UID) {
	list := lists[key]
	i := slices.Index(list, uid)
	switch {
	case i < 0:
	case len(list) == 1:
		delete(lists, key)
	default:
		list[i] = list[len(list)-1]
		lists[key] = list[:len(list)-1]
	}
}

// claimsOf is the name of the volume claims that a StatefulSet makes of a template, without the ordinal.
func claimsOf(set *Object, template string) name {
	return name{set.Namespace, template + "-" + set.Name}
}

// claimBase is the name of a volume claim without its ordinal. A claim with an owner reference needs no guess.
func claimBase(o *Object) (name, bool) {
	if o.GroupKind() != persistentVolumeClaim || len(o.Owners) > 0 {
		return name{}, false
	}
	i := strings.LastIndexByte(o.Name, '-')
	if i < 0 || i == len(o.Name)-1 || strings.Trim(o.Name[i+1:], "0123456789") != "" {
		return name{}, false
	}
	return name{o.Namespace, o.Name[:i]}, true
}

// parents returns the known owners of o: those it names, the StatefulSet whose volume claim it is, and the Service of the
// same name whose Endpoints it is.
func (x *index) parents(o *Object) (out []*Object) {
	for _, owner := range o.Owners {
		if p := x.uids[owner.UID]; p != nil {
			out = append(out, p)
		}
	}
	if set := x.claimant(o); set != nil {
		out = append(out, set)
	}
	if o.GroupKind() == endpoints && len(o.Owners) == 0 {
		if s := x.kinds[service][o.name()]; s != nil {
			out = append(out, s)
		}
	}
	return out
}

// claimant returns the StatefulSet whose volume claim o is by its name.
func (x *index) claimant(o *Object) *Object {
	base, ok := claimBase(o)
	if !ok {
		return nil
	}
	return x.uids[x.claims[base]]
}

// offspring returns the objects that have the owner, in no order.
func (x *index) offspring(owner types.UID) (out []*Object) {
	for _, uid := range x.children[owner] {
		if c := x.uids[uid]; c != nil {
			out = append(out, c)
		}
	}
	if o := x.uids[owner]; o != nil {
		if e := x.kinds[endpoints][o.name()]; e != nil && o.GroupKind() == service && len(e.Owners) == 0 {
			out = append(out, e)
		}
		for _, template := range o.claims {
			for _, uid := range x.claimed[claimsOf(o, template)] {
				if c := x.uids[uid]; c != nil {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

// descendants returns everything below the owner, each object once, parents before their children.
func (x *index) descendants(owner types.UID) (out []*Object) {
	seen := map[types.UID]bool{owner: true}
	for queue := []types.UID{owner}; len(queue) > 0; queue = queue[1:] {
		for _, child := range x.offspring(queue[0]) {
			if !seen[child.UID] {
				seen[child.UID] = true
				out = append(out, child)
				queue = append(queue, child.UID)
			}
		}
	}
	return out
}

// touched adds to changes what a change of o means for applications: it walks from o up to every owner that is managed
// or wanted. It works for an object that is about to be stored as well as for a stored one.
func (x *index) touched(changes *changes, o *Object) {
	seen := make([]types.UID, 0, 4)
	var up func(*Object)
	up = func(p *Object) {
		if slices.Contains(seen, p.UID) {
			return
		}
		seen = append(seen, p.UID)
		if p.App != "" {
			changes.add(Change{App: p.App, Key: o.Key, Root: p.Key})
		}
		for _, app := range x.wanted.apps[p.Key] {
			changes.add(Change{App: app, Key: o.Key, Root: p.Key})
		}
		for _, q := range x.parents(p) {
			up(q)
		}
	}
	up(o)
}

// changes collects Changes under the lock, for delivery after it.
type changes []Change

func (c *changes) add(change Change) {
	// The same change can only come up again while one object is looked at, so the last few entries tell.
	tail := *c
	if len(tail) > 8 {
		tail = tail[len(tail)-8:]
	}
	if !slices.Contains(tail, change) {
		*c = append(*c, change)
	}
}
