package apply_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/plan"
	control "github.com/fairlead-cd/fairlead/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(control.Main(m)) }

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// target is the development cluster with what an Applier told it.
type target struct {
	*cluster.Cluster
	client    dynamic.Interface
	namespace string

	mu       sync.Mutex
	observed []string
}

func newTarget(t *testing.T) *target {
	t.Helper()
	c := control.ForTest(t)
	return reachedBy(t, c.RESTConfig(), c.Namespace(t))
}

// reachedBy is the cluster as it is reached in a certain way; what a test does
// by itself goes there straight.
func reachedBy(t testing.TB, config *rest.Config, namespace string) *target {
	t.Helper()
	live, err := cluster.New(cluster.Options{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(control.ForTest(t).RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	return &target{Cluster: live, client: client, namespace: namespace}
}

func (c *target) Resource(_ context.Context, gvk schema.GroupVersionKind) (cluster.Resource, error) {
	name, ok := map[string]string{
		"ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "Deployment": "deployments", "StatefulSet": "statefulsets",
		"CronJob": "cronjobs", "Job": "jobs", "PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods", "Namespace": "namespaces",
		"RoleBinding": "rolebindings", "CustomResourceDefinition": "customresourcedefinitions",
	}[gvk.Kind]
	if !ok {
		return cluster.Resource{}, cluster.ErrKindUnknown
	}
	clusterScoped := gvk.Kind == "Namespace" || gvk.Kind == "CustomResourceDefinition"
	return cluster.Resource{Kind: gvk, Name: name, Namespaced: !clusterScoped}, nil
}

func (c *target) Observe(obj *unstructured.Unstructured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.observed = append(c.observed, obj.GetName())
}

func (c *target) get(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	live, err := c.client.Resource(configMaps).Namespace(c.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func (c *target) step(t *testing.T, action plan.Action, text string) plan.Step {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	obj.SetNamespace(c.namespace)
	return plan.Step{Action: action, Reference: plan.ReferenceTo(obj), Desired: obj}
}

func TestAStageIsWrittenAndObserved(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	outcomes := apply.New(c, 2).Run(t.Context(), []plan.Step{
		c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}`),
		c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, unknown: field}`),
		c.step(t, plan.Create, `{apiVersion: example.com/v1, kind: Widget, metadata: {name: c}}`),
		c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}`),
	}, apply.Options{})
	if err := outcomes[0].Err; err != nil || outcomes[0].Message() != "configmap/a serverside-applied" {
		t.Errorf("a: %q, %v", outcomes[0].Message(), err)
	}
	if err := outcomes[1].Err; err == nil || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("b: %v, want an error that names the unknown field", err)
	}
	if err := outcomes[2].Err; !errors.Is(err, cluster.ErrKindUnknown) {
		t.Errorf("c: %v, want that the kind is unknown", err)
	}
	if outcomes[3].Err != nil || c.get(t, "d") == nil {
		t.Errorf("d: %v; one failure must not keep the others of a stage from being written", outcomes[3].Err)
	}
	slices.Sort(c.observed)
	if !slices.Equal(c.observed, []string{"a", "d"}) {
		t.Errorf("observed %q, want what was written", c.observed)
	}
	if managers := c.get(t, "a").GetManagedFields(); len(managers) != 1 || managers[0].Manager != apply.FieldManager {
		t.Errorf("managed by %v", managers)
	}
}

func TestUnknownFieldsAreAcceptedWithoutValidation(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, unknown: field}`)
	step.Options.SkipValidation = true
	outcomes := apply.New(c, 1).Run(t.Context(), []plan.Step{step}, apply.Options{})
	if outcomes[0].Err != nil || c.get(t, "a") == nil {
		t.Errorf("not written: %v", outcomes[0].Err)
	}
}

func TestADryRunStoresNothing(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	applier := apply.New(c, 1)
	step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}`)
	if outcome := applier.Run(t.Context(), []plan.Step{step}, apply.Options{DryRun: true})[0]; outcome.Err != nil {
		t.Fatal(outcome.Err)
	}
	predicted, err := applier.Predict(t.Context(), step.Desired)
	if err != nil || predicted.GetName() != "a" {
		t.Errorf("predicted %v, %v", predicted, err)
	}
	if c.get(t, "a") != nil || len(c.observed) != 0 {
		t.Errorf("a dry run stored or observed something: %q", c.observed)
	}
}

func TestFieldsOfClientSideApplyAreTakenOver(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	before := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1", y: "2"}}`).Desired
	live, err := c.client.Resource(configMaps).Namespace(c.namespace).Create(t.Context(), before, metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"})
	if err != nil {
		t.Fatal(err)
	}
	// Somebody writes meanwhile, so that what was compared is old.
	if _, err := c.client.Resource(configMaps).Namespace(c.namespace).Patch(t.Context(), "a", types.MergePatchType,
		[]byte(`{"data":{"z":"3"}}`), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	step := c.step(t, plan.Change, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}`)
	step.Live = live
	if outcome := apply.New(c, 1).Run(t.Context(), []plan.Step{step}, apply.Options{})[0]; outcome.Err != nil {
		t.Fatal(outcome.Err)
	}
	live = c.get(t, "a")
	data, _, _ := unstructured.NestedStringMap(live.Object, "data")
	if len(data) != 2 || data["x"] != "1" || data["z"] != "3" {
		t.Errorf("data %v; y was removed from Git and z is somebody's", data)
	}
	if left := compare.ClientSideManagers(live); len(left) != 0 {
		t.Errorf("fields are still owned by %q", left)
	}
}

func TestWhoseFieldsAreTakenOverIsAChoice(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		manager string
		options plan.Options
		left    int // of the fields x and y, of which Git still has x
	}{
		"client-side apply":         {manager: "kubectl-client-side-apply", left: 1},
		"left alone":                {manager: "kubectl-client-side-apply", options: plan.Options{KeepClientSide: true}, left: 2},
		"another manager":           {manager: "somebody", left: 2},
		"another manager, if named": {manager: "somebody", options: plan.Options{MigrateFrom: "somebody"}, left: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTarget(t)
			before := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1", y: "2"}}`).Desired
			live, err := c.client.Resource(configMaps).Namespace(c.namespace).Create(t.Context(), before, metav1.CreateOptions{FieldManager: test.manager})
			if err != nil {
				t.Fatal(err)
			}
			step := optioned(c.step(t, plan.Change, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}`), test.options)
			step.Live = live
			written := c.must(t, step, apply.Applied)
			if data, _, _ := unstructured.NestedStringMap(written.Object, "data"); len(data) != test.left {
				t.Errorf("data %v", data)
			}
		})
	}
}

func TestAPruneMeansOneObject(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	applier := apply.New(c, 1)
	created := applier.Run(t.Context(), []plan.Step{c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)}, apply.Options{})[0]
	if created.Err != nil {
		t.Fatal(created.Err)
	}
	prune := plan.Step{Action: plan.Prune, Reference: created.Reference, UID: "another"}
	if outcome := applier.Run(t.Context(), []plan.Step{prune}, apply.Options{})[0]; outcome.Err != nil || c.get(t, "a") == nil {
		t.Errorf("an object of the same name was deleted, or %v", outcome.Err)
	}
	prune.UID = created.Object.GetUID()
	prune.Options.Propagation = metav1.DeletePropagationBackground
	for range 2 { // the second time it is gone already
		if outcome := applier.Run(t.Context(), []plan.Step{prune}, apply.Options{})[0]; outcome.Err != nil || c.get(t, "a") != nil {
			t.Errorf("the object is still there, or %v", outcome.Err)
		}
	}
}

func TestStepsNotBegunReportTheEnd(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)
	for _, outcome := range apply.New(c, 1).Run(ctx, []plan.Step{step, step, step}, apply.Options{}) {
		if !errors.Is(outcome.Err, context.Canceled) {
			t.Errorf("outcome %v, want that the context ended", outcome.Err)
		}
	}
	if _, err := apply.New(c, 1).Predict(ctx, step.Desired); !errors.Is(err, context.Canceled) {
		t.Errorf("predicted with %v, want that the context ended", err)
	}
}
