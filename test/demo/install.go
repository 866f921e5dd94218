package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// fieldManager owns what the demo writes.
const fieldManager = "fairlead-demo"

// demoLabel marks the AppProject and Applications that the demo made.
const demoLabel = "fairlead.dev/demo"

var (
	namespaces   = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	deployments  = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	statefulSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	definitions  = schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	}
	applications = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}
	projects     = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "appprojects"}
)

// readManifests reads all objects of the YAML files in dir, in the order of their names.
func readManifests(dir string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no *.yaml", dir)
	}
	var objects []*unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading manifests: %w", err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			object := &unstructured.Unstructured{}
			err := decoder.Decode(&object.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", file, err)
			}
			if len(object.Object) > 0 {
				objects = append(objects, object)
			}
		}
	}
	return objects, nil
}

// apply writes one object by server-side apply; cluster-scoped ones have no namespace.
func (d *demo) apply(ctx context.Context, kind schema.GroupVersionResource, object *unstructured.Unstructured) error {
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	var err error
	if namespace := object.GetNamespace(); namespace != "" {
		_, err = d.cluster.client.Resource(kind).Namespace(namespace).Apply(ctx, object.GetName(), object, options)
	} else {
		_, err = d.cluster.client.Resource(kind).Apply(ctx, object.GetName(), object, options)
	}
	if err != nil {
		return fmt.Errorf("applying %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

// installTypes installs the CRDs, waits until the API server serves them, and makes the control plane's namespace.
func (d *demo) installTypes(ctx context.Context) error {
	crds, err := readManifests(d.CRDs)
	if err != nil {
		return err
	}
	// All at once: the API server takes its time over large schemas.
	began := time.Now()
	group, installing := errgroup.WithContext(ctx)
	for _, crd := range crds {
		group.Go(func() error {
			if err := d.apply(installing, definitions, crd); err != nil {
				return err
			}
			return d.waitEstablished(installing, crd.GetName())
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": controlPlaneNamespace},
	}}
	if err := d.apply(ctx, namespaces, namespace); err != nil {
		return err
	}
	d.screen.Step("%d CRDs are installed after %s", len(crds), seconds(began))
	return nil
}

func (d *demo) waitEstablished(ctx context.Context, name string) error {
	established := func(ctx context.Context) (bool, error) {
		crd, err := d.cluster.client.Resource(definitions).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
		for _, condition := range conditions {
			if c, ok := condition.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, established); err != nil {
		return fmt.Errorf("waiting for the CRD %s to be served: %w", name, err)
	}
	return nil
}

// refuseOccupied returns an error when the user's cluster runs Argo CD, or has Applications or an AppProject of the
// example's names that the demo did not make.
func (d *demo) refuseOccupied(ctx context.Context) error {
	for _, kind := range []schema.GroupVersionResource{deployments, statefulSets} {
		found, err := d.cluster.client.Resource(kind).Namespace(controlPlaneNamespace).List(ctx,
			metav1.ListOptions{LabelSelector: "app.kubernetes.io/part-of in (argocd, fairlead)"})
		if err != nil {
			return fmt.Errorf("looking at what your cluster runs: %w", err)
		}
		if len(found.Items) > 0 {
			return fmt.Errorf("%s %s runs in namespace %s: the demo would fight with it over Applications; take another cluster",
				kind.Resource, found.Items[0].GetName(), controlPlaneNamespace)
		}
	}
	objects, err := readManifests(filepath.Join(d.Monorepo, "apps"))
	if err != nil {
		return err
	}
	for _, object := range objects {
		found, err := d.cluster.client.Resource(resourceOf(object)).Namespace(controlPlaneNamespace).
			Get(ctx, object.GetName(), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking for %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		if found.GetLabels()[demoLabel] == "" {
			return fmt.Errorf("your cluster has %s %s already, and the demo did not make it; take another cluster",
				object.GetKind(), object.GetName())
		}
	}
	return nil
}

// resourceOf is the resource of an object in the monorepo's apps folder.
func resourceOf(object *unstructured.Unstructured) schema.GroupVersionResource {
	if object.GetKind() == "AppProject" {
		return projects
	}
	return applications
}
