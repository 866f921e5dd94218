package cluster_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

// exact compares the live state with what the API server has of the application.
func exact(t *testing.T, l *live, app, namespace string, want ...string) {
	t.Helper()
	await(t, "the exact state", func() bool {
		managed := l.Managed(app)
		if len(managed) != len(want) {
			return false
		}
		for i, o := range managed {
			if o.Name != want[i] || o.Namespace != namespace {
				return false
			}
		}
		return true
	})
}

func TestAnAbsentServerComesBack(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	c := client(t, dev.RESTConfig())
	for _, name := range []string{"deleted", "kept"} {
		create(t, c, configMaps, marked(t, "shop-absent", configMap(namespace, name)))
	}
	b, config := bridgeTo(t, dev.RESTConfig())
	l := watch(t, config)
	exact(t, l, "shop-absent", namespace, "deleted", "kept")
	configMapKind := schema.GroupKind{Kind: "ConfigMap"}
	if err := l.Ready(configMapKind); err != nil {
		t.Error(err)
	}
	goroutines := runtime.NumGoroutine()

	b.cut()
	await(t, "the notice of absence", func() bool { return !l.State().Connected })
	if s := l.State(); !strings.Contains(s.Error, "cannot be reached") || s.AwaySince.IsZero() || l.Ready(configMapKind) == nil {
		t.Errorf("the state is %+v", s)
	}
	if len(l.Managed("shop-absent")) != 2 {
		t.Error("objects are forgotten while the server is away")
	}
	remove(t, c, configMaps, namespace, "deleted")
	create(t, c, configMaps, marked(t, "shop-absent", configMap(namespace, "made")))
	time.Sleep(3 * time.Second) // long enough for a back-off to grow

	b.mend(t)
	exact(t, l, "shop-absent", namespace, "kept", "made")
	await(t, "the connection", func() bool { s := l.State(); return s.Connected && s.Error == "" && l.Ready(configMapKind) == nil })
	key := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "deleted"}
	l.heard(t, cluster.Change{App: "shop-absent", Key: key, Root: key})
	fewGoroutines(t, goroutines+5)
}

func TestConnectionsThatBreakAreMadeAgain(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	c := client(t, dev.RESTConfig())
	b, config := bridgeTo(t, dev.RESTConfig())
	l := watch(t, config)
	for i := range 10 {
		b.drop()
		name := fmt.Sprintf("settings-%d", i)
		create(t, c, configMaps, marked(t, "shop-breaks", configMap(namespace, name)))
		key := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: name}
		l.heard(t, cluster.Change{App: "shop-breaks", Key: key, Root: key})
	}
}

func TestTheServerIsAwayAtFirst(t *testing.T) {
	dev := devcluster.ForTest(t)
	b, config := bridgeTo(t, dev.RESTConfig())
	b.cut()
	l := start(t, config)
	await(t, "the notice of absence", func() bool { return strings.Contains(l.State().Error, "cannot be reached") })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.WaitSynced(ctx); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("waiting ends with %v", err)
	}
	b.mend(t)
	ctx, cancel = context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := l.WaitSynced(ctx); err != nil {
		t.Error(err)
	}
}

// startIn starts a development cluster of the test's own, which the caller stops. One that was started in the folder before
// comes back as it was, at its address.
func startIn(t *testing.T, dir string) *devcluster.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	dev, err := devcluster.Start(ctx, devcluster.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

func TestARestartedServerIsFollowedOn(t *testing.T) {
	dir := t.TempDir()
	dev := startIn(t, dir)
	t.Cleanup(func() { _ = dev.Stop() })
	c := client(t, dev.RESTConfig())
	create(t, c, configMaps, marked(t, "shop-restart", configMap("default", "settings")))
	l := watch(t, dev.RESTConfig())
	goroutines := runtime.NumGoroutine()
	if err := dev.Stop(); err != nil {
		t.Fatal(err)
	}
	await(t, "the notice of absence", func() bool { return !l.State().Connected })
	dev = startIn(t, dir)
	create(t, c, configMaps, marked(t, "shop-restart", configMap("default", "settings-2")))
	exact(t, l, "shop-restart", "default", "settings", "settings-2")
	await(t, "every kind", func() bool { s := l.State(); return s.Connected && s.Error == "" })
	if s := l.State(); s.Kinds < 50 {
		t.Errorf("the state is %+v", s)
	}
	fewGoroutines(t, goroutines+10)
}

func TestNothingIsLeftBehind(t *testing.T) {
	dev := devcluster.ForTest(t)
	watch(t, dev.RESTConfig()).stop() // connections that outlive it are made
	before := runtime.NumGoroutine()
	for range 3 {
		watch(t, dev.RESTConfig()).stop()
	}
	fewGoroutines(t, before+5)
}
