package cluster_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

var (
	definitions  = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	apiServices  = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
	clusterRoles = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}
	roleBindings = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"}
)

func definition(group string, versions ...string) *unstructured.Unstructured {
	var list []any
	for i, v := range versions {
		list = append(list, map[string]any{
			"name": v, "served": true, "storage": i == 0,
			"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
		})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "widgets." + group},
		"spec": map[string]any{
			"group": group, "scope": "Namespaced", "versions": list,
			"names": map[string]any{"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
		},
	}}
}

// createServed makes an object of a kind that the API server may not serve yet although it knows it.
func createServed(t *testing.T, c dynamic.Interface, resource schema.GroupVersionResource, obj *unstructured.Unstructured) {
	t.Helper()
	await(t, "making "+obj.GetName(), func() bool {
		_, err := c.Resource(resource).Namespace(obj.GetNamespace()).Create(t.Context(), obj, metav1.CreateOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
		return err == nil
	})
}

func TestKindsComeAndGo(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace, group := dev.Namespace(t), rand.String(6)+".example.com"
	l, c := watch(t, dev.RESTConfig()), client(t, dev.RESTConfig())
	gk := schema.GroupKind{Group: group, Kind: "Widget"}
	if _, err := l.Resource(t.Context(), gk.WithVersion("")); !errors.Is(err, cluster.ErrKindUnknown) {
		t.Errorf("before it is defined: %v", err)
	}
	key := cluster.Key{Group: group, Kind: "Widget", Namespace: namespace, Name: "one"}
	change := cluster.Change{App: "shop-kinds", Key: key, Root: key}

	for _, version := range []string{"v1", "v2"} { // the second time it comes back in another version
		create(t, c, definitions, definition(group, version))
		await(t, "the kind in "+version, func() bool {
			r, err := l.Resource(t.Context(), gk.WithVersion(version))
			return err == nil && r.Namespaced && r.Name == "widgets" && l.Ready(gk) == nil
		})
		if _, names := l.Version(); !slices.Contains(names, group+"/"+version+"/Widget") {
			t.Errorf("%s is not among what is served", version)
		}
		createServed(t, c, schema.GroupVersionResource{Group: group, Version: version, Resource: "widgets"}, marked(t, "shop-kinds", map[string]any{
			"apiVersion": group + "/" + version, "kind": "Widget", "metadata": map[string]any{"name": "one", "namespace": namespace},
		}))
		l.heard(t, change)
		if o, ok := l.Get(key); !ok || o.Version != version {
			t.Errorf("the object is %+v", o)
		}
		remove(t, c, definitions, "", "widgets."+group)
		l.heard(t, change)
		await(t, "the kind's end", func() bool {
			_, err := l.Resource(t.Context(), gk.WithVersion(""))
			return errors.Is(err, cluster.ErrKindUnknown) && len(l.Managed("shop-kinds")) == 0 && errors.Is(l.Ready(gk), cluster.ErrKindUnknown)
		})
		await(t, "the definition's end", func() bool {
			_, err := c.Resource(definitions).Get(t.Context(), "widgets."+group, metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	}
	await(t, "word of the kind", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return slices.Contains(l.kinds, gk) })
}

func TestAKindChangesItsPreferredVersion(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace, group := dev.Namespace(t), rand.String(6)+".example.com"
	l, c := watch(t, dev.RESTConfig()), client(t, dev.RESTConfig())
	d := create(t, c, definitions, definition(group, "v1beta1"))
	t.Cleanup(func() { remove(t, c, definitions, "", d.GetName()) })
	createServed(t, c, schema.GroupVersionResource{Group: group, Version: "v1beta1", Resource: "widgets"}, marked(t, "shop-prefers", map[string]any{
		"apiVersion": group + "/v1beta1", "kind": "Widget", "metadata": map[string]any{"name": "one", "namespace": namespace},
	}))
	key := cluster.Key{Group: group, Kind: "Widget", Namespace: namespace, Name: "one"}
	version := func(v string) func() bool {
		return func() bool {
			o, ok := l.Get(key)
			return ok && o.Version == v && o.Live().GetAPIVersion() == group+"/"+v
		}
	}
	await(t, "the object in v1beta1", version("v1beta1"))

	both := definition(group, "v1", "v1beta1")
	await(t, "a second version", func() bool {
		now, err := c.Resource(definitions).Get(t.Context(), d.GetName(), metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		both.SetResourceVersion(now.GetResourceVersion())
		_, err = c.Resource(definitions).Update(t.Context(), both, metav1.UpdateOptions{})
		return err == nil
	})
	await(t, "the object in v1", version("v1"))
}

func TestWhatMayNotBeListedHarmsNothingElse(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	admin := client(t, dev.RESTConfig())
	user := "watcher-" + rand.String(6)
	rbac := func(kind, name string, fields map[string]any) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": map[string]any{"name": name}}}
		for k, v := range fields {
			u.Object[k] = v
		}
		return u
	}
	allow := func(suffix string, groups, resources []any) {
		name := user + suffix
		create(t, admin, clusterRoles, rbac("ClusterRole", name, map[string]any{
			"rules": []any{map[string]any{"apiGroups": groups, "resources": resources, "verbs": []any{"get", "list", "watch"}}},
		}))
		create(t, admin, roleBindings, rbac("ClusterRoleBinding", name, map[string]any{
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
			"subjects": []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}},
		}))
		t.Cleanup(func() {
			remove(t, admin, clusterRoles, "", name)
			remove(t, admin, roleBindings, "", name)
		})
	}
	allow("-some", []any{"apps", "apiextensions.k8s.io", "apiregistration.k8s.io", "rbac.authorization.k8s.io", "batch"}, []any{"*"})
	allow("-core", []any{""}, []any{"configmaps", "pods"})
	create(t, admin, configMaps, marked(t, "shop-rbac", configMap(namespace, "settings")))
	secret := configMap(namespace, "key")
	secret["kind"] = "Secret"
	delete(secret, "data")
	create(t, admin, schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, marked(t, "shop-rbac", secret))

	config := dev.RESTConfig()
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	l := watch(t, config)
	secrets := schema.GroupKind{Kind: "Secret"}
	if m := l.Managed("shop-rbac"); len(m) != 1 || m[0].Kind != "ConfigMap" {
		t.Errorf("managed are %v", m)
	}
	if s := l.State(); !apierrors.IsForbidden(s.Failed[secrets]) || s.Failed[schema.GroupKind{Kind: "ConfigMap"}] != nil || s.Error == "" || !s.Connected {
		t.Errorf("the state is %+v", s)
	}
	if err := l.Ready(secrets); !apierrors.IsForbidden(err) {
		t.Errorf("the kind's state is %v", err)
	}
	time.Sleep(4 * time.Second) // long enough for the pauses to grow

	allow("-secrets", []any{""}, []any{"secrets"})
	key := cluster.Key{Kind: "Secret", Namespace: namespace, Name: "key"}
	l.heard(t, cluster.Change{App: "shop-rbac", Key: key, Root: key})
	if err := l.Ready(secrets); err != nil {
		t.Errorf("the kind's state is %v", err)
	}
}

func TestABrokenServerBehindTheAPIHarmsNothingElse(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace, group := dev.Namespace(t), rand.String(6)+".example.com"
	c := client(t, dev.RESTConfig())
	create(t, c, apiServices, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1." + group},
		"spec": map[string]any{
			"group": group, "version": "v1", "groupPriorityMinimum": int64(1000), "versionPriority": int64(10), "insecureSkipTLSVerify": true,
			"service": map[string]any{"namespace": namespace, "name": "nobody"},
		},
	}})
	t.Cleanup(func() { remove(t, c, apiServices, "", "v1."+group) })
	create(t, c, configMaps, marked(t, "shop-broken", configMap(namespace, "settings")))
	l := watch(t, dev.RESTConfig())
	if len(l.Managed("shop-broken")) != 1 {
		t.Error("other kinds are not known")
	}
	if _, err := l.Resource(t.Context(), schema.GroupVersionKind{Group: group, Version: "v1", Kind: "Widget"}); !errors.Is(err, cluster.ErrKindUnknown) {
		t.Errorf("a kind of the broken server: %v", err)
	}
}
