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
"spec":{"nodeName":"node-a","initContainers":[{"image":"init:1"}],"containers":[{"name":"web","image":"web:1"},{"name":"side","image":"web:1"}]},
"status":{"phase":"Pending","initContainerStatuses":[{"restartCount":4}],"containerStatuses":[{"ready":true,"restartCount":1,"state":{"running":{}}},
{"name":"side","restartCount":2,"state":{"waiting":{"reason":"ImagePullBackOff","message":"no"}}}],
"conditions":[{"type":"PodScheduled","status":"True","lastTransitionTime":"2026-01-02T03:04:00Z"},{"type":"Ready","status":"False","lastTransitionTime":"2026-01-02T03:04:01Z"}]}}`)
	want := &PodFacts{Phase: "Pending", Reason: "ImagePullBackOff", Node: "node-a", Images: []string{"init:1", "web:1"}, Ready: 1, Containers: 2, Restarts: 3,
		Trouble: &Trouble{Container: "side", Image: "web:1", Message: "no", Since: time.Date(2026, 1, 2, 3, 4, 1, 0, time.UTC)}}
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

func TestTheTroubleOfAPod(t *testing.T) {
	gvk := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	since := time.Date(2026, 1, 2, 3, 4, 1, 0, time.UTC)
	for sentence, c := range map[string]struct {
		status, reason string
		want           *Trouble
	}{
		"a ready pod has none": {`{"phase":"Running","containerStatuses":[{"name":"web","ready":true}],"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-02T03:04:01Z"}]}`, "", nil},
		"a pod that has completed has none": {`{"phase":"Succeeded","containerStatuses":[{"name":"web","state":{"terminated":{"exitCode":0,"reason":"Completed"}}}],
			"conditions":[{"type":"Ready","status":"False","reason":"PodCompleted","lastTransitionTime":"2026-01-02T03:04:01Z"}]}`, "", nil},
		"a pod that nothing can take says why": {`{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes","lastTransitionTime":"2026-01-02T03:04:01Z"}]}`,
			"Unschedulable", &Trouble{Message: "0/1 nodes", Since: since}},
		"a pod that is not ready names the container": {`{"phase":"Running","containerStatuses":[{"name":"web","state":{"running":{}}}],"conditions":[{"type":"Ready","status":"False","lastTransitionTime":"2026-01-02T03:04:01Z"}]}`,
			"", &Trouble{Container: "web", Image: "web:1", Since: since}},
		"a crash has its exit code": {`{"phase":"Running","containerStatuses":[{"name":"web","state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}},"lastState":{"terminated":{"exitCode":3,"reason":"Error"}}}]}`,
			"CrashLoopBackOff", &Trouble{Container: "web", Image: "web:1", Message: "back-off", ExitCode: 3}},
		"running out of memory goes before the back-off": {`{"phase":"Running","containerStatuses":[{"name":"web","state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}`,
			"OOMKilled", &Trouble{Container: "web", Image: "web:1", ExitCode: 137}},
		"an eviction is the pod's own": {`{"phase":"Failed","reason":"Evicted","message":"the node ran out of memory"}`, "Evicted", &Trouble{Message: "the node ran out of memory"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			o := decodeFor(t, gvk, `{"metadata":{"name":"web-1"},"spec":{"containers":[{"name":"web","image":"web:1"}]},"status":`+c.status+`}`)
			if diff := cmp.Diff(c.want, o.Facts.Pod.Trouble); diff != "" || o.Facts.Pod.Reason != c.reason {
				t.Errorf("reason %q, want %q; %s", o.Facts.Pod.Reason, c.reason, diff)
			}
		})
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
