package cluster

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/internal/tracking"
)

var (
	podV1        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	deploymentV1 = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
)

type fields = map[string]any

// managedFields is a list of the length that an object with several managers has.
func managedFields(managers ...string) []any {
	var out []any
	for _, m := range managers {
		set := fields{}
		for i := range 24 {
			set[fmt.Sprintf("f:field%02d", i)] = fields{".": fields{}, "f:name": fields{}, "f:value": fields{}}
		}
		out = append(out, fields{"manager": m, "operation": "Apply", "apiVersion": "v1", "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1", "fieldsV1": fields{"f:spec": set}})
	}
	return out
}

func container(i int) fields {
	var env []any
	for n := range 15 {
		env = append(env, fields{"name": fmt.Sprintf("SETTING_%02d", n), "value": strings.Repeat("v", 20)})
	}
	return fields{"name": "web", "image": fmt.Sprintf("registry.example.com/team/web:%d", i%50), "env": env,
		"resources":              fields{"requests": fields{"cpu": "100m", "memory": "128Mi"}, "limits": fields{"memory": "256Mi"}},
		"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent"}
}

// podJSON is a pod as the API server sends it: about 5 KB.
func podJSON(i int) []byte {
	return mustJSON(fields{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": fields{
			"name": fmt.Sprintf("web-%d-7d4b9c6f5-x%04d", i/4, i), "namespace": fmt.Sprintf("namespace-%d", i%40), "uid": fmt.Sprintf("%08d-0000-4000-8000-000000000000", i),
			"resourceVersion": fmt.Sprint(1_000_000 + i), "creationTimestamp": "2026-01-02T03:04:05Z", "labels": fields{"app": "web", "pod-template-hash": "7d4b9c6f5"},
			"ownerReferences": []any{fields{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": fmt.Sprintf("web-%d-7d4b9c6f5", i/4), "uid": fmt.Sprintf("%08d-1111-4000-8000-000000000000", i/4), "controller": true}},
			"managedFields":   managedFields("kube-controller-manager", "kubelet"),
		},
		"spec":   fields{"nodeName": fmt.Sprintf("node-%d", i%100), "containers": []any{container(i)}},
		"status": fields{"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": []any{fields{"name": "web", "ready": true, "restartCount": 0, "state": fields{"running": fields{}}}}},
	})
}

// deploymentJSON is a managed Deployment as the API server sends it: about 4.5 KB.
func deploymentJSON(i int) []byte {
	namespace, name := fmt.Sprintf("namespace-%d", i%40), fmt.Sprintf("web-%d", i)
	return mustJSON(fields{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": fields{
			"name": name, "namespace": namespace, "uid": fmt.Sprintf("%08d-2222-4000-8000-000000000000", i), "resourceVersion": fmt.Sprint(2_000_000 + i),
			"generation": 3, "creationTimestamp": "2026-01-02T03:04:05Z",
			"annotations":   fields{tracking.AnnotationTrackingID: fmt.Sprintf("app-%d:apps/Deployment:%s/%s", i/10, namespace, name)},
			"managedFields": managedFields("argocd-controller", "kube-controller-manager"),
		},
		"spec":   fields{"replicas": 2, "selector": fields{"matchLabels": fields{"app": name}}, "template": fields{"spec": fields{"containers": []any{container(i)}}}},
		"status": fields{"replicas": 2, "readyReplicas": 2, "observedGeneration": 3},
	})
}

func mustJSON(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

// heap is the memory in use after everything unused was collected.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func fill(b *bench, strings *interner, gvk schema.GroupVersionKind, n int, body func(int) []byte) error {
	d := &decoder{gvk: gvk, strings: strings}
	for i := range n {
		o, err := d.decode(body(i))
		if err != nil {
			return err
		}
		b.watched(o)
	}
	return nil
}

// BenchmarkMemory reports what 10,000 unmanaged and 2,000 managed objects take.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		const pods, deployments = 10_000, 2_000
		state, strings := newBench(), &interner{}
		state.onChange = func(Change) {}
		before := heap()
		if err := fill(state, strings, podV1, pods, podJSON); err != nil {
			b.Fatal(err)
		}
		between := heap()
		if err := fill(state, strings, deploymentV1, deployments, deploymentJSON); err != nil {
			b.Fatal(err)
		}
		after := heap()
		b.ReportMetric((between-before)/pods, "B/unmanaged")
		b.ReportMetric((after-between)/deployments, "B/managed")
		b.ReportMetric((after-before)/(1<<20), "MiB")
		runtime.KeepAlive(state)
		runtime.KeepAlive(strings)
	}
}

func TestMemoryStaysWithinItsBound(t *testing.T) {
	state, strings := newBench(), &interner{}
	state.onChange = func(Change) {}
	before := heap()
	if err := fill(state, strings, podV1, 10_000, podJSON); err != nil {
		t.Fatal(err)
	}
	if err := fill(state, strings, deploymentV1, 2_000, deploymentJSON); err != nil {
		t.Fatal(err)
	}
	if used := (heap() - before) / (1 << 20); used > 40 {
		t.Errorf("10,000 unmanaged and 2,000 managed objects take %.1f MiB, more than 40", used)
	}
	runtime.KeepAlive(state)
}

// BenchmarkDecode reads one object, as a watch does for each event.
func BenchmarkDecode(b *testing.B) {
	for name, tc := range map[string]struct {
		gvk  schema.GroupVersionKind
		body []byte
	}{
		"unmanaged": {podV1, podJSON(1)},
		"managed":   {deploymentV1, deploymentJSON(1)},
	} {
		b.Run(name, func(b *testing.B) {
			d := &decoder{gvk: tc.gvk, strings: &interner{}}
			b.SetBytes(int64(len(tc.body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.decode(tc.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLive decodes a kept body.
func BenchmarkLive(b *testing.B) {
	d := &decoder{gvk: deploymentV1, strings: &interner{}}
	o, err := d.decode(deploymentJSON(1))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(o.body)))
	b.ReportAllocs()
	for b.Loop() {
		o.Live()
	}
}

// BenchmarkChange is one event of a pod in a cluster with many applications.
func BenchmarkChange(b *testing.B) {
	for _, apps := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d applications", apps), func(b *testing.B) {
			state, names := newBench(), &interner{}
			state.onChange = func(Change) {}
			if err := fill(state, names, deploymentV1, apps*10, deploymentJSON); err != nil {
				b.Fatal(err)
			}
			if err := fill(state, names, podV1, apps*10, podJSON); err != nil {
				b.Fatal(err)
			}
			d := &decoder{gvk: podV1, strings: names}
			bodies := [][]byte{podJSON(7), []byte(strings.Replace(string(podJSON(7)), "Running", "Pending", 1))}
			for i := 0; b.Loop(); i++ {
				o, err := d.decode(bodies[i%2])
				if err != nil {
					b.Fatal(err)
				}
				o.ResourceVersion = fmt.Sprint(3_000_000 + i)
				state.watched(o)
			}
		})
	}
}
