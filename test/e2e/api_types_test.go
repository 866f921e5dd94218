package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

var crdGVR = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

func waitEstablished(t testing.TB, client dynamic.Interface, name string) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		crd, err := client.Resource(crdGVR).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions") // null at first
		for _, c := range conditions {
			if condition, _ := c.(map[string]any); condition["type"] == "Established" && condition["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		t.Fatalf("%s was not established: %v", name, err)
	}
}

func readObject(t testing.TB, file string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(data); err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
	return object
}

// resourceOf returns the resource that objects of a kind are served under.
func resourceOf(kind string) schema.GroupVersionResource {
	return v1alpha1.SchemeGroupVersion.WithResource(strings.ToLower(kind) + "s")
}

func TestAPIServerKeepsEveryField(t *testing.T) {
	t.Parallel()
	plane := connect(t)
	client, namespace := plane.dynamic, plane.cluster.Namespace(t)
	files, err := filepath.Glob("../../api/v1alpha1/testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no objects: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := readObject(t, file)
			want.SetNamespace(namespace)
			want.SetFinalizers(nil) // so that the namespace can go
			resource := client.Resource(resourceOf(want.GetKind())).Namespace(namespace)
			got, err := resource.Create(t.Context(), want, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
			if err != nil {
				t.Fatal(err)
			}
			if want.GetKind() == v1alpha1.ApplicationSetKind { // the status is a subresource
				withStatus := want.DeepCopy()
				withStatus.SetResourceVersion(got.GetResourceVersion())
				if _, err = resource.UpdateStatus(t.Context(), withStatus, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if got, err = resource.Get(t.Context(), want.GetName(), metav1.GetOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, lost := range lostValues("", want.Object, got.Object) {
				t.Error(lost)
			}

			// What the Go types make of the answer is taken as it is, too.
			typed := typedObject(want.GetKind())
			if err := json.Unmarshal(mustJSON(t, got), typed); err != nil {
				t.Fatal(err)
			}
			rewritten := &unstructured.Unstructured{}
			if err := rewritten.UnmarshalJSON(mustJSON(t, typed)); err != nil {
				t.Fatal(err)
			}
			if got, err = resource.Update(t.Context(), rewritten, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
				t.Fatal(err)
			}
			for _, lost := range lostValues("", want.Object, got.Object) {
				t.Errorf("after an update: %s", lost)
			}
		})
	}
}

func TestAPIServerRefusesWhatIsInvalid(t *testing.T) {
	t.Parallel()
	plane := connect(t)
	client, namespace := plane.dynamic, plane.cluster.Namespace(t)
	for name, test := range map[string]struct {
		kind, spec, complaint string
	}{
		"an application without a project": {
			"Application", `{"destination": {}}`, "spec.project: Required value",
		},
		"rendered manifests in the root of a repository": {
			"Application", `{"project": "p", "destination": {}, "sourceHydrator": {
				"drySource": {"repoURL": "r", "targetRevision": "t", "path": "p"},
				"syncSource": {"targetBranch": "b", "path": "."}}}`, "spec.sourceHydrator.syncSource.path",
		},
		"a number in place of text": {
			"Application", `{"project": 1, "destination": {}}`, "spec.project: Invalid value",
		},
		"a description beyond 255 characters": {
			"AppProject", fmt.Sprintf(`{"description": %q}`, strings.Repeat("x", 256)), "spec.description: Too long",
		},
		"an unknown policy of an application set": {
			"ApplicationSet", `{"generators": [], "syncPolicy": {"applicationsSync": "never"},
				"template": {"metadata": {}, "spec": {"project": "p", "destination": {}}}}`,
			"spec.syncPolicy.applicationsSync: Unsupported value",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var spec map[string]any
			if err := json.Unmarshal([]byte(test.spec), &spec); err != nil {
				t.Fatal(err)
			}
			object := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": test.kind,
				"metadata": map[string]any{"name": "invalid"}, "spec": spec,
			}}
			_, err := client.Resource(resourceOf(test.kind)).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{})
			if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), test.complaint) {
				t.Errorf("got error %v, want one with %q", err, test.complaint)
			}
		})
	}
}

func typedObject(kind string) any {
	switch kind {
	case v1alpha1.ApplicationKind:
		return &v1alpha1.Application{}
	case v1alpha1.AppProjectKind:
		return &v1alpha1.AppProject{}
	default:
		return &v1alpha1.ApplicationSet{}
	}
}

// lostValues names every value of want that got does not have at the same place.
func lostValues(path string, want, got any) []string {
	switch want := want.(type) {
	case map[string]any:
		if object, ok := got.(map[string]any); ok {
			var lost []string
			for key, value := range want {
				lost = append(lost, lostValues(path+"."+key, value, object[key])...)
			}
			return lost
		}
	case []any:
		if list, ok := got.([]any); ok && len(list) == len(want) {
			var lost []string
			for i, value := range want {
				lost = append(lost, lostValues(fmt.Sprintf("%s[%d]", path, i), value, list[i])...)
			}
			return lost
		}
	}
	if reflect.DeepEqual(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: want %v, got %v", path, want, got)}
}
