package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// state is what the demo shows of one Application.
type state struct {
	Name, Namespace string
	Sync, Health    string
	Revision        string // abbreviated commit
	Phase           string // of the last operation
	Note            string // what it waits for or suffers from
	Automated       bool   // syncs by itself
	Deleted         bool
}

// settled reports whether nothing is left to wait for.
func (s state) settled() bool {
	return s.Sync == string(v1alpha1.SyncStatusCodeSynced) && s.Health == string(v1alpha1.HealthStatusHealthy)
}

// change is one Application before and after.
type change struct{ before, now state }

// read takes what is shown from an Application.
func read(raw *unstructured.Unstructured) (state, error) {
	var app v1alpha1.Application
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw.Object, &app); err != nil {
		return state{}, fmt.Errorf("reading application %s: %w", raw.GetName(), err)
	}
	revision := app.Status.Sync.Revision
	s := state{
		Name:      app.Name,
		Namespace: app.Spec.Destination.Namespace,
		Sync:      string(app.Status.Sync.Status),
		Health:    string(app.Status.Health.Status),
		Revision:  revision[:min(len(revision), 7)],
		Note:      note(&app),
		Automated: app.Spec.SyncPolicy.IsAutomated(),
	}
	if operation := app.Status.OperationState; operation != nil {
		s.Phase = string(operation.Phase)
	}
	return s, nil
}

// note is the most telling sentence about an Application: that it is being deleted, a condition, a failed operation,
// the objects that differ, or those that are not healthy; empty when there is nothing to say.
func note(app *v1alpha1.Application) string {
	if app.DeletionTimestamp != nil {
		return "being deleted"
	}
	for _, condition := range app.Status.Conditions {
		return firstLine(string(condition.Type) + ": " + condition.Message)
	}
	if operation := app.Status.OperationState; operation != nil && operation.Phase.Completed() &&
		operation.Phase != v1alpha1.OperationSucceeded {
		return firstLine("sync failed: " + operation.Message)
	}
	var differing, ailing []string
	for _, resource := range app.Status.Resources {
		name := resource.Kind + " " + resource.Name
		if resource.Status == v1alpha1.SyncStatusCodeOutOfSync {
			differing = append(differing, name)
		}
		if resource.Health != nil && resource.Health.Status != v1alpha1.HealthStatusHealthy {
			ailing = append(ailing, fmt.Sprintf("%s %s", name, resource.Health.Status))
		}
	}
	if len(differing) > 0 {
		return "differs: " + short(differing)
	}
	return short(ailing)
}

// short lists the first names and counts the rest.
func short(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// firstLine keeps a table a table.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// or replaces an empty text.
func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
