package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// refusedFor says that an error is a refusal of that reason whose sentence has
// all the words.
func refusedFor(err error, reason apply.Reason, words ...string) bool {
	refusal, ok := errors.AsType[*apply.Refusal](err)
	if !ok || refusal.Reason != reason {
		return false
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			return false
		}
	}
	return true
}

// immutables are objects, and changes of them that the API server refuses, with
// the field that it names.
var immutables = map[string]struct {
	object string
	change []any // path and value
	field  string
}{
	"the selector of a Deployment": {
		object: deploymentText(), field: "spec.selector",
		change: []any{map[string]any{"app": "shop", "a": "b"}, "spec", "selector", "matchLabels"},
	},
	"the service of a StatefulSet": {
		object: "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: shop}, spec: {replicas: 0, serviceName: a, selector: {matchLabels: {app: shop}}, template: " +
			strings.Replace(podTemplate, "%s", "Always", 1) + "}}",
		change: []any{"b", "spec", "serviceName"}, field: "spec.serviceName",
	},
	"the template of a Job": {
		object: "{apiVersion: batch/v1, kind: Job, metadata: {name: shop}, spec: {suspend: true, backoffLimit: 1, template: " +
			strings.Replace(podTemplate, "%s", "Never", 1) + "}}",
		change: []any{"OnFailure", "spec", "template", "spec", "restartPolicy"}, field: "spec.template",
	},
	"the data of an immutable ConfigMap": {
		object: `{apiVersion: v1, kind: ConfigMap, metadata: {name: shop}, immutable: true, data: {a: b}}`,
		change: []any{"c", "data", "a"}, field: "data",
	},
	"the data of an immutable Secret": {
		object: `{apiVersion: v1, kind: Secret, metadata: {name: shop}, immutable: true, data: {a: aHVudGVy}}`,
		change: []any{"aHVudGVyMg==", "data", "a"}, field: "data",
	},
	"the role of a RoleBinding": {
		object: `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: a}}`,
		change: []any{"b", "roleRef", "name"}, field: "roleRef",
	},
	"the access of a claim": {
		object: `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: shop}, spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`,
		change: []any{"other", "spec", "storageClassName"}, field: "spec.storageClassName",
	},
}

func TestWhatCannotBeChangedIsMadeAnewByForce(t *testing.T) {
	t.Parallel()
	for name, test := range immutables {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTarget(t)
			step := c.step(t, plan.Create, test.object)
			before := c.must(t, step, apply.Applied)
			step.Action = plan.Change
			path := make([]string, 0, len(test.change)-1)
			for _, field := range test.change[1:] {
				path = append(path, field.(string))
			}
			if err := unstructured.SetNestedField(step.Desired.Object, test.change[0], path...); err != nil {
				t.Fatal(err)
			}
			if test.field == "spec.selector" {
				_ = unstructured.SetNestedField(step.Desired.Object, "b", "spec", "template", "metadata", "labels", "a")
			}
			outcome := c.run(t, step)
			if !refusedFor(outcome.Err, apply.Immutable, test.field, "Force=true,Replace=true", "argocd.argoproj.io/sync-options", outcome.Reference.String()) {
				t.Errorf("without Force: %v", outcome.Err)
			}
			// A replaced Job lacks what was generated for it, which is wrong in another way.
			if outcome := c.run(t, replacing(step)); !refusedFor(outcome.Err, apply.Immutable, test.field) && step.Kind != "Job" {
				t.Errorf("with Replace alone: %v", outcome.Err)
			}
			step.Options.Force = true
			step.Options.Propagation = metav1.DeletePropagationBackground
			if outcome := apply.New(c, 0).Run(t.Context(), []plan.Step{step}, apply.Options{DryRun: true})[0]; outcome.Err != nil || outcome.Result != apply.Recreated {
				t.Errorf("a dry run of Force: %s", outcome.Message())
			}
			after := c.must(t, step, apply.Recreated)
			if after.GetUID() == before.GetUID() {
				t.Error("it is the same object")
			}
		})
	}
}

