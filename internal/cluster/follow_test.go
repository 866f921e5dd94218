package cluster_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/tracking"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

func TestManagedObjectsAreFollowed(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	l, c := watch(t, dev.RESTConfig()), client(t, dev.RESTConfig())
	key := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "settings"}
	change := cluster.Change{App: "shop", Key: key, Root: key}

	create(t, c, configMaps, marked(t, "shop", configMap(namespace, "settings")))
	create(t, c, configMaps, &unstructured.Unstructured{Object: configMap(namespace, "nobodys")})
	l.heard(t, change)
	o, ok := l.Get(key)
	if !ok || o.App != "shop" || o.Live().Object["data"].(map[string]any)["key"] != "value" || len(o.Live().GetManagedFields()) == 0 {
		t.Fatalf("the object is %+v", o)
	}
	if m := l.Managed("shop"); len(m) != 1 || m[0].Key != key {
		t.Errorf("managed are %v", m)
	}
	nobodys := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "nobodys"}
	await(t, "a reference to the other object", func() bool { _, ok := l.Get(nobodys); return ok })
	if o, _ := l.Get(nobodys); o.Whole() || o.App != "" {
		t.Errorf("the other object is %+v", o)
	}

	if _, err := c.Resource(configMaps).Namespace(namespace).Patch(t.Context(), "settings", types.MergePatchType, []byte(`{"data":{"key":"new"}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	l.heard(t, change)
	if o, _ := l.Get(key); o.Live().Object["data"].(map[string]any)["key"] != "new" {
		t.Errorf("the object is %s", o.Body())
	}
	remove(t, c, configMaps, namespace, "settings")
	l.heard(t, change)
	if _, ok := l.Get(key); ok || len(l.Managed("shop")) != 0 {
		t.Error("the deleted object is still there")
	}
}

func TestPodsOfADeploymentAreItsApplications(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	l, c := watch(t, dev.RESTConfig()), client(t, dev.RESTConfig())
	labels := map[string]any{"app": "web"}
	create(t, c, deployments, marked(t, "shop-pods", map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web", "namespace": namespace},
		"spec": map[string]any{
			"replicas": int64(2), "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec":     map[string]any{"containers": []any{map[string]any{"name": "web", "image": "example.com/web:1"}}},
			},
		},
	}))
	root := cluster.Key{Group: "apps", Kind: "Deployment", Namespace: namespace, Name: "web"}
	pods := func() (out []*cluster.Object) {
		d, ok := l.Get(root)
		if !ok {
			return nil
		}
		for _, o := range l.Descendants(d.UID) {
			if o.Kind == "Pod" {
				out = append(out, o)
			}
		}
		return out
	}
	await(t, "two running pods", func() bool {
		p := pods()
		return len(p) == 2 && !slices.ContainsFunc(p, func(o *cluster.Object) bool { return o.Facts.Pod.Phase != "Running" || o.Facts.Pod.Ready != 1 })
	})
	pod := pods()[0]
	if pod.Whole() || !slices.Equal(pod.Facts.Pod.Images, []string{"example.com/web:1"}) || pod.Facts.Pod.Containers != 1 {
		t.Errorf("the pod is %+v with %+v", pod, pod.Facts.Pod)
	}
	d, _ := l.Get(root)
	if sets := l.Children(d.UID); len(sets) != 1 || sets[0].Kind != "ReplicaSet" || sets[0].Facts.Revision != "1" {
		t.Errorf("children are %+v", sets)
	}
	change := cluster.Change{App: "shop-pods", Key: pod.Key, Root: root}
	resource := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	l.told()
	if _, err := c.Resource(resource).Namespace(namespace).Patch(t.Context(), pod.Name, types.MergePatchType,
		[]byte(`{"status":{"reason":"Evicted"}}`), metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	l.heard(t, change)
	remove(t, c, resource, namespace, pod.Name)
	l.heard(t, change)
}

func TestWritesAreReadAtOnce(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	l := watch(t, dev.RESTConfig())
	c := l.Client().Resource(configMaps).Namespace(namespace)
	key := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "settings"}
	for range 20 {
		made, err := c.Create(t.Context(), marked(t, "shop-writes", configMap(namespace, "settings")), metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l.Observe(made)
		if o, ok := l.Get(key); !ok || o.ResourceVersion != made.GetResourceVersion() || o.App != "shop-writes" {
			t.Fatalf("after making it, the object is %+v", o)
		}
		changed, err := c.Patch(t.Context(), "settings", types.MergePatchType, []byte(`{"data":{"key":"new"}}`), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l.Observe(changed)
		l.Observe(made)
		if o, _ := l.Get(key); o.ResourceVersion != changed.GetResourceVersion() {
			t.Fatalf("after changing it, the object is %+v", o)
		}
		if err := c.Delete(t.Context(), "settings", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		l.ObserveDeleted(key, made.GetUID())
		l.Observe(changed)
		if _, ok := l.Get(key); ok {
			t.Fatal("after deleting it, the object is still there")
		}
	}
	// The watch is behind all of it once it brings one more object.
	last := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "last"}
	create(t, client(t, dev.RESTConfig()), configMaps, marked(t, "shop-writes", configMap(namespace, "last")))
	await(t, "the last object", func() bool { _, ok := l.Get(last); return ok })
	if n := len(l.told()); n != 20*3+1 {
		t.Errorf("%d changes are told of %d", n, 20*3+1)
	}
	if _, ok := l.Get(key); ok {
		t.Error("the watch brought the deleted object back")
	}
}

func TestWantedObjectsAreFetchedAndFollowed(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	c := client(t, dev.RESTConfig())
	create(t, c, configMaps, &unstructured.Unstructured{Object: configMap(namespace, "old")})
	l := watch(t, dev.RESTConfig())
	key := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "old"}
	if refs := l.Want("shop", []cluster.Key{key}); !slices.Equal(refs, []cluster.Key{key}) {
		t.Fatalf("references are %v", refs)
	}
	if _, err := l.Fetch(t.Context(), key, ""); err != nil {
		t.Fatal(err)
	}
	if o, _ := l.Get(key); !o.Whole() || o.App != "" {
		t.Errorf("after fetching it, the object is %+v", o)
	}
	remove(t, c, configMaps, namespace, "old")
	l.heard(t, cluster.Change{App: "shop", Key: key, Root: key})
}

func TestRetrack(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	c := client(t, dev.RESTConfig())
	labelled := configMap(namespace, "labelled")
	labelled["metadata"].(map[string]any)["labels"] = map[string]any{tracking.DefaultLabelKey: "shop-label"}
	create(t, c, configMaps, &unstructured.Unstructured{Object: labelled})
	create(t, c, configMaps, marked(t, "shop-annotation", configMap(namespace, "annotated")))

	var method atomic.Value
	method.Store(tracking.MethodAnnotation)
	l := watch(t, dev.RESTConfig(), func(o *cluster.Options) {
		o.Tracker = func() tracking.Tracker { return tracking.Tracker{Method: method.Load().(tracking.Method)} }
	})
	if len(l.Managed("shop-label")) != 0 || len(l.Managed("shop-annotation")) != 1 {
		t.Fatal("annotations do not decide")
	}
	method.Store(tracking.MethodLabel)
	l.Retrack()
	key := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "labelled"}
	l.heard(t, cluster.Change{App: "shop-label", Key: key, Root: key})
	if m := l.Managed("shop-label"); len(m) != 1 || !m[0].Whole() || len(l.Managed("shop-annotation")) != 0 {
		t.Error("labels do not decide")
	}
}

func TestOnlySomeNamespaces(t *testing.T) {
	dev := devcluster.ForTest(t)
	inside, other, outside := dev.Namespace(t), dev.Namespace(t), dev.Namespace(t)
	c := client(t, dev.RESTConfig())
	for _, namespace := range []string{inside, other, outside} {
		create(t, c, configMaps, marked(t, "shop-namespaces", configMap(namespace, "settings")))
	}
	l := watch(t, dev.RESTConfig(), func(o *cluster.Options) { o.Namespaces = []string{inside, other} })
	if m := l.Managed("shop-namespaces"); len(m) != 2 {
		t.Errorf("managed are %v", m)
	}
	if err := l.Ready(schema.GroupKind{Kind: "Namespace"}); err == nil {
		t.Error("cluster-scoped objects are watched")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if r, err := l.Resource(ctx, schema.GroupVersionKind{Kind: "Namespace"}); err != nil || r.Namespaced {
		t.Errorf("the kind Namespace is %+v, %v", r, err)
	}
}
