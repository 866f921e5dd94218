package cluster_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

// The server takes connections and requests, and answers none of them.
func TestASilentServerHoldsNobodyUp(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	c := client(t, dev.RESTConfig())
	create(t, c, configMaps, marked(t, "shop-silent", configMap(namespace, "one")))
	b, config := bridgeTo(t, dev.RESTConfig())
	l := watch(t, config)
	key := cluster.Key{Kind: "ConfigMap", Namespace: namespace, Name: "one"}
	b.silence()

	// Everybody asks at once. The bound is that of a worker's patience, far above what it takes.
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	asks := map[string]func() error{
		"a read": func() error { _, err := l.Fetch(ctx, key, "v1"); return err },
		"a write": func() error {
			_, err := l.Client().Resource(configMaps).Namespace(namespace).Patch(ctx, "one", types.MergePatchType, []byte(`{"data":{"a":"b"}}`), metav1.PatchOptions{})
			return err
		},
		"a kind": func() error {
			_, err := l.Resource(ctx, schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Absent"})
			return err
		},
	}
	var everybody sync.WaitGroup
	for sentence, ask := range asks {
		for range 10 {
			everybody.Go(func() {
				if err := ask(); err == nil || ctx.Err() != nil {
					t.Errorf("%s ends with %v, %v", sentence, err, ctx.Err())
				}
			})
		}
	}
	everybody.Wait()
	await(t, "the notice of absence", func() bool { return !l.State().Connected })
	if _, err := l.Fetch(t.Context(), key, "v1"); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("a read of a server that is known to be away ends with %v", err)
	}

	b.speak()
	await(t, "the connection", func() bool { return l.State().Connected && l.Ready(key.GroupKind()) == nil })
	if _, err := l.Fetch(t.Context(), key, "v1"); err != nil {
		t.Error(err)
	}
}

// A request that takes long is waited for as long as the server shows life.
func TestASlowAnswerIsWaitedFor(t *testing.T) {
	t.Parallel()
	s, config := serve(t)
	release := make(chan struct{})
	s.Config.Handler.(*http.ServeMux).HandleFunc("GET /api/v1/namespaces/namespace-a/configmaps/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
			fail(w, &metav1.Status{Code: 404, Reason: metav1.StatusReasonNotFound, Message: "not found, after a while"})
		case <-r.Context().Done():
		}
	})
	l := watch(t, config)
	key := cluster.Key{Kind: "ConfigMap", Namespace: "namespace-a", Name: "slow"}
	time.AfterFunc(4*time.Second, func() { close(release) }) // longer than it is waited for without a doubt
	if _, err := l.Fetch(t.Context(), key, "v1"); !apierrors.IsNotFound(err) {
		t.Errorf("it ends with %v", err)
	}
	if !l.State().Connected {
		t.Error("the server is taken to be away")
	}
}
