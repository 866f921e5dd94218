package application

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// heldByWindows holds an automated sync outside of the sync windows of its
// project, and looks again when that changes.
func (r *reconciliation) heldByWindows(context.Context, *automatedSync) ([]hold, error) {
	verdict := r.project.Windows(r.app).Decide(r.Now(), tenancy.Sync{})
	if verdict.Allowed() {
		return nil, nil
	}
	r.lookAgainAt(verdict.Again)
	return []hold{{cause: causeWindow, message: "held " + verdict.String()}}, nil
}

// blockedByWindow says whether an operation, whoever asked for it, has to stand
// still because of a sync window. It goes on when the window lets it.
func (r *reconciliation) blockedByWindow(state *v1alpha1.OperationState) bool {
	verdict := r.project.Windows(r.app).Decide(r.Now(), tenancy.Sync{
		Manual: !state.Operation.InitiatedBy.Automated, Started: state.StartedAt.Time,
	})
	if state.Waiting != nil && state.Waiting.For == windowWait && (verdict.Allowed() || verdict.Until.IsZero()) {
		state.Waiting = nil
	}
	if verdict.Allowed() {
		return false
	}
	r.lookAgainAt(verdict.Again)
	if !verdict.Until.IsZero() { // a wait states its end
		since := r.now
		if state.Waiting != nil && state.Waiting.For == windowWait {
			since = state.Waiting.Since
		}
		state.Waiting = &v1alpha1.OperationWait{For: windowWait, Message: "held " + verdict.String(), Since: since, Until: metav1.NewTime(verdict.Until.UTC())}
	}
	state.Message = "Sync operation blocked by sync window: held " + verdict.String()
	return true
}

// windowWait is what an operation waits for that a sync window blocks.
const windowWait = "a sync window"

// warnOfWindows tells of windows that concern the Application and cannot be read.
func (r *reconciliation) warnOfWindows() {
	for _, window := range r.project.Windows(r.app) {
		if fault := window.Fault(); fault != nil {
			r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionSyncError, fault.Error()))
		}
	}
}
