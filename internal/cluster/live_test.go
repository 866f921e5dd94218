package cluster_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/tracking"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(devcluster.Main(m)) }

// patience is far beyond what anything here takes, for machines busy with other work.
const patience = 30 * time.Second

var (
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

// live is a cluster under test with what it told.
type live struct {
	*cluster.Cluster
	stop func()

	mu      sync.Mutex
	changes []cluster.Change
	kinds   []schema.GroupKind
}

// watch starts the live state of the cluster that config leads to, and waits until it is complete.
func watch(t *testing.T, config *rest.Config, adjust ...func(*cluster.Options)) *live {
	t.Helper()
	l := start(t, config, adjust...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := l.WaitSynced(ctx); err != nil {
		t.Fatal(err)
	}
	return l
}

func start(t *testing.T, config *rest.Config, adjust ...func(*cluster.Options)) *live {
	t.Helper()
	l := &live{}
	options := cluster.Options{
		Config: config, Server: config.Host, Name: "dev-cluster",
		OnChange: func(c cluster.Change) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.changes = append(l.changes, c)
		},
		OnKind: func(gk schema.GroupKind) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.kinds = append(l.kinds, gk)
		},
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	for _, a := range adjust {
		a(&options)
	}
	c, err := cluster.New(options)
	if err != nil {
		t.Fatal(err)
	}
	l.Cluster = c
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	l.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(l.stop)
	return l
}

// told returns the changes told since it was last asked.
func (l *live) told() []cluster.Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.changes
	l.changes = nil
	return out
}

// heard waits for a change and forgets all that were told until then.
func (l *live) heard(t *testing.T, want cluster.Change) {
	t.Helper()
	var all []cluster.Change
	await(t, "the change "+want.Key.String()+" of "+want.App, func() bool {
		all = append(all, l.told()...)
		return slices.Contains(all, want)
	})
}

// idle is longer than connections are kept that nobody uses; after trouble there may be a dozen, each with goroutines of its
// own here and in a bridge.
const idle = 2 * time.Minute

// fewGoroutines waits until there are no more than so many, and shows what they do when that does not come about.
func fewGoroutines(t *testing.T, most int) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			_ = pprof.Lookup("goroutine").WriteTo(t.Output(), 1)
		}
	})
	awaitFor(t, idle, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= most })
}

// await waits for a condition.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	awaitFor(t, patience, what, condition)
}

func awaitFor(t *testing.T, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	started := time.Now()
	for !condition() {
		if time.Since(started) > patience {
			t.Fatalf("%s did not come about within %s", what, patience)
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Logf("%s: after %s", what, time.Since(started).Round(time.Millisecond))
}

func client(t *testing.T, config *rest.Config) dynamic.Interface {
	t.Helper()
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// marked returns an object that is tracked as part of the application.
func marked(t *testing.T, app string, obj map[string]any) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: obj}
	if err := (tracking.Tracker{}).Mark(u, app, ""); err != nil {
		t.Fatal(err)
	}
	return u
}

func configMap(namespace, name string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": namespace},
		"data": map[string]any{"key": "value"},
	}
}

func create(t *testing.T, c dynamic.Interface, resource schema.GroupVersionResource, obj *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	var out *unstructured.Unstructured
	var err error
	if ns := obj.GetNamespace(); ns != "" {
		out, err = c.Resource(resource).Namespace(ns).Create(t.Context(), obj, metav1.CreateOptions{})
	} else {
		out, err = c.Resource(resource).Create(t.Context(), obj, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatalf("making %s %s: %v", obj.GetKind(), obj.GetName(), err)
	}
	return out
}

// remove deletes an object at once.
func remove(t *testing.T, c dynamic.Interface, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	var client dynamic.ResourceInterface = c.Resource(resource)
	if namespace != "" {
		client = c.Resource(resource).Namespace(namespace)
	}
	if err := client.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}); err != nil {
		t.Fatalf("deleting %s %s: %v", resource.Resource, name, err)
	}
}

// bridge leads to an API server until it is cut.
type bridge struct {
	target string

	mu       sync.Mutex
	listener net.Listener
	address  string
	conns    map[net.Conn]struct{}
	silent   chan struct{} // closed when what is sent goes through again; nil while it does
}

// bridgeTo returns a bridge and a configuration that goes over it.
func bridgeTo(t *testing.T, config *rest.Config) (*bridge, *rest.Config) {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	b := &bridge{target: target.Host, address: "127.0.0.1:0", conns: make(map[net.Conn]struct{})}
	b.mend(t)
	t.Cleanup(b.cut)
	over := rest.CopyConfig(config)
	over.Host = "https://" + b.address
	return b, over
}

func (b *bridge) mend(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.listener, b.address = l, l.Addr().String()
	b.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.carry(conn)
		}
	}()
}

func (b *bridge) carry(conn net.Conn) {
	far, err := net.Dial("tcp", b.target)
	if err != nil {
		conn.Close()
		return
	}
	b.mu.Lock()
	b.conns[conn], b.conns[far] = struct{}{}, struct{}{}
	b.mu.Unlock()
	copying := func(to, from net.Conn) {
		_, _ = io.Copy(writer(func(p []byte) (int, error) { b.listen(); return to.Write(p) }), from)
		to.Close()
		from.Close()
		b.mu.Lock()
		delete(b.conns, from)
		b.mu.Unlock()
	}
	go copying(far, conn)
	copying(conn, far)
}

// writer is a function that writes.
type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// silence lets nothing through any more, although connections are made and stay.
func (b *bridge) silence() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = make(chan struct{})
}

// speak ends the silence.
func (b *bridge) speak() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent != nil {
		close(b.silent)
		b.silent = nil
	}
}

// listen waits for the end of the silence.
func (b *bridge) listen() {
	b.mu.Lock()
	silent := b.silent
	b.mu.Unlock()
	if silent != nil {
		<-silent
	}
}

// drop ends the connections there are.
func (b *bridge) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		conn.Close()
	}
}

// cut ends the connections and lets none through.
func (b *bridge) cut() {
	b.mu.Lock()
	b.listener.Close()
	b.mu.Unlock()
	b.speak()
	b.drop()
}
