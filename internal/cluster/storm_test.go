package cluster_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

var (
	secrets        = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	secretKind     = schema.GroupKind{Kind: "Secret"}
	stormOutage    = time.Minute // longer than any back-off of the connection grows, and than any request waits
	stormUser      = "storm"
	unlistedSecret = func(name string) bool { return strings.HasPrefix(name, "secrets") }
)

// role permits somebody to see resources of the core group, and of the others when these are empty.
func role(name string, core ...string) []*unstructured.Unstructured {
	rules := []any{map[string]any{"apiGroups": []any{""}, "resources": anySlice(core), "verbs": []any{"*"}}}
	if len(core) > 1 {
		rules = append(rules, map[string]any{"nonResourceURLs": []any{"*"}, "verbs": []any{"get"}})
		for _, group := range []string{"apps", "batch", "apiextensions.k8s.io", "apiregistration.k8s.io", "rbac.authorization.k8s.io"} {
			rules = append(rules, map[string]any{"apiGroups": []any{group}, "resources": []any{"*"}, "verbs": []any{"*"}})
		}
	}
	return []*unstructured.Unstructured{
		{Object: map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map[string]any{"name": name}, "rules": rules}},
		{Object: map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": map[string]any{"name": name},
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
			"subjects": []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": stormUser}},
		}},
	}
}

