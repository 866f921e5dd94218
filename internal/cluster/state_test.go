package cluster

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// bench is a state whose changes are collected and whose clock stands.
type bench struct {
	*state
	now     time.Time
	changes []Change
	pokes   int
}

func newBench() *bench {
	b := &bench{now: time.Unix(1_000_000, 0)}
	b.state = &state{
		now: func() time.Time { return b.now }, onChange: func(c Change) { b.changes = append(b.changes, c) },
		apiChanged: func() { b.pokes++ }, permissionsChanged: func() {},
		index: newIndex(), gone: map[schema.GroupResource]time.Time{},
	}
	return b
}

// changed returns what changed since it was last asked.
func (b *bench) changed() []Change {
	out := b.changes
	b.changes = nil
	return out
}

func object(kind, name, uid string, version int) *Object {
	group := ""
	switch kind {
	case "Deployment", "ReplicaSet", "StatefulSet":
		group = "apps"
	}
	return &Object{Key: Key{Group: group, Kind: kind, Namespace: "namespace-a", Name: name}, Version: "v1", UID: types.UID(uid), ResourceVersion: strconv.Itoa(version)}
}

func (o *Object) of(app string) *Object {
	o.App, o.body = app, []byte("{}")
	return o
}

func (o *Object) ownedBy(uid string) *Object {
	o.Owners = append(o.Owners, Owner{UID: types.UID(uid)})
	return o
}

func (o *Object) phase(phase string) *Object {
	o.Facts = &Facts{Pod: &PodFacts{Phase: phase}}
	return o
}

var (
	webDeployment = Key{"apps", "Deployment", "namespace-a", "web"}
	webPod        = Key{"", "Pod", "namespace-a", "web-1"}
)

func expect(t *testing.T, what string, got []Change, want ...Change) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: changes (-want +got)\n%s", what, diff)
	}
}

func TestAChangeReachesTheApplicationAboveIt(t *testing.T) {
	b := newBench()
	pod := Change{App: "shop", Key: webPod, Root: webDeployment}

	// The pod is known before its owners.
	b.watched(object("Pod", "web-1", "p", 1).ownedBy("r").phase("Pending"))
	b.watched(object("ReplicaSet", "web", "r", 2).ownedBy("d"))
	expect(t, "owners are not known", b.changed())
	b.watched(object("Deployment", "web", "d", 3).of("shop"))
	expect(t, "the root arrives", b.changed(), Change{"shop", webDeployment, webDeployment})

	b.watched(object("Pod", "web-1", "p", 4).ownedBy("r").phase("Running"))
	expect(t, "the pod runs", b.changed(), pod)
	b.watched(object("Pod", "web-1", "p", 5).ownedBy("r").phase("Running"))
	expect(t, "nothing kept of the pod changed", b.changed())
	if o := b.index.get(webPod); o.ResourceVersion != "5" {
		t.Errorf("the pod is kept in version %s", o.ResourceVersion)
	}
	b.deleted(object("Pod", "web-1", "p", 6))
	expect(t, "the pod is deleted", b.changed(), pod)
	if len(b.index.offspring("r")) != 0 || len(b.index.descendants("d")) != 1 {
		t.Error("the deleted pod is still a child")
	}
}

func TestAnObjectThatChangesHandsTellsBothApplications(t *testing.T) {
	b := newBench()
	b.watched(object("Deployment", "web", "d", 1).of("shop"))
	b.changed()
	b.watched(object("Deployment", "web", "d", 2).of("store"))
	expect(t, "it moves", b.changed(), Change{"shop", webDeployment, webDeployment}, Change{"store", webDeployment, webDeployment})
	if len(b.index.apps["shop"]) != 0 || len(b.index.apps["store"]) != 1 || b.index.managed != 1 {
		t.Errorf("applications are %v, %d managed", b.index.apps, b.index.managed)
	}
	b.watched(object("Deployment", "web", "d", 3))
	expect(t, "it is let go", b.changed(), Change{"store", webDeployment, webDeployment})
	if len(b.index.apps) != 0 || b.index.managed != 0 {
		t.Errorf("applications are %v, %d managed", b.index.apps, b.index.managed)
	}
}

