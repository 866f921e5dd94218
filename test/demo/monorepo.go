package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// examples reads the AppProject and the Applications of a monorepo and points them at the repository url. The project
// comes first.
func examples(monorepo, url string) ([]*unstructured.Unstructured, error) {
	objects, err := readManifests(filepath.Join(monorepo, "apps"))
	if err != nil {
		return nil, err
	}
	var projects, applications []*unstructured.Unstructured
	for _, object := range objects {
		labels := object.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[demoLabel] = "true"
		object.SetLabels(labels)
		object.SetNamespace(controlPlaneNamespace)
		switch object.GetKind() {
		case "AppProject":
			err = unstructured.SetNestedStringSlice(object.Object, []string{url}, "spec", "sourceRepos")
			projects = append(projects, object)
		case "Application":
			err = unstructured.SetNestedField(object.Object, url, "spec", "source", "repoURL")
			applications = append(applications, object)
		default:
			err = fmt.Errorf("it is neither an AppProject nor an Application")
		}
		if err != nil {
			return nil, fmt.Errorf("preparing %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return append(projects, applications...), nil
}

// createApplications creates the AppProject and the Applications, and begins to follow them.
func (d *demo) createApplications(ctx context.Context) error {
	objects, err := examples(d.Monorepo, d.repo.URL())
	if err != nil {
		return err
	}
	var names []string
	for _, object := range objects {
		if err := d.apply(ctx, resourceOf(object), object); err != nil {
			return err
		}
		if object.GetKind() == "Application" {
			names = append(names, object.GetName())
		}
	}
	d.screen.Step("%d applications are created\n", len(names))
	d.states = newStates(names)
	return d.states.follow(ctx, d.cluster.client)
}

// syncByHand asks for the first sync of an Application that is not to sync by itself, as a person would with kubectl.
func (d *demo) syncByHand(ctx context.Context, c change) error {
	if c.now.Automated || c.now.Sync != "OutOfSync" || c.now.Phase != "" || !d.states.firstRequest(c.now.Name) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"operation": map[string]any{
		"initiatedBy": map[string]any{"username": "demo"},
		"sync":        map[string]any{"prune": true},
	}})
	if err != nil {
		return fmt.Errorf("writing the operation: %w", err)
	}
	_, err = d.cluster.client.Resource(applications).Namespace(controlPlaneNamespace).
		Patch(ctx, c.now.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("asking for a sync of %s: %w", c.now.Name, err)
	}
	return nil
}

// deleteApplications deletes what the demo made on the user's own cluster, and waits until Fairlead has removed what
// the Applications manage.
func (d *demo) deleteApplications(ctx context.Context) error {
	d.screen.Step("deleting the demo's applications and what they manage (Ctrl-C again leaves them)")
	ours := metav1.ListOptions{LabelSelector: demoLabel + "=true"}
	client := d.cluster.client.Resource(applications).Namespace(controlPlaneNamespace)
	if err := client.DeleteCollection(ctx, metav1.DeleteOptions{}, ours); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the demo's applications: %w", err)
	}
	gone := func(ctx context.Context) (bool, error) {
		list, err := client.List(ctx, ours)
		if err != nil {
			return false, err
		}
		return len(list.Items) == 0, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, gone); err != nil {
		return fmt.Errorf("waiting until the demo's applications are gone: %w", err)
	}
	err := d.cluster.client.Resource(projects).Namespace(controlPlaneNamespace).
		DeleteCollection(ctx, metav1.DeleteOptions{}, ours)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the demo's project: %w", err)
	}
	return nil
}
