package apply_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
	control "github.com/fairlead-cd/fairlead/test/cluster"
)

const benchObjects = 800

// benchSteps are ConfigMaps and, every fourth, Deployments without pods.
func benchSteps(b *testing.B, namespace, prefix string) (steps []plan.Step) {
	b.Helper()
	for i := range benchObjects {
		text := fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "%d", y: "some text"}}`, i)
		if i%4 == 0 {
			text = deploymentText()
		}
		obj := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
			b.Fatal(err)
		}
		obj.SetName(fmt.Sprintf("%s-%d", prefix, i))
		obj.SetNamespace(namespace)
		steps = append(steps, plan.Step{Action: plan.Create, Reference: plan.ReferenceTo(obj), Desired: obj})
	}
	return steps
}

// floor applies by 16 workers with nothing around it.
func (c *target) floor(b *testing.B, steps []plan.Step) time.Duration {
	b.Helper()
	begun := time.Now()
	work := make(chan plan.Step)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			force := true
			for step := range work {
				body, err := json.Marshal(step.Desired.Object)
				if err == nil {
					resource := map[string]schema.GroupVersionResource{"ConfigMap": configMaps, "Deployment": deployments}[step.Kind]
					_, err = c.client.Resource(resource).Namespace(step.Namespace).Patch(b.Context(), step.Name, types.ApplyPatchType, body,
						metav1.PatchOptions{FieldManager: "floor", Force: &force})
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, step := range steps {
		work <- step
	}
	close(work)
	wg.Wait()
	return time.Since(begun)
}

// BenchmarkApply creates 800 objects, and prints how the time compares to that
// of 16 workers which apply others of their kind, in turns, in the same run. The
// parameter is how many requests are under way at most; 0 is the usual.
func BenchmarkApply(b *testing.B) {
	for _, most := range []int{0, 4, 8, 16, 32, 64, 100} {
		b.Run(fmt.Sprintf("most=%d", most), func(b *testing.B) {
			server := control.ForTest(b)
			var ours, floor time.Duration
			for i := range b.N {
				c := reachedBy(b, server.RESTConfig(), server.Namespace(b))
				floor += c.floor(b, benchSteps(b, c.namespace, fmt.Sprintf("floor-%d", i)))
				steps := benchSteps(b, c.namespace, fmt.Sprintf("ours-%d", i))
				applier := apply.New(c, most)
				begun := time.Now()
				for _, outcome := range applier.Run(b.Context(), steps, apply.Options{}) {
					if outcome.Err != nil {
						b.Fatal(outcome.Err)
					}
				}
				ours += time.Since(begun)
			}
			b.ReportMetric(ours.Seconds()/float64(b.N), "s/800")
			b.ReportMetric(ours.Seconds()/floor.Seconds(), "floors")
			b.ReportMetric(0, "ns/op")
		})
	}
}
