package tree_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/tracking"
	"github.com/fairlead-cd/fairlead/internal/tree"
	devcluster "github.com/fairlead-cd/fairlead/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(devcluster.Main(m)) }

func assess(obj *unstructured.Unstructured) (status, message string, ok bool) {
	result, ok := health.Assess(obj)
	return string(result.Status), result.Message, ok
}

const objects = `
kind: Deployment
apiVersion: apps/v1
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "registry.example.com/web:1", resources: {requests: {cpu: 100m, memory: 1Mi}}}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: web}
spec:
  tls: [{hosts: [shop.example.com], secretName: web-tls}]
  rules:
  - host: shop.example.com
    http: {paths: [{path: /cart, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
kind: StatefulSet
apiVersion: apps/v1
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: store, image: "registry.example.com/store:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
kind: ServiceAccount
apiVersion: v1
metadata: {name: robot}
`

var resources = map[string]schema.GroupVersionResource{
	"Deployment":     {Group: "apps", Version: "v1", Resource: "deployments"},
	"StatefulSet":    {Group: "apps", Version: "v1", Resource: "statefulsets"},
	"Service":        {Version: "v1", Resource: "services"},
	"Ingress":        {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
	"ServiceAccount": {Version: "v1", Resource: "serviceaccounts"},
	"Secret":         {Version: "v1", Resource: "secrets"},
	"ConfigMap":      {Version: "v1", Resource: "configmaps"},
}

// world is a cluster with the objects of one application in a namespace.
type world struct {
	live      *cluster.Cluster
	client    dynamic.Interface
	namespace string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dev := devcluster.ForTest(t)
	client, err := dynamic.NewForConfig(dev.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	live, err := cluster.New(cluster.Options{Config: dev.RESTConfig(), Health: assess, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = live.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	if err := live.WaitSynced(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &world{live: live, client: client, namespace: dev.Namespace(t)}
}

// create makes an object; of an application unless app is empty.
func (w *world) create(t *testing.T, app, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	u.SetNamespace(w.namespace)
	if app != "" {
		if err := (tracking.Tracker{}).Mark(u, app, w.namespace); err != nil {
			t.Fatal(err)
		}
	}
	made, err := w.client.Resource(resources[u.GetKind()]).Namespace(w.namespace).Create(t.Context(), u, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// outline writes nodes as one line each, with their first parent and what is of interest.
func outline(nodes []v1alpha1.ResourceNode) []string {
	out := make([]string, 0, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		line := n.Kind + " " + stem(n.Name)
		if len(n.ParentRefs) > 0 {
			line += " < " + n.ParentRefs[0].Kind + " " + stem(n.ParentRefs[0].Name)
		}
		if n.Health != nil {
			line += " " + string(n.Health.Status)
		}
		out = append(out, line)
	}
	return out
}

// stem is the part of a name that does not vary.
func stem(name string) string {
	first, _, _ := strings.Cut(name, "-")
	return first
}

func await(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestATreeShowsWhatCameOfAnApplication(t *testing.T) {
	w := newWorld(t)
	for _, text := range strings.Split(objects, "---\n") {
		w.create(t, "shop", text)
	}
	account, err := w.client.Resource(resources["ServiceAccount"]).Namespace(w.namespace).Get(t.Context(), "robot", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.create(t, "", `{"kind":"Secret","apiVersion":"v1","type":"kubernetes.io/service-account-token","metadata":{"name":"robot-token","annotations":{
		"kubernetes.io/service-account.name":"robot","kubernetes.io/service-account.uid":"`+string(account.GetUID())+`"}}}`)

	roots := tree.Roots{Instance: "shop", Resources: []v1alpha1.ResourceStatus{
		{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: w.namespace, Name: "web"},
		{Version: "v1", Kind: "ConfigMap", Namespace: w.namespace, Name: "absent"},
	}, NodeLabels: []string{"kubernetes.io/hostname"}}
	want := []string{
		"ConfigMap absent Missing",
		"Deployment web Healthy",
		"EndpointSlice web < Service web",
		"Endpoints web < Service web",
		"Ingress web Healthy",
		"PersistentVolumeClaim data < StatefulSet store",
		"Pod store < StatefulSet store",
		"Pod web < ReplicaSet web Healthy",
		"Pod web < ReplicaSet web Healthy",
		"ReplicaSet web < Deployment web Healthy",
		"Secret robot < ServiceAccount robot",
		"Service web Healthy",
		"ServiceAccount robot",
		"StatefulSet store",
		"ControllerRevision store < StatefulSet store",
	}
	slices.Sort(want)
	var built *v1alpha1.ApplicationTree
	await(t, "the tree", func() error {
		built = tree.Build(w.live, roots, assess)
		got := outline(built.Nodes)
		for i, line := range got { // what a StatefulSet waits for is not this test's matter
			for _, kind := range []string{"StatefulSet", "PersistentVolumeClaim", "Pod store"} {
				if strings.HasPrefix(line, kind) {
					got[i] = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(line, " Progressing"), " Healthy"), " Degraded")
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("it is\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
	for i := range built.Nodes {
		n := &built.Nodes[i]
		if n.Kind == "ConfigMap" {
			continue
		}
		if n.UID == "" || n.ResourceVersion == "" || n.CreatedAt == nil || n.Namespace != w.namespace {
			t.Errorf("the node is %+v", n)
		}
		switch {
		case n.Kind == "Pod" && stem(n.Name) == "web":
			if !slices.Equal(n.Images, []string{"registry.example.com/web:1"}) || n.NetworkingInfo.Labels["app"] != "web" ||
				!slices.Contains(n.Info, v1alpha1.InfoItem{Name: "Containers", Value: "1/1"}) || !slices.Contains(n.Info, v1alpha1.InfoItem{Name: "Status Reason", Value: "Running"}) {
				t.Errorf("the pod is %s", text(n))
			}
		case n.Kind == "ReplicaSet":
			if !slices.Contains(n.Info, v1alpha1.InfoItem{Name: "Revision", Value: "Rev:1"}) {
				t.Errorf("the replica set is %s", text(n))
			}
		case n.Kind == "Service":
			if n.NetworkingInfo.TargetLabels["app"] != "web" {
				t.Errorf("the service is %s", text(n))
			}
		case n.Kind == "Ingress":
			if !slices.Equal(n.NetworkingInfo.TargetRefs, []v1alpha1.ResourceRef{{Kind: "Service", Namespace: w.namespace, Name: "web"}}) ||
				!slices.Equal(n.NetworkingInfo.ExternalURLs, []string{"https://shop.example.com/cart"}) {
				t.Errorf("the ingress is %s", text(n))
			}
		}
	}
	if len(built.Hosts) == 0 {
		t.Fatal("there are no hosts")
	}
	var cpu, memory int64
	for _, h := range built.Hosts {
		if h.SystemInfo.KubeletVersion == "" || h.Labels["kubernetes.io/hostname"] == "" || len(h.Labels) != 1 || h.ResourcesInfo[0].Capacity == 0 {
			t.Errorf("the host is %+v", h)
		}
		cpu, memory = cpu+h.ResourcesInfo[0].RequestedByApp, memory+h.ResourcesInfo[1].RequestedByApp
	}
	if cpu != 200 || memory != 2*1024*1024*1000 {
		t.Errorf("the pods ask for %d thousandths of a processor and %d of a byte", cpu, memory)
	}
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

func TestOrphansAreWhatBelongsToNobody(t *testing.T) {
	w := newWorld(t)
	configMap := func(name string) string {
		return `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"` + name + `"}}`
	}
	owner := w.create(t, "", configMap("lost"))
	w.create(t, "", `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"lost-child","ownerReferences":[
		{"apiVersion":"v1","kind":"ConfigMap","name":"lost","uid":"`+string(owner.GetUID())+`"}]}}`)
	w.create(t, "", configMap("ignored-1"))
	w.create(t, "shop", configMap("managed"))
	w.create(t, "gone", configMap("left"))
	w.create(t, "", `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"forbidden"}}`)
	search := tree.Search{
		Namespace: w.namespace,
		Ignore:    []v1alpha1.OrphanedResourceKey{{Kind: "ConfigMap", Name: "ignored-*"}, {Group: "apps"}},
		Owned:     func(app string) bool { return app == "shop" },
		Permitted: func(_, kind, _ string) bool { return kind != "Secret" },
	}
	want := []string{"ConfigMap left", "ConfigMap lost", "ConfigMap lost < ConfigMap lost"}
	await(t, "the orphans", func() error {
		if got := outline(tree.Orphans(w.live, search, assess)); !slices.Equal(got, want) {
			return fmt.Errorf("they are %q", got)
		}
		return nil
	})
}