func TestForceChangesInPlaceWhereItCan(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}`)
	step.Options.Force = true
	before := c.must(t, step, apply.Applied)
	_ = unstructured.SetNestedField(step.Desired.Object, "2", "data", "x")
	if after := c.must(t, step, apply.Applied); after.GetUID() != before.GetUID() {
		t.Error("it was made anew without need")
	}
	anew := c.must(t, replacing(step), apply.Recreated)
	if anew.GetUID() == before.GetUID() {
		t.Error("Force and Replace together make it anew in any case")
	}
	if outcome := c.run(t, replacing(step)); outcome.Message() != "configmap/a deleted and created anew" {
		t.Errorf("the message is %q", outcome.Message())
	}
}

func TestForceDeletesNothingThatCouldNotBeMadeAnew(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	step := c.step(t, plan.Create, deploymentText())
	before := c.must(t, step, apply.Applied)
	step.Options.Force = true
	_ = unstructured.SetNestedStringMap(step.Desired.Object, map[string]string{"app": "other"}, "spec", "selector", "matchLabels")
	if outcome := c.run(t, step); !refusedFor(outcome.Err, apply.Invalid, "spec.template.metadata.labels") {
		t.Errorf("got %v; the selector does not fit the labels", outcome.Err)
	}
	live, err := c.client.Resource(deployments).Namespace(c.namespace).Get(t.Context(), "shop", metav1.GetOptions{})
	if err != nil || live.GetUID() != before.GetUID() {
		t.Errorf("the deployment is gone: %v", err)
	}

	namespace := plan.Step{Action: plan.Change, Desired: manifest(t, "{apiVersion: v1, kind: Namespace, metadata: {name: "+c.namespace+", labels: {a: b}}}")}
	namespace.Reference = plan.ReferenceTo(namespace.Desired)
	namespace.Options = plan.Options{Force: true, Replace: true}
	c.must(t, namespace, apply.Replaced) // everything in it would go
}

func TestAFinalizerThatNeverEndsIsNamed(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/never]}, data: {x: "1"}}`)
	before := c.must(t, step, apply.Applied)
	step.Options = plan.Options{Force: true, Replace: true}
	applier := apply.New(c, 1)
	waiting, cancel := context.WithCancel(t.Context())
	done := make(chan apply.Outcome, 1)
	go func() { done <- applier.Run(waiting, []plan.Step{step}, apply.Options{})[0] }()
	c.until(t, "a", func(obj *unstructured.Unstructured) bool { return obj.GetDeletionTimestamp() != nil })
	// Nobody else has to wait for it, although there is one place.
	other := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`)
	if outcome := applier.Run(t.Context(), []plan.Step{other}, apply.Options{})[0]; outcome.Err != nil {
		t.Errorf("another write: %v", outcome.Err)
	}
	cancel()
	if outcome := <-done; !errors.Is(outcome.Err, context.Canceled) {
		t.Errorf("after the end: %v", outcome.Err)
	}

	hasty := applier.Patient(3, time.Minute, 100*time.Millisecond)
	outcome := hasty.Run(t.Context(), []plan.Step{step}, apply.Options{})[0]
	if !refusedFor(outcome.Err, apply.Held, "configmap/a", "example.com/never") {
		t.Errorf("got %v, want the finalizer named", outcome.Err)
	}
	go func() { done <- applier.Run(t.Context(), []plan.Step{step}, apply.Options{})[0] }()
	for range 2 {
		if err := applier.RemoveFinalizer(t.Context(), step.Reference, before.GetUID(), "example.com/never"); err != nil {
			t.Error(err)
		}
	}
	if outcome := <-done; outcome.Err != nil || outcome.Object.GetUID() == before.GetUID() {
		t.Errorf("once the finalizer is gone: %s", outcome.Message())
	}
}

// until waits for a state of a ConfigMap.
func (c *target) until(t *testing.T, name string, is func(*unstructured.Unstructured) bool) {
	t.Helper()
	for !is(c.get(t, name)) {
		pause(t)
	}
}

// pause lets a moment pass before one looks again.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test ended")
	case <-time.After(10 * time.Millisecond):
	}
}

func TestOneFinalizerIsRemoved(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	applier := apply.New(c, 0)
	made := c.must(t, c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/one, example.com/two]}}`), apply.Applied)
	ref := plan.ReferenceTo(made)
	if err := applier.RemoveFinalizer(t.Context(), ref, "another", "example.com/one"); err != nil {
		t.Error(err)
	}
	if len(c.get(t, "a").GetFinalizers()) != 2 {
		t.Error("the finalizer of another object was removed")
	}
	for range 2 {
		if err := applier.RemoveFinalizer(t.Context(), ref, made.GetUID(), "example.com/one"); err != nil {
			t.Error(err)
		}
	}
	if left := c.get(t, "a").GetFinalizers(); len(left) != 1 || left[0] != "example.com/two" {
		t.Errorf("left are %q", left)
	}
	ref.Name = "gone"
	if err := applier.RemoveFinalizer(t.Context(), ref, types.UID("x"), "example.com/one"); err != nil {
		t.Errorf("an object that is gone: %v", err)
	}
}

func TestPrunesPropagateAsAsked(t *testing.T) {
	t.Parallel()
	for propagation, orphaned := range map[metav1.DeletionPropagation]bool{
		metav1.DeletePropagationOrphan: true, metav1.DeletePropagationBackground: false, metav1.DeletePropagationForeground: false,
	} {
		t.Run(string(propagation), func(t *testing.T) {
			t.Parallel()
			c := newTarget(t)
			owner := c.must(t, c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: owner}}`), apply.Applied)
			child := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: child}}`)
			owns := true
			child.Desired.SetOwnerReferences([]metav1.OwnerReference{{
				APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.GetUID(), BlockOwnerDeletion: &owns,
			}})
			c.must(t, child, apply.Applied)
			c.must(t, plan.Step{Action: plan.Prune, Reference: plan.ReferenceTo(owner), UID: owner.GetUID(), Options: plan.Options{Propagation: propagation}}, apply.Pruned)
			c.until(t, "owner", func(obj *unstructured.Unstructured) bool { return obj == nil })
			c.until(t, "child", func(obj *unstructured.Unstructured) bool {
				return orphaned && len(obj.GetOwnerReferences()) == 0 || !orphaned && obj == nil
			})
		})
	}
}
