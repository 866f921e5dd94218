package cluster

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/internal/tracking"
)

func decodeFor(t *testing.T, gvk schema.GroupVersionKind, body string) *Object {
	t.Helper()
	d := &decoder{gvk: gvk, strings: &interner{}}
	o, err := d.decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

const managedDeployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"namespace-a","uid":"u1",
"resourceVersion":"17","generation":3,"creationTimestamp":"2026-01-02T03:04:05Z","labels":null,
"annotations":{"argocd.argoproj.io/tracking-id":"shop:apps\/Deployment:namespace-a/web"}},"spec":{"replicas":2}}`

func TestDecodeKeepsManagedObjectsWhole(t *testing.T) {
	o := decodeFor(t, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, managedDeployment)
	if o.App != "shop" || !o.Whole() || o.Generation != 3 || o.UID != "u1" || o.ResourceVersion != "17" ||
		!o.Created.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) || o.Key.String() != "Deployment.apps namespace-a/web" {
		t.Errorf("read as %+v", o)
	}
	live := o.Live()
	if n, _, _ := unstructured.NestedInt64(live.Object, "spec", "replicas"); n != 2 || live.GetKind() != "Deployment" {
		t.Errorf("live is %v", live)
	}
	live.SetName("changed")
	if o.Live().GetName() != "web" {
		t.Error("a change of what Live returned is kept")
	}
}

func TestDecodeKeepsAReferenceOfOthers(t *testing.T) {
	body := strings.Replace(managedDeployment, `"name":"web"`, `"name":"copy"`, 1)
	o := decodeFor(t, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, body)
	if o.App != "" || o.Whole() || o.Live() != nil || o.Facts != nil {
		t.Errorf("read as %+v", o)
	}
}

func TestDecodeKeepsWantedObjectsWhole(t *testing.T) {
	d := &decoder{gvk: schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, strings: &interner{}, wanted: func(k Key) bool { return k.Name == "key" }}
	o, err := d.decode([]byte(`{"metadata":{"name":"key","namespace":"namespace-a"}}`))
	if err != nil || !o.Whole() || o.Live().GetKind() != "Secret" || o.Live().GetAPIVersion() != "v1" {
		t.Errorf("read as %+v, %v", o, err)
	}
}

func TestDecodeByLabel(t *testing.T) {
	d := &decoder{gvk: schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, strings: &interner{}, tracker: tracking.Tracker{Method: tracking.MethodLabel}}
	o, err := d.decode([]byte(`{"metadata":{"name":"key","labels":{"a":"b","app.kubernetes.io/instance":"shop"}}}`))
	if err != nil || o.App != "shop" {
		t.Errorf("read as %+v, %v", o, err)
	}
}

func TestDecodePod(t *testing.T) {
	o := decodeFor(t, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, `{"metadata":{"name":"web-1","namespace":"namespace-a","uid":"p1",
"deletionTimestamp":"2026-01-02T03:04:05Z","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"r1","controller":true,"blockOwnerDeletion":true}]},
"spec":{"nodeName":"node-a","initContainers":[{"image":"init:1"}],"containers":[{"image":"web:1"},{"image":"web:1"}]},
"status":{"phase":"Pending","initContainerStatuses":[{"restartCount":4}],"containerStatuses":[{"ready":true,"restartCount":1,"state":{"running":{}}},
{"restartCount":2,"state":{"waiting":{"reason":"ImagePullBackOff","message":"no"}}}]}}`)
	want := &PodFacts{Phase: "Pending", Reason: "ImagePullBackOff", Node: "node-a", Images: []string{"init:1", "web:1"}, Ready: 1, Containers: 2, Restarts: 3}
	if diff := cmp.Diff(want, o.Facts.Pod); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Owner{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: "r1", Controller: true}}, o.Owners); diff != "" {
		t.Error(diff)
	}
	if o.Deleting.IsZero() {
		t.Error("deletionTimestamp is lost")
	}
}

func TestDecodeAssessesWhatOthersOwn(t *testing.T) {
	var asked []string
	d := &decoder{gvk: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}, strings: &interner{},
		health: func(u *unstructured.Unstructured) (string, string, bool) {
			asked = append(asked, u.GetName())
			return "Degraded", "it broke", true
		}}
	owned, err := d.decode([]byte(`{"metadata":{"name":"owned","ownerReferences":[{"uid":"x"}]}}`))
	if err != nil || owned.Facts == nil || owned.Facts.Health != "Degraded" || owned.Facts.Message != "it broke" {
		t.Errorf("read as %+v, %v", owned, err)
	}
	if _, err := d.decode([]byte(`{"metadata":{"name":"alone"}}`)); err != nil || !reflect.DeepEqual(asked, []string{"owned"}) {
		t.Errorf("asked for %v, %v", asked, err)
	}
}

func TestDecodeDefinitions(t *testing.T) {
	crd := decodeFor(t, crdKind.WithVersion("v1"), `{"metadata":{"name":"widgets.example.com"},"spec":{"group":"example.com",
"names":{"plural":"widgets","kind":"Widget"},"versions":[{"name":"v1","served":true,"schema":{"served":false}},{"name":"v0","served":false}]},
"status":{"conditions":[{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"True"}]}}`)
	if want := (&crdFacts{group: "example.com", plural: "widgets", kind: "Widget", versions: []string{"v1"}, ready: true}); !crd.crd.equal(want) {
		t.Errorf("the definition says %+v", crd.crd)
	}
	service := decodeFor(t, apiServiceKind.WithVersion("v1"), `{"metadata":{"name":"v1.example.com"},"spec":{"group":"example.com","version":"v1","service":{"name":"x"}}}`)
	if want := (&crdFacts{group: "example.com", versions: []string{"v1"}, remote: true}); !service.crd.equal(want) {
		t.Errorf("the API service says %+v", service.crd)
	}
	local := decodeFor(t, apiServiceKind.WithVersion("v1"), `{"metadata":{"name":"v1.apps"},"spec":{"group":"apps","version":"v1"},"status":{"conditions":[{"type":"Available","status":"True"}]}}`)
	if local.crd.remote || !local.crd.ready {
		t.Errorf("the API service says %+v", local.crd)
	}
}

func TestDecodeList(t *testing.T) {
	d := &decoder{gvk: schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, strings: &interner{}}
	obj, err := d.decodeList([]byte(`{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"5","continue":"more"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	l := obj.(*list)
	if l.ResourceVersion != "5" || l.Continue != "more" || len(l.Items) != 2 || l.Items[1].(*item).GetName() != "b" {
		t.Errorf("read as %+v", l)
	}
	if obj, err = d.decodeList([]byte(`{"metadata":{},"items":null}`)); err != nil || len(obj.(*list).Items) != 0 {
		t.Errorf("an empty list is read as %+v, %v", obj, err)
	}
}

func TestDecodeRefusesDamage(t *testing.T) {
	d := &decoder{gvk: schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, strings: &interner{}}
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"metadata":{"name"`, `{"metadata":[]}`} {
		if o, err := d.decode([]byte(body)); err == nil {
			t.Errorf("%s is read as %+v", body, o)
		}
	}
}

func TestInternerIsBounded(t *testing.T) {
	var n interner
	for i := range 3 * maxInterned {
		n.of(strings.Repeat("x", i%7) + time.Duration(i).String())
	}
	if len(n.known) > maxInterned {
		t.Errorf("%d strings are kept", len(n.known))
	}
}
