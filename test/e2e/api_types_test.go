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
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

var (
	namespaceGVR = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	crdGVR       = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// testConfig returns how to reach the API server that the test runs against.
func testConfig(t *testing.T) *rest.Config {
	t.Helper()
	kubeconfig := os.Getenv("FAIRLEAD_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("FAIRLEAD_TEST_KUBECONFIG names no cluster")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// typesClient returns a client for a cluster that has the custom resources, as
// kubectl apply --server-side -f deploy/crds installs them.
func typesClient(t *testing.T, config *rest.Config) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../deploy/crds/*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatalf("found definitions %v: %v", files, err)
	}
	for _, file := range files {
		crd := readObject(t, file)
		if _, err := client.Resource(crdGVR).Apply(t.Context(), crd.GetName(), crd, metav1.ApplyOptions{FieldManager: "kubectl"}); err != nil {
			t.Fatalf("apply %s: %v", file, err)
		}
		waitEstablished(t, client, crd.GetName())
	}
	return client
}

func waitEstablished(t *testing.T, client dynamic.Interface, name string) {
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

func readObject(t *testing.T, file string) *unstructured.Unstructured {
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

// makeNamespace returns a fresh namespace that is removed with the test.
func makeNamespace(t *testing.T, client dynamic.Interface) string {
	t.Helper()
	ns := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"generateName": "api-types-"},
	}}
	created, err := client.Resource(namespaceGVR).Create(t.Context(), ns, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Resource(namespaceGVR).Delete(context.Background(), created.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Errorf("remove namespace: %v", err)
		}
	})
	return created.GetName()
}

func TestAPIServerKeepsEveryField(t *testing.T) {
	client := typesClient(t, testConfig(t))
	namespace := makeNamespace(t, client)
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
	client := typesClient(t, testConfig(t))
	namespace := makeNamespace(t, client)
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

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
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
