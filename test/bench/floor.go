//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/test/gitserver"
)

const floorWorkers = 16

var resourceOf = map[string]schema.GroupVersionResource{
	"Namespace":           {Version: "v1", Resource: "namespaces"},
	"ServiceAccount":      {Version: "v1", Resource: "serviceaccounts"},
	"ConfigMap":           {Version: "v1", Resource: "configmaps"},
	"Secret":              {Version: "v1", Resource: "secrets"},
	"Service":             {Version: "v1", Resource: "services"},
	"Deployment":          {Group: "apps", Version: "v1", Resource: "deployments"},
	"NetworkPolicy":       {Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
	"PodDisruptionBudget": {Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"},

	"CustomResourceDefinition": {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
}

// prepare installs the custom resources, makes the control plane's namespace
// and serves the generated monorepo.
func (b *bench) prepare(ctx context.Context, dir string) error {
	files, err := filepath.Glob("deploy/crds/*.yaml")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no custom resource definitions in deploy/crds; run from the root of the repository")
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		objects, err := parse(string(content))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, object := range objects {
			if err := b.apply(ctx, object, ""); err != nil {
				return err
			}
		}
	}
	if err := b.apply(ctx, namespace(controlPlane), ""); err != nil {
		return err
	}
	server, err := gitserver.New(gitserver.Options{Dir: filepath.Join(dir, "git")})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if b.repo, err = server.CreateRepository(ctx, "monorepo.git", b.monorepo()); err != nil {
		return err
	}
	// The custom resources answer a moment after they are made.
	return until(ctx, time.Minute, "the custom resources", func() (bool, error) {
		_, err := b.apps.Applications(controlPlane).List(ctx, listAll)
		return err == nil, nil
	})
}

// measureFloor applies what the Applications hold, to namespaces of its own.
func (b *bench) measureFloor(ctx context.Context) error {
	objects, err := parse(manifest("1"))
	if err != nil {
		return err
	}
	bodies := make([][]byte, len(objects))
	for i, object := range objects {
		if bodies[i], err = json.Marshal(object.Object); err != nil {
			return err
		}
	}
	cpuBefore, began := ownCPU(), time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(floorWorkers)
	for i := range b.applications {
		group.Go(func() error {
			name := fmt.Sprintf("floor-%04d", i)
			if err := b.apply(ctx, namespace(name), ""); err != nil {
				return err
			}
			for j, object := range objects {
				_, err := b.dynamic.Resource(resourceOf[object.GetKind()]).Namespace(name).
					Patch(ctx, object.GetName(), types.ApplyPatchType, bodies[j], applyOptions())
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	b.floor, b.floorCPU = time.Since(began), ownCPU()-cpuBefore
	b.print("floor: server-side apply of all objects", b.floor, b.floorCPU, "")
	return b.waitForFloor(context.WithoutCancel(ctx))
}

// waitForFloor lets the control plane finish the work that the floor made.
func (b *bench) waitForFloor(ctx context.Context) error {
	return until(ctx, 5*time.Minute, "the floor's Deployments", func() (bool, error) {
		list, err := b.dynamic.Resource(resourceOf["Deployment"]).List(ctx, listAll)
		if err != nil {
			return false, err
		}
		for i := range list.Items {
			available, _, _ := unstructured.NestedInt64(list.Items[i].Object, "status", "availableReplicas")
			if available < 1 {
				// The control plane should work, not answer lists.
				return false, sleep(ctx, 200*time.Millisecond)
			}
		}
		return len(list.Items) >= b.applications, nil
	})
}

func (b *bench) apply(ctx context.Context, object *unstructured.Unstructured, ns string) error {
	body, err := json.Marshal(object.Object)
	if err != nil {
		return err
	}
	_, err = b.dynamic.Resource(resourceOf[object.GetKind()]).Namespace(ns).
		Patch(ctx, object.GetName(), types.ApplyPatchType, body, applyOptions())
	return err
}

func namespace(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}}
}

func parse(text string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq(text, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
