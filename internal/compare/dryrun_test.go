package compare_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(cluster.Main(m)) }

// server is the development cluster, as an apply sees it.
type server struct {
	client    dynamic.Interface
	mapper    meta.RESTMapper
	comparer  *compare.Comparer
	namespace string
	widget    *apiextensionsv1.CustomResourceDefinition
}

func newServer(t *testing.T) *server {
	t.Helper()
	c := cluster.ForTest(t)
	client, err := dynamic.NewForConfig(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	finder, err := discovery.NewDiscoveryClientForConfig(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	s := &server{client: client, comparer: compare.New("argocd-controller"), namespace: c.Namespace(t)}
	s.installWidget(t)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(finder))
	kind := schema.GroupKind{Group: s.widget.Spec.Group, Kind: s.widget.Spec.Names.Kind}
	err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		mapper.Reset()
		_, err := mapper.RESTMapping(kind, "v1")
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("the definition is not served: %v", err)
	}
	s.mapper = mapper
	return s
}

// installWidget installs a definition that uses what definitions offer.
func (s *server) installWidget(t *testing.T) {
	t.Helper()
	definition := readObject(t, "widget-crd.yaml")
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	if _, err := s.client.Resource(crds).Create(t.Context(), definition, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	s.widget = &apiextensionsv1.CustomResourceDefinition{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(definition.Object, s.widget); err != nil {
		t.Fatal(err)
	}
}

func (s *server) resource(t *testing.T, obj *unstructured.Unstructured) dynamic.ResourceInterface {
	t.Helper()
	gvk := obj.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		t.Fatal(err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return s.client.Resource(mapping.Resource).Namespace(s.namespace)
	}
	return s.client.Resource(mapping.Resource)
}

func (s *server) apply(t *testing.T, obj *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	t.Helper()
	body, err := json.Marshal(obj.Object)
	if err != nil {
		t.Fatal(err)
	}
	force := true
	options := metav1.PatchOptions{FieldManager: "argocd-controller", Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return s.resource(t, obj).Patch(t.Context(), obj.GetName(), types.ApplyPatchType, body, options)
}

func (s *server) schemaOf(t *testing.T, obj *unstructured.Unstructured) *compare.Schema {
	t.Helper()
	if obj.GroupVersionKind().Group != s.widget.Spec.Group {
		return nil
	}
	made, err := s.comparer.SchemaOf(s.widget, obj.GroupVersionKind().Version)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// samples are the objects of the file, with the namespace of the test.
func (s *server) samples(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "objects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for document := range strings.SplitSeq(string(raw), "\n---\n") {
		obj := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &obj.Object); err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		mapping, err := s.mapper.RESTMapping(obj.GroupVersionKind().GroupKind(), obj.GroupVersionKind().Version)
		if err != nil {
			t.Fatal(err)
		}
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			obj.SetNamespace(s.namespace)
		} else {
			obj.SetName(s.namespace + "-" + obj.GetName())
		}
		out = append(out, obj)
	}
	return out
}

func readObject(t *testing.T, file string) *unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(raw, &obj.Object); err != nil {
		t.Fatal(err)
	}
	return obj
}

// What was just applied compares as synced, whatever the API server filled in,
// and without asking it again.
func TestWhatWasAppliedIsSynced(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, desired := range s.samples(t) {
		t.Run(desired.GetKind()+" "+desired.GetName(), func(t *testing.T) {
			live, err := s.apply(t, desired, false)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.remove(t, desired) })
			result, err := s.comparer.Compare(compare.Pair{Desired: desired, Live: live, Schema: s.schemaOf(t, desired)})
			if err != nil {
				t.Fatal(err)
			}
			if !result.Synced() {
				t.Errorf("differs in %q, certain %v", result.Fields(), result.Certain)
			}
		})
	}
}

// An object that others created on the client's side compares as synced when it
// is as desired, and its removed fields are seen.
func TestWhatWasAppliedOnTheClientsSideIsSynced(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, desired := range s.samples(t) {
		t.Run(desired.GetKind()+" "+desired.GetName(), func(t *testing.T) {
			before := desired.DeepCopy()
			before.SetAnnotations(nil)
			before.SetLabels(map[string]string{"was": "here"})
			before.SetName(before.GetName() + "-client")
			applied, err := json.Marshal(before.Object)
			if err != nil {
				t.Fatal(err)
			}
			annotations := map[string]string{"kubectl.kubernetes.io/last-applied-configuration": string(applied)}
			before.SetAnnotations(annotations)
			live, err := s.resource(t, before).Create(t.Context(), before, metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.remove(t, before) })
			desired := desired.DeepCopy()
			desired.SetName(before.GetName())
			desired.SetAnnotations(nil)
			desired.SetLabels(map[string]string{"was": "here"})
			pair := compare.Pair{Desired: desired, Live: live, Schema: s.schemaOf(t, desired)}
			if result, err := s.comparer.Compare(pair); err != nil || !result.Synced() {
				t.Errorf("differs in %q, certain %v, error %v", result.Fields(), result.Certain, err)
			}
			desired.SetLabels(nil)
			result, err := s.comparer.Compare(pair)
			if want := []string{".metadata.labels.was"}; err != nil || !slices.Equal(result.Fields(), want) || !result.Certain {
				t.Errorf("differs in %q, want %q; certain %v, error %v", result.Fields(), want, result.Certain, err)
			}
		})
	}
}