func anySlice(list []string) (out []any) {
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

// storm is a live state that is shaken, and who shakes it.
type storm struct {
	*live
	client    dynamic.Interface
	bridge    *bridge
	namespace string
	random    *rand.Rand
}

func newStorm(t *testing.T, dev *devcluster.Cluster) (*storm, *rest.Config) {
	t.Helper()
	c := client(t, dev.RESTConfig())
	finder, err := discovery.NewDiscoveryClientForConfig(dev.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	list, err := finder.ServerResourcesForGroupVersion("v1")
	if err != nil {
		t.Fatal(err)
	}
	var core []string
	for _, r := range list.APIResources {
		if !unlistedSecret(r.Name) {
			core = append(core, r.Name)
		}
	}
	for i, objects := range [][]*unstructured.Unstructured{role("storm-all", core...), role("storm-secrets", "secrets")} {
		create(t, c, clusterRoles, objects[0])
		create(t, c, roleBindings, objects[1])
		t.Cleanup(func() {
			remove(t, c, clusterRoles, "", objects[0].GetName())
			if i == 0 {
				remove(t, c, roleBindings, "", objects[1].GetName())
			}
		})
	}
	b, config := bridgeTo(t, dev.RESTConfig())
	config.Impersonate.UserName = stormUser
	s := &storm{client: c, bridge: b, namespace: dev.Namespace(t), random: rand.New(rand.NewPCG(3, 4))}
	s.live = watch(t, config, func(o *cluster.Options) {
		o.Permissions = func() cluster.Permissions { return cluster.PermissionsNormal }
	})
	return s, config
}

// blow changes objects of a kind at random, and breaks connections.
func (s *storm) blow(t *testing.T, resource schema.GroupVersionResource, kind string, times int) {
	t.Helper()
	objects := s.client.Resource(resource).Namespace(s.namespace)
	for i := range times {
		name := fmt.Sprintf("%s-%d", strings.ToLower(kind), s.random.IntN(20))
		var err error
		switch s.random.IntN(3) {
		case 0:
			obj := map[string]any{"apiVersion": resource.GroupVersion().String(), "kind": kind, "metadata": map[string]any{"name": name, "namespace": s.namespace}}
			u := &unstructured.Unstructured{Object: obj}
			if s.random.IntN(2) == 0 {
				u = marked(t, "storm", obj)
			}
			_, err = objects.Create(t.Context(), u, metav1.CreateOptions{})
		case 1:
			_, err = objects.Patch(t.Context(), name, types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"labels":{"n":"%d"}}}`, i), metav1.PatchOptions{})
		case 2:
			err = objects.Delete(t.Context(), name, metav1.DeleteOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		if s.random.IntN(15) == 0 {
			s.bridge.drop()
		}
	}
}

// known lists what a live state knows of the objects that the storm moves.
func known(c *cluster.Cluster, namespace string) map[string]string {
	out := make(map[string]string)
	for _, o := range c.Select(func(o *cluster.Object) bool { return o.Namespace == namespace || o.Group == "apiextensions.k8s.io" }) {
		out[o.Key.String()] = fmt.Sprint(o.Version, " ", o.UID, " ", o.ResourceVersion, " ", o.App, " ", o.Whole())
	}
	return out
}

// The API server is stopped for a minute and started again, and is then cut off for a while; watches end at random, a
// definition goes and comes back in another version, and the permission for a kind is withdrawn and given back. Afterwards
// the live state is what a fresh one is, and costs no more than before: at most 30 goroutines
// more, which is what a few idle connections take, and 8 MiB.
func TestTheStateIsExactAfterAStorm(t *testing.T) {
	dir := t.TempDir()
	dev := startIn(t, dir)
	t.Cleanup(func() { _ = dev.Stop() })
	s, config := newStorm(t, dev)
	group := fmt.Sprintf("storm%d.example.com", s.random.IntN(1000))
	widgets := func(version string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: group, Version: version, Resource: "widgets"}
	}
	// Roles know no patterns of groups.
	patch := fmt.Sprintf(`[{"op":"add","path":"/rules/-","value":{"apiGroups":[%q],"resources":["*"],"verbs":["*"]}}]`, group)
	if _, err := s.client.Resource(clusterRoles).Patch(t.Context(), "storm-all", types.JSONPatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}

	create(t, s.client, definitions, definition(group, "v1"))
	gk := schema.GroupKind{Group: group, Kind: "Widget"}
	await(t, "the kind", func() bool { return s.Ready(gk) == nil })
	s.blow(t, configMaps, "ConfigMap", 60)
	s.blow(t, secrets, "Secret", 60)
	s.blow(t, widgets("v1"), "Widget", 30)
	await(t, "a calm moment", func() bool { return s.State().Error == "" })
	goroutines, memory := runtime.NumGoroutine(), heapInUse()

	for round := range 2 {
		// The permission goes, which shows when the watch ends, and the server goes too.
		remove(t, s.client, roleBindings, "", "storm-secrets")
		dropped := time.Time{}
		await(t, "the refusal", func() bool {
			if time.Since(dropped) > time.Second { // roles take a moment to work
				s.bridge.drop()
				dropped = time.Now()
			}
			return apierrors.IsForbidden(s.Ready(secretKind))
		})
		await(t, "the connection", func() bool { return s.State().Connected })
		if state := s.State(); !state.Connected || state.Error != "" {
			t.Errorf("a kind without permission is told as %q", state.Error)
		}
		s.blow(t, configMaps, "ConfigMap", 60)
		s.bridge.cut()
		if round == 0 {
			if err := dev.Stop(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(stormOutage)
			dev = startIn(t, dir)
		}
		// What happens now, the live state learns only when it reaches the server again.
		s.blow(t, secrets, "Secret", 40)
		s.blow(t, configMaps, "ConfigMap", 40)
		remove(t, s.client, definitions, "", "widgets."+group)
		await(t, "the definition's end", func() bool {
			_, err := s.client.Resource(definitions).Get(t.Context(), "widgets."+group, metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
		version := fmt.Sprintf("v%d", round+2)
		create(t, s.client, definitions, definition(group, version))
		s.bridge.mend(t)
		await(t, "the kind in "+version, func() bool {
			r, err := s.Resource(t.Context(), gk.WithVersion(""))
			return err == nil && r.Kind.Version == version && s.Ready(gk) == nil
		})
		s.blow(t, widgets(version), "Widget", 40)
		create(t, s.client, roleBindings, role("storm-secrets", "secrets")[1])
		await(t, "the permission", func() bool { return s.Ready(secretKind) == nil })
		s.blow(t, secrets, "Secret", 40)
	}

	fresh := watch(t, config)
	await(t, "the exact state", func() bool { return maps.Equal(known(s.Cluster, s.namespace), known(fresh.Cluster, s.namespace)) })
	if got := known(s.Cluster, s.namespace); len(got) < 20 {
		t.Errorf("only %d objects are known: %q", len(got), slices.Sorted(maps.Keys(got)))
	}
	fresh.stop()
	// A watch takes several; connections that idle for a while are not counted.
	fewGoroutines(t, goroutines+30)
	if now := heapInUse(); now > memory+8<<20 {
		t.Errorf("%d KiB of memory have become %d", memory>>10, now>>10)
	}
	remove(t, s.client, roleBindings, "", "storm-secrets")
	remove(t, s.client, definitions, "", "widgets."+group)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
