package server_test

import (
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestTerminateOperation(t *testing.T) {
	w := start(t, nil)
	w.add("argocd", "a", func(a *v1alpha1.Application) {
		a.Operation = &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}
		a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationRunning}
	})
	w.conflicts = 1
	token := w.login("admin")
	if a := w.call("DELETE", "/api/v1/applications/a/operation", "", "Authorization", token); a.status != 200 || strings.TrimSpace(a.body) != "{}" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if app, _ := w.Get(key("argocd", "a")); app.Status.OperationState.Phase != v1alpha1.OperationTerminating {
		t.Errorf("it is %s", app.Status.OperationState.Phase)
	}
	w.add("argocd", "a", func(a *v1alpha1.Application) { a.Operation, a.Status.OperationState = nil, nil })
	if a := w.call("DELETE", "/api/v1/applications/a/operation", "", "Authorization", token); a.status != 400 || !strings.Contains(a.body, "No operation is in progress") {
		t.Errorf("%d %s", a.status, a.body)
	}
}
