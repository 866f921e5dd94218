package cluster_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/tracking"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

// Objects are made, changed, handed over and deleted at random, some by writers whose answers are observed, while
// connections break. Afterwards the live state is what the API server has.
func TestTheStateIsExactAfterChaos(t *testing.T) {
	dev := devcluster.ForTest(t)
	namespace := dev.Namespace(t)
	c := client(t, dev.RESTConfig()).Resource(configMaps).Namespace(namespace)
	b, config := bridgeTo(t, dev.RESTConfig())
	l := watch(t, config)

	random := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		name := fmt.Sprintf("settings-%d", random.IntN(30))
		var written *unstructured.Unstructured
		var err error
		switch random.IntN(4) {
		case 0:
			written, err = c.Create(t.Context(), marked(t, "chaos-a", configMap(namespace, name)), metav1.CreateOptions{})
		case 1:
			written, err = c.Patch(t.Context(), name, types.MergePatchType, fmt.Appendf(nil, `{"data":{"key":"%d"}}`, i), metav1.PatchOptions{})
		case 2:
			id := tracking.ID{App: "chaos-b", Kind: "ConfigMap", Namespace: namespace, Name: name}
			written, err = c.Patch(t.Context(), name, types.MergePatchType,
				fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, tracking.AnnotationTrackingID, id), metav1.PatchOptions{})
		case 3:
			err = c.Delete(t.Context(), name, metav1.DeleteOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		if written != nil && random.IntN(2) == 0 {
			delay := time.Duration(random.IntN(50)) * time.Millisecond
			go func() { // the answer comes at any time
				time.Sleep(delay)
				l.Observe(written)
			}()
		}
		if random.IntN(40) == 0 {
			b.drop()
		}
	}

	want := make(map[string]string)
	list, err := c.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		if app, ok := (tracking.Tracker{}).Owner(&item); ok {
			want[app+" "+item.GetName()] = item.GetResourceVersion()
		}
	}
	got := func() map[string]string {
		out := make(map[string]string)
		for _, app := range []string{"chaos-a", "chaos-b"} {
			for _, o := range l.Managed(app) {
				out[app+" "+o.Name] = o.ResourceVersion
			}
		}
		return out
	}
	await(t, "the exact state", func() bool { return maps.Equal(got(), want) })
	time.Sleep(200 * time.Millisecond) // late answers
	if have := got(); !maps.Equal(have, want) {
		t.Errorf("known are %v, want %v", have, want)
	}
}
