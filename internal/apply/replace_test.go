package apply_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

var services = schema.GroupVersionResource{Version: "v1", Resource: "services"}

// run carries out one step.
func (c *target) run(t *testing.T, step plan.Step) apply.Outcome {
	t.Helper()
	return apply.New(c, 0).Run(t.Context(), []plan.Step{step}, apply.Options{})[0]
}

// must carries out one step that succeeds with a result.
func (c *target) must(t *testing.T, step plan.Step, want apply.Result) *unstructured.Unstructured {
	t.Helper()
	outcome := c.run(t, step)
	if outcome.Err != nil || outcome.Result != want {
		t.Fatalf("%s %s, want that it is %s", outcome.Reference, outcome.Message(), want)
	}
	return outcome.Object
}

func replacing(step plan.Step) plan.Step {
	step.Options.Replace = true
	return step
}

func TestReplaceWritesTheWholeObject(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	step := replacing(c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}`))
	made := c.must(t, step, apply.Created)
	if _, err := c.client.Resource(configMaps).Namespace(c.namespace).Patch(t.Context(), "a", types.MergePatchType,
		[]byte(`{"data":{"z":"3"}}`), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	// The plan is older than the object: it was to be created.
	written := c.must(t, step, apply.Replaced)
	data, _, _ := unstructured.NestedStringMap(c.get(t, "a").Object, "data")
	if len(data) != 1 || written.GetUID() != made.GetUID() {
		t.Errorf("data %v, uid %s after %s; what others added goes, the object stays", data, written.GetUID(), made.GetUID())
	}
	for _, entry := range written.GetManagedFields() {
		if entry.Manager != apply.FieldManager {
			t.Errorf("fields are managed by %s", entry.Manager)
		}
	}
	if len(c.observed) != 2 {
		t.Errorf("observed %q", c.observed)
	}
	step.Action = plan.Change
	step.Name, step.Desired = "b", step.Desired.DeepCopy()
	step.Desired.SetName("b")
	c.must(t, step, apply.Created) // it was deleted since it was compared
}

func TestAReplacedServiceKeepsItsAddress(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	step := replacing(c.step(t, plan.Create, `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`))
	before := c.must(t, step, apply.Created)
	_ = unstructured.SetNestedField(step.Desired.Object, map[string]any{"app": "shop"}, "spec", "selector")
	after := c.must(t, step, apply.Replaced)
	address := func(obj *unstructured.Unstructured) string {
		ip, _, _ := unstructured.NestedString(obj.Object, "spec", "clusterIP")
		return ip
	}
	if address(before) == "" || address(before) != address(after) {
		t.Errorf("address %q, then %q", address(before), address(after))
	}
}

func TestReplaceValidates(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	step := replacing(c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, unknown: field}`))
	if outcome := c.run(t, step); !refusedFor(outcome.Err, apply.Invalid, "unknown") {
		t.Errorf("got %v", outcome.Err)
	}
	step.Options.SkipValidation = true
	c.must(t, step, apply.Created)
	if outcome := apply.New(c, 0).Run(t.Context(), []plan.Step{step}, apply.Options{DryRun: true})[0]; outcome.Result != apply.Replaced || outcome.Err != nil {
		t.Errorf("a dry run says %s, %v", outcome.Result, outcome.Err)
	}
}
