package application

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// hold is one reason for which an automated sync does not start although there
// is something to put right. Since when stands in the condition that it becomes.
type hold struct {
	cause holdCause
	// message is the sentence that people read; it says until when, where that
	// is known, and does not change while the reason stays the same.
	message string
	// fault says that somebody has to correct a mistake: it is an error then.
	fault bool
}

// holdCause is what holds a sync, as the metric has it.
type holdCause string

// Causes of holds.
const (
	causeWindow     holdCause = "window"
	causeDependency holdCause = "dependency"
	causeStage      holdCause = "stage"
	causeApproval   holdCause = "approval"
)

// held asks everything that may hold an automated sync, and says whether
// something does. All reasons are told at once, so that nobody waits for one
// only to learn of the next.
func (r *reconciliation) held(ctx context.Context, sync *automatedSync) (bool, error) {
	for _, gate := range []func(context.Context, *automatedSync) ([]hold, error){
		r.heldByWindows,
		r.heldByStage,
		r.heldByDependencies,
		r.heldForApproval,
	} {
		holds, err := gate(ctx, sync)
		if err != nil {
			return true, err
		}
		r.holds = append(r.holds, holds...)
	}
	for _, h := range r.holds {
		if h.fault {
			r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionSyncError, h.message))
			continue
		}
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionSyncHeld, h.message+waiting(sync.count())))
	}
	return len(r.holds) > 0, nil
}

// waiting says how much waits. It comes last in the message of a condition.
func waiting(objects int) string {
	if objects == 1 {
		return waitingMark + "1 object waits"
	}
	return fmt.Sprintf("%s%d objects wait", waitingMark, objects)
}

// waitingMark stands between why a sync is held and how much waits.
const waitingMark = "; "

// tellHolds writes an Event about each reason that was not there before,
// however many objects wait.
func (r *reconciliation) tellHolds(before, after *v1alpha1.ApplicationStatus) {
	known := heldSentences(before)
	for _, sentence := range heldSentences(after) {
		if !slices.Contains(known, sentence) {
			r.Events.Eventf(r.app, corev1.EventTypeNormal, reasonSyncHeld, "%s", sentence)
		}
	}
}

func heldSentences(status *v1alpha1.ApplicationStatus) (sentences []string) {
	for _, condition := range status.GetConditions(v1alpha1.ApplicationConditionSyncHeld) {
		sentences = append(sentences, reasonIn(condition.Message))
	}
	return sentences
}

// reasonIn is the message of a condition without how much waits.
func reasonIn(message string) string {
	return message[:max(strings.LastIndex(message, waitingMark), 0)]
}

// keepSince leaves to the conditions about holds since when there is their
// reason, also when more objects wait by now.
func keepSince(conditions, before []v1alpha1.ApplicationCondition) {
	for i := range conditions {
		if conditions[i].Type != v1alpha1.ApplicationConditionSyncHeld {
			continue
		}
		for _, old := range before {
			if old.Type == conditions[i].Type && reasonIn(old.Message) == reasonIn(conditions[i].Message) {
				conditions[i].LastTransitionTime = old.LastTransitionTime
			}
		}
	}
}

// countHolds brings the metric up to the holds of this look.
func (r *reconciliation) countHolds() {
	var causes []holdCause
	for _, h := range r.holds {
		if !slices.Contains(causes, h.cause) {
			causes = append(causes, h.cause)
		}
	}
	if slices.Equal(causes, r.memory.held) {
		return
	}
	r.memory.held = causes
	r.Metrics.heldBy(r.app, causes)
}

// lookAgainAt asks for another look at a moment; none for the zero time.
func (r *reconciliation) lookAgainAt(moment time.Time) {
	if !moment.IsZero() {
		r.lookIn(moment.Sub(r.Now()))
	}
}