func TestOwnersInACircleEnd(t *testing.T) {
	b := newBench()
	b.watched(object("ReplicaSet", "a", "a", 1).ownedBy("b"))
	b.watched(object("ReplicaSet", "b", "b", 2).ownedBy("a").of("shop"))
	if n := len(b.index.descendants("a")); n != 1 {
		t.Errorf("%d descendants", n)
	}
}

func TestVolumeClaimsBelongToTheirStatefulSet(t *testing.T) {
	b := newBench()
	claim := func(name string) *Object { return object("PersistentVolumeClaim", name, "claim-"+name, 1) }
	for _, name := range []string{"data-db-0", "data-db-12", "data-db-x", "other-db-0", "data-db-"} {
		b.watched(claim(name))
	}
	set := object("StatefulSet", "db", "s", 2).of("shop")
	set.claims = []string{"data", "logs"}
	b.watched(set)
	b.changed()
	var names []string
	for _, o := range b.index.offspring("s") {
		names = append(names, o.Name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"data-db-0", "data-db-12"}, names); diff != "" {
		t.Error(diff)
	}
	b.watched(claim("logs-db-3"))
	expect(t, "a claim is made", b.changed(), Change{"shop", Key{"", "PersistentVolumeClaim", "namespace-a", "logs-db-3"}, set.Key})
	b.deleted(set)
	if len(b.index.claims) != 0 || b.index.claimant(claim("data-db-0")) != nil {
		t.Error("the set's claims outlive it")
	}
}

func TestOurOwnWritesAreSeenOnce(t *testing.T) {
	change := Change{"shop", webDeployment, webDeployment}
	at := func(version int) *Object { return object("Deployment", "web", "d", version).of("shop") }
	b := newBench()
	b.watched(at(10))
	b.changed()

	b.observed(at(20))
	expect(t, "the write returns", b.changed(), change)
	b.watched(at(15))
	expect(t, "the watch brings what was before", b.changed())
	if v := b.index.get(webDeployment).ResourceVersion; v != "20" {
		t.Errorf("version %s is kept", v)
	}
	b.watched(at(20))
	expect(t, "the watch brings the write", b.changed())
	b.observed(at(20))
	b.observed(at(10))
	expect(t, "answers arrive late", b.changed())
	b.watched(at(30))
	expect(t, "the watch goes on", b.changed(), change)
	b.watched(at(25))
	if v := b.index.get(webDeployment).ResourceVersion; v != "25" {
		t.Errorf("version %s is kept: without a write in between the watch is always right", v)
	}
}

func TestADeletedObjectStaysDeleted(t *testing.T) {
	change := Change{"shop", webDeployment, webDeployment}
	at := func(version int) *Object { return object("Deployment", "web", "d", version).of("shop") }
	b := newBench()
	b.watched(at(10))
	b.deleted(at(20))
	b.changed()
	b.observed(at(15))
	expect(t, "the answer to a write arrives after the deletion", b.changed())

	again := object("Deployment", "web", "e", 30).of("shop")
	b.observed(again)
	expect(t, "it is made again", b.changed(), change)
	b.deleted(at(20))
	expect(t, "the old one's deletion arrives late", b.changed())

	b.bury2(again.Key, "e")
	expect(t, "our own deletion returns", b.changed(), change)
	b.watched(again)
	b.watched(object("Deployment", "web", "e", 31).of("shop"))
	expect(t, "the watch brings states of before", b.changed())
	b.deleted(object("Deployment", "web", "e", 32))
	expect(t, "the watch brings the deletion", b.changed())
	if _, ok := b.index.kinds[again.GroupKind()]; ok {
		t.Error("something is left")
	}

	b.now = b.now.Add(2 * graveLife)
	b.bury2(again.Key, "f")
	if len(b.graves.died) != 1 {
		t.Errorf("%d graves are kept", len(b.graves.died))
	}
}

func (b *bench) bury2(key Key, uid types.UID) {
	b.update(func(ch *changes) { b.bury(key, uid, ch) })
}