func (s *server) remove(t *testing.T, obj *unstructured.Unstructured) {
	t.Helper()
	if err := s.resource(t, obj).Delete(context.WithoutCancel(t.Context()), obj.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}

// For random pairs of desired and live objects, "synced" is said if and only if
// a dry run on the API server changes nothing.
func TestComparisonAgreesWithTheAPIServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const rounds = 40
	var pairs, differing, doubtful, refused int
	for i, sample := range s.samples(t) {
		t.Run(sample.GetKind()+" "+sample.GetName(), func(t *testing.T) {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			sample.SetName(sample.GetName() + "-random")
			t.Cleanup(func() { s.remove(t, sample) })
			for round := range rounds {
				applied, desired := mutated(sample, random, round%3), mutated(sample, random, round%4)
				if _, err := s.apply(t, applied, false); err != nil {
					refused++
					continue
				}
				s.edit(t, sample, random)
				live, err := s.resource(t, sample).Get(t.Context(), sample.GetName(), metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				predicted, err := s.apply(t, desired, true)
				if err != nil {
					refused++ // no valid pair
					continue
				}
				if later, err := s.resource(t, sample).Get(t.Context(), sample.GetName(), metav1.GetOptions{}); err != nil || later.GetResourceVersion() != live.GetResourceVersion() {
					refused++ // a controller wrote meanwhile, and the dry run saw another object
					continue
				}
				pair := compare.Pair{Desired: desired, Live: live, Schema: s.schemaOf(t, sample)}
				truth, err := s.comparer.Between(pair, predicted)
				if err != nil {
					t.Fatal(err)
				}
				result, err := s.comparer.Compare(pair)
				if err != nil {
					t.Fatal(err)
				}
				pairs++
				if !truth.Synced() {
					differing++
				}
				if !result.Certain {
					doubtful++
				}
				if result.Synced() != truth.Synced() && result.Certain {
					t.Errorf("round %d: compared as %q, but a dry run changes %q\ndesired %s\nlive %s", round, result.Fields(), truth.Fields(), text(desired), text(live))
				}
			}
		})
	}
	t.Logf("%d pairs, of which %d differ and %d needed the dry run; %d were no valid objects", pairs, differing, doubtful, refused)
	if pairs < 300 || differing < pairs/5 || differing > pairs*19/20 {
		t.Errorf("%d pairs with %d that differ do not prove much", pairs, differing)
	}
}

// edit lets somebody else change the live object, with another manager.
func (s *server) edit(t *testing.T, sample *unstructured.Unstructured, random *rand.Rand) {
	t.Helper()
	live, err := s.resource(t, sample).Get(t.Context(), sample.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.resource(t, sample).Update(t.Context(), mutated(live, random, random.IntN(3)), metav1.UpdateOptions{FieldManager: "kubectl-edit"})
	if err != nil && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) && !apierrors.IsConflict(err) {
		var status apierrors.APIStatus
		if !errors.As(err, &status) {
			t.Fatal(err)
		}
	}
}

func text(obj *unstructured.Unstructured) string {
	out, err := json.Marshal(obj.Object)
	if err != nil {
		return fmt.Sprint(obj.Object)
	}
	return string(out)
}

// mutated returns a copy of an object with some changes: other values, other
// spellings of the same value, removed fields, reordered lists.
func mutated(obj *unstructured.Unstructured, random *rand.Rand, changes int) *unstructured.Unstructured {
	out := obj.DeepCopy()
	for range changes {
		var places []func()
		collect(out.Object, nil, random, &places)
		if len(places) > 0 {
			places[random.IntN(len(places))]()
		}
	}
	return out
}

// collect gathers what could be changed below a value.
func collect(node any, path []string, random *rand.Rand, places *[]func()) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range sortedKeys(node) {
			child := node[key]
			at := append(slices.Clone(path), key)
			if len(at) == 1 && slices.Contains([]string{"apiVersion", "kind", "status"}, key) ||
				len(at) == 2 && at[0] == "metadata" && !slices.Contains([]string{"labels", "annotations"}, key) {
				continue
			}
			if len(at) > 1 {
				*places = append(*places, func() { delete(node, key) })
			}
			if next, ok := changed(child, random); ok {
				*places = append(*places, func() { node[key] = next })
			}
			collect(child, at, random, places)
		}
		if len(path) > 0 && slices.Contains([]string{"labels", "annotations", "data", "matchLabels", "limits"}, path[len(path)-1]) {
			*places = append(*places, func() { node["more"] = "1" })
		}
	case []any:
		for i, child := range node {
			if next, ok := changed(child, random); ok {
				*places = append(*places, func() { node[i] = next })
			}
			collect(child, append(slices.Clone(path), "[]"), random, places)
		}
		if len(node) > 1 {
			*places = append(*places, func() { node[0], node[1] = node[1], node[0] })
		}
	}
}

// spellings are values and what else may stand for them, or a little different.
var spellings = map[string][]string{
	"1": {"1000m", "2"}, "500m": {"0.5", "600m"}, "1Gi": {"1024Mi", "2Gi"}, "64Mi": {"67108864", "65Mi"},
	"TCP": {"UDP", "TCP"}, "Always": {"IfNotPresent"}, "nginx:1": {"nginx:2"}, "a": {"b"}, "b": {"a", "c"},
}

func changed(v any, random *rand.Rand) (any, bool) {
	switch v := v.(type) {
	case string:
		if others := spellings[v]; len(others) > 0 {
			return others[random.IntN(len(others))], true
		}
		return v + "x", len(v) < 30
	case int64:
		return v + int64(random.IntN(2)), true
	case bool:
		return !v, true
	}
	return nil, false
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
