package application

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Reasons of the Events that the controller writes about an Application. They
// are those of Argo CD, but for those about drift and about what waits.
const (
	reasonOperationStarted   = "OperationStarted"
	reasonOperationCompleted = "OperationCompleted"
	reasonResourceUpdated    = "ResourceUpdated"
	reasonResourceDrifted    = "ResourceDrifted"
	reasonOperationWaiting   = "OperationWaiting"
	reasonSyncHeld           = "SyncHeld"
)

// tell writes Events about what changed since the status that was read. It is
// called once the new status is stored.
func (r *reconciliation) tell() {
	before, after := &r.read.Status, &r.app.Status
	r.tellDrift(before, after)
	r.tellHolds(before, after)
	if started := after.OperationState; started != nil && (before.OperationState == nil || !before.OperationState.StartedAt.Equal(&started.StartedAt)) {
		r.Events.Eventf(r.app, corev1.EventTypeNormal, reasonOperationStarted, "%s", startedMessage(started))
	}
	if ended := after.OperationState; ended != nil && ended.Phase.Completed() && (before.OperationState == nil || !before.OperationState.Phase.Completed() || !before.OperationState.StartedAt.Equal(&ended.StartedAt)) {
		kind := corev1.EventTypeNormal
		if ended.Phase != v1alpha1.OperationSucceeded {
			kind = corev1.EventTypeWarning
		}
		r.Events.Eventf(r.app, kind, reasonOperationCompleted, "sync %s: %s", ended.Phase, ended.Message)
	}
	if before.Sync.Status != after.Sync.Status && before.Sync.Status != "" {
		r.Events.Eventf(r.app, corev1.EventTypeNormal, reasonResourceUpdated, "updated sync status: %s -> %s", before.Sync.Status, after.Sync.Status)
	}
	if before.Health.Status != after.Health.Status && before.Health.Status != "" {
		r.Events.Eventf(r.app, corev1.EventTypeNormal, reasonResourceUpdated, "updated health status: %s -> %s", before.Health.Status, after.Health.Status)
	}
}

func startedMessage(state *v1alpha1.OperationState) string {
	by := state.Operation.InitiatedBy
	switch {
	case by.Automated:
		return "the automated policy started a sync"
	case by.Username != "":
		return by.Username + " started a sync"
	default:
		return "a sync was started"
	}
}

// driftEventLimit is of how many objects one reconcile writes Events about.
const driftEventLimit = 5

// tellDrift says of each object that left its desired state what happened and
// who did it, once.
func (r *reconciliation) tellDrift(before, after *v1alpha1.ApplicationStatus) {
	type key struct{ group, kind, namespace, name string }
	drifted := make(map[key]*v1alpha1.ResourceDrift)
	for _, res := range before.Resources {
		if res.Drift != nil {
			drifted[key{res.Group, res.Kind, res.Namespace, res.Name}] = res.Drift
		}
	}
	told := 0
	for _, res := range after.Resources {
		if res.Drift == nil {
			continue
		}
		last := drifted[key{res.Group, res.Kind, res.Namespace, res.Name}]
		if last != nil && last.Cause == res.Drift.Cause && len(last.Fields) >= len(res.Drift.Fields) {
			continue
		}
		r.Metrics.drifted(r.app, res.Drift.Cause)
		r.Logger.Info("an object left its desired state", "application", r.key.String(), "kind", res.Kind,
			"namespace", res.Namespace, "name", res.Name, "cause", res.Drift.Cause, "how", res.Drift.Message())
		if told++; told <= driftEventLimit {
			r.Events.Eventf(r.app, corev1.EventTypeWarning, reasonResourceDrifted, "%s %s %s", res.Kind, nameIn(res.Namespace, res.Name), res.Drift.Message())
		}
	}
	if more := told - driftEventLimit; more > 0 {
		r.Events.Eventf(r.app, corev1.EventTypeWarning, reasonResourceDrifted, "%d more objects left their desired state", more)
	}
}

func nameIn(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}
