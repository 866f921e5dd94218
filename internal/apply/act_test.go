package apply_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/action"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	cronJobs    = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "cronjobs"}
	jobs        = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	claims      = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
)

const podTemplate = `{metadata: {labels: {app: shop}}, spec: {restartPolicy: %s, containers: [{name: web, image: "registry.example.com/shop:1"}]}}`

func manifest(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	return obj
}

func (c *target) make(t *testing.T, kind schema.GroupVersionResource, text string) (*unstructured.Unstructured, dynamic.ResourceInterface) {
	t.Helper()
	client := c.client.Resource(kind).Namespace(c.namespace)
	made, err := client.Create(t.Context(), manifest(t, text), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made, client
}

func deploymentText() string {
	return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: shop}, spec: {replicas: 0, selector: {matchLabels: {app: shop}}, template: " +
		strings.Replace(podTemplate, "%s", "Always", 1) + "}}"
}

// catalog runs an action on a live object.
func runner(t *testing.T, name string, params map[string]string) func(*unstructured.Unstructured) ([]action.Change, error) {
	t.Helper()
	catalog := action.New(func() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }, nil)
	return func(live *unstructured.Unstructured) ([]action.Change, error) {
		return catalog.Run(t.Context(), live, name, params)
	}
}

func TestAnActionPatchesItsObject(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	made, client := c.make(t, deployments, deploymentText())
	applier := apply.New(c, 1)
	if _, err := applier.Act(t.Context(), plan.ReferenceTo(made), runner(t, "scale", map[string]string{"replicas": "2"})); err != nil {
		t.Fatal(err)
	}
	written, err := applier.Act(t.Context(), plan.ReferenceTo(made), runner(t, "restart", nil))
	if err != nil || len(written) != 1 {
		t.Fatalf("wrote %v, %v", written, err)
	}
	live, err := client.Get(t.Context(), "shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	replicas, _, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
	at, _, _ := unstructured.NestedString(live.Object, "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")
	if replicas != 2 || at != "2026-03-01T10:00:00Z" {
		t.Errorf("replicas %d, restarted at %q", replicas, at)
	}
	managed := false
	for _, entry := range live.GetManagedFields() {
		managed = managed || entry.Manager == apply.ActionManager && entry.Operation == metav1.ManagedFieldsOperationUpdate
	}
	if !managed {
		t.Errorf("fields are managed by %v", live.GetManagedFields())
	}
	if len(c.observed) != 2 {
		t.Errorf("observed %q", c.observed)
	}
}

func TestAnActionCreatesObjects(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	made, _ := c.make(t, cronJobs, "{apiVersion: batch/v1, kind: CronJob, metadata: {name: shop}, spec: {schedule: 0 3 * * *, suspend: true, jobTemplate: {metadata: {labels: {a: b}}, spec: {template: "+
		strings.Replace(podTemplate, "%s", "Never", 1)+"}}}}")
	written, err := apply.New(c, 1).Act(t.Context(), plan.ReferenceTo(made), runner(t, "create-job", nil))
	if err != nil || len(written) != 1 {
		t.Fatalf("wrote %v, %v", written, err)
	}
	job, err := c.client.Resource(jobs).Namespace(c.namespace).Get(t.Context(), written[0].GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if owners := job.GetOwnerReferences(); len(owners) != 1 || owners[0].UID != made.GetUID() || job.GetLabels()["a"] != "b" {
		t.Errorf("the job is %v", job.Object["metadata"])
	}
}

func TestAnActionIsComputedAnewWhenItsObjectChanged(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	made, client := c.make(t, configMaps, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {count: "1"}}`)
	runs := 0
	_, err := apply.New(c, 1).Act(t.Context(), plan.ReferenceTo(made), func(live *unstructured.Unstructured) ([]action.Change, error) {
		if runs++; runs == 1 {
			other := live.DeepCopy()
			_ = unstructured.SetNestedField(other.Object, "somebody", "data", "by")
			if _, err := client.Update(t.Context(), other, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		after := live.DeepCopy()
		_ = unstructured.SetNestedField(after.Object, "2", "data", "count")
		return []action.Change{{Operation: action.Patch, Object: after}}, nil
	})
	if err != nil || runs != 2 {
		t.Fatalf("after %d runs: %v", runs, err)
	}
	data, _, _ := unstructured.NestedStringMap(c.get(t, "a").Object, "data")
	if data["count"] != "2" || data["by"] != "somebody" {
		t.Errorf("data %v", data)
	}
}

func TestAnActionWritesTheStatusWhereItIs(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	made, client := c.make(t, claims, `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`)
	_, err := apply.New(c, 1).Act(t.Context(), plan.ReferenceTo(made), func(live *unstructured.Unstructured) ([]action.Change, error) {
		after := live.DeepCopy()
		after.SetLabels(map[string]string{"a": "b"})
		conditions := []any{map[string]any{"type": "Resizing", "status": "True"}}
		_ = unstructured.SetNestedSlice(after.Object, conditions, "status", "conditions")
		return []action.Change{{Operation: action.Patch, Object: after}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	live, err := client.Get(t.Context(), "data", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions"); len(conditions) != 1 || live.GetLabels()["a"] != "b" {
		t.Errorf("status %v, labels %v", live.Object["status"], live.GetLabels())
	}
}

func TestAnActionThatIsRefusedWritesNothing(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	made, _ := c.make(t, configMaps, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)
	applier := apply.New(c, 1)
	refusal := errors.New("the project does not permit it")
	if _, err := applier.Act(t.Context(), plan.ReferenceTo(made), func(*unstructured.Unstructured) ([]action.Change, error) { return nil, refusal }); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
	if _, err := applier.Act(t.Context(), plan.Reference{Version: "v1", Kind: "ConfigMap", Namespace: c.namespace, Name: "gone"}, nil); !apierrors.IsNotFound(err) {
		t.Errorf("an object that does not exist: %v", err)
	}
	if len(c.observed) != 0 {
		t.Errorf("observed %q", c.observed)
	}
}