func TestAListReplacesWhatIsKnown(t *testing.T) {
	deployments := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	key := func(name string) Key { return Key{"apps", "Deployment", "namespace-a", name} }
	change := func(name string) Change { return Change{"shop", key(name), key(name)} }
	d := func(name string, version int) *Object {
		return object("Deployment", name, "uid-"+name, version).of("shop")
	}

	b := newBench()
	b.replace(deployments, "", []*Object{d("same", 1), d("changed", 2), d("gone", 3)}, "10")
	b.changed()
	b.observed(d("written", 20))
	b.observed(d("changed", 21))
	b.changed()

	b.replace(deployments, "", []*Object{d("same", 1), d("changed", 15), d("new", 12)}, "19")
	got := b.changed()
	slices.SortFunc(got, func(a, b Change) int { return len(a.Key.Name) - len(b.Key.Name) })
	expect(t, "a list of before the writes", got, change("new"), change("gone"))

	b.replace(deployments, "", []*Object{d("same", 1), d("changed", 22), d("new", 12)}, "30")
	got = b.changed()
	slices.SortFunc(got, func(a, b Change) int { return len(a.Key.Name) - len(b.Key.Name) })
	expect(t, "a list of after the writes", got, change("changed"), change("written"))

	b.replace(deployments, "namespace-b", nil, "40")
	if expect(t, "a list of another namespace", b.changed()); len(b.index.kinds[deployments]) != 3 {
		t.Errorf("%d are left", len(b.index.kinds[deployments]))
	}
	b.release(deployments)
	if len(b.changed()) != 3 || len(b.index.uids) != 0 || len(b.index.apps) != 0 || b.index.managed != 0 {
		t.Error("something is left after the kind is released")
	}
}

func TestWantedObjectsTellOfTheirChanges(t *testing.T) {
	b := newBench()
	b.watched(object("Deployment", "web", "d", 1))
	if refs := b.want("shop", []Key{webDeployment, webPod}); !slices.Equal(refs, []Key{webDeployment}) {
		t.Errorf("references are %v", refs)
	}
	whole := object("Deployment", "web", "d", 1)
	whole.body = []byte("{}")
	b.observed(whole)
	if !b.index.get(webDeployment).Whole() {
		t.Error("the fetched body is not kept")
	}
	b.changed()
	b.watched(object("Pod", "web-1", "p", 2).phase("Pending"))
	expect(t, "a wanted object appears", b.changed(), Change{"shop", webPod, webPod})

	if b.want("shop", nil); b.index.get(webDeployment).Whole() || len(b.index.wanted.apps) != 0 || len(b.index.wanted.keys) != 0 {
		t.Error("the body is kept although nobody wants it")
	}
	b.watched(object("Pod", "web-1", "p", 3).phase("Running"))
	expect(t, "nobody wants it any more", b.changed())
}

func TestDefinitionsCauseDiscovery(t *testing.T) {
	definition := func(version int, served ...string) *Object {
		return &Object{Key: Key{Group: crdKind.Group, Kind: crdKind.Kind, Name: "widgets.example.com"}, UID: "c", ResourceVersion: strconv.Itoa(version),
			crd: &crdFacts{group: "example.com", plural: "widgets", kind: "Widget", versions: served, ready: true}}
	}
	resource := Resource{Kind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}, Name: "widgets", Verbs: []string{"list", "watch"}}
	b := newBench()
	b.watched(definition(1, "v1"))
	b.watched(definition(2, "v1"))
	if b.pokes != 1 {
		t.Errorf("%d discoveries for one new definition", b.pokes)
	}
	empty := newAPIs(discovered{}, nil, func(Resource) bool { return true })
	if d := b.definitions(); !d.allows(resource) || d.agrees(empty) {
		t.Error("discovery that lacks the kind is taken for complete")
	}
	b.watched(definition(3, "v2"))
	if d := b.definitions(); b.pokes != 2 || d.allows(resource) || !d.late {
		t.Error("a version that is no longer served is allowed")
	}
	b.deleted(definition(4, "v2"))
	if d := b.definitions(); b.pokes != 3 || d.allows(resource) || d.agrees(empty) {
		t.Error("a kind without definition is allowed")
	}
	b.now = b.now.Add(2 * goneLife)
	if d := b.definitions(); !d.allows(resource) || !d.agrees(empty) {
		t.Error("the deleted definition is remembered for ever")
	}
}
