package e2e

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// widgets are a kind of objects that only one test has.
type widgets struct{ group string }

func newWidgets(t testing.TB) widgets {
	t.Helper()
	return widgets{group: strings.ReplaceAll(uniqueName("w"), "-", "") + ".example.com"}
}

func (w widgets) resource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: w.group, Version: "v1", Resource: "widgets"}
}

// definition is the manifest of the CustomResourceDefinition.
func (w widgets) definition() string {
	return objectYAML("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets."+w.group, "") + fmt.Sprintf(`spec:
  group: %s
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer, default: 1}, color: {type: string}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
    subresources: {status: {}}
`, w.group)
}

// widget is the manifest of an object of the kind.
func (w widgets) widget(name, color string) string {
	return objectYAML(w.group+"/v1", "Widget", name, "") + "spec: {color: " + color + "}\n"
}

// color reads a live widget.
func (w widgets) color(t testing.TB, a *application, name string) func() error {
	t.Helper()
	return func() error {
		found, err := a.dynamic.Resource(w.resource()).Namespace(a.into).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if color, _, _ := unstructured.NestedString(found.Object, "spec", "color"); color != "blue" {
			return fmt.Errorf("its color is %q", color)
		}
		return nil
	}
}

// forget removes the definition at the end of the test.
func (w widgets) forget(t testing.TB, c *controlPlane) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := cleanupContext()
		defer cancel()
		_ = c.dynamic.Resource(crdGVR).Delete(ctx, "widgets."+w.group, metav1.DeleteOptions{})
	})
}

func TestAKindAndItsObjectsMayComeInOneApplication(t *testing.T) {
	t.Parallel()
	w := newWidgets(t)
	a := shared(t).deploy(t, map[string]string{
		"crd.yaml": w.definition(), "one.yaml": w.widget("one", "blue"), "two.yaml": configMapYAML("two"),
	}, automated)
	w.forget(t, a.controlPlane)
	app := a.await(t, synced, healthy, noConditions, operationIs(v1alpha1.OperationSucceeded))
	if err := w.color(t, a, "one")(); err != nil {
		t.Error(err)
	}
	if len(app.Status.History) != 1 {
		t.Errorf("it took %d syncs", len(app.Status.History))
	}
	t.Run("and are watched from then on", func(t *testing.T) {
		objects := a.dynamic.Resource(w.resource()).Namespace(a.into)
		if err := objects.Delete(t.Context(), "one", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		a.awaitWithin(t, soon, outOfSync, resourceIs("Widget", "one", v1alpha1.SyncStatusCodeOutOfSync))
		a.patch(t, `{"spec": {"syncPolicy": {"automated": {"selfHeal": true}}}}`)
		eventually(t, "the widget", w.color(t, a, "one"))
		a.await(t, synced)
	})
}

func TestAnApplicationWaitsForAKindThatIsDefinedLater(t *testing.T) {
	t.Parallel()
	w := newWidgets(t)
	a := shared(t).deploy(t, map[string]string{"one.yaml": w.widget("one", "blue")}, automated)
	a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown),
		hasCondition(v1alpha1.ApplicationConditionComparisonError, "app/one.yaml", "Widget", w.group))
	a.othersSync(t)

	definition := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(w.definition()), &definition.Object); err != nil {
		t.Fatal(err)
	}
	w.forget(t, a.controlPlane)
	if _, err := a.dynamic.Resource(crdGVR).Create(t.Context(), definition, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	a.awaitWithin(t, soon, synced, healthy, noConditions)
	if err := w.color(t, a, "one")(); err != nil {
		t.Error(err)
	}
}
