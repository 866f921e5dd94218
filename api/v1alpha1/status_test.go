package v1alpha1_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestSetConditions(t *testing.T) {
	before := metav1.NewTime(time.Unix(1000, 0))
	now := metav1.NewTime(time.Unix(2000, 0))
	condition := func(kind v1alpha1.ApplicationConditionType, message string, at metav1.Time) v1alpha1.ApplicationCondition {
		return v1alpha1.ApplicationCondition{Type: kind, Message: message, LastTransitionTime: &at}
	}
	status := v1alpha1.ApplicationStatus{Conditions: []v1alpha1.ApplicationCondition{
		condition(v1alpha1.ApplicationConditionSyncError, "not looked at", before),
		condition(v1alpha1.ApplicationConditionComparisonError, "still there", before),
		condition(v1alpha1.ApplicationConditionInvalidSpecError, "gone", before),
	}}
	status.SetConditions(now,
		[]v1alpha1.ApplicationCondition{
			{Type: v1alpha1.ApplicationConditionComparisonError, Message: "still there"},
			{Type: v1alpha1.ApplicationConditionComparisonError, Message: "new"},
		},
		v1alpha1.ApplicationConditionComparisonError, v1alpha1.ApplicationConditionInvalidSpecError,
	)
	want := []v1alpha1.ApplicationCondition{
		condition(v1alpha1.ApplicationConditionComparisonError, "new", now),
		condition(v1alpha1.ApplicationConditionComparisonError, "still there", before),
		condition(v1alpha1.ApplicationConditionSyncError, "not looked at", before),
	}
	if diff := cmp.Diff(want, status.Conditions); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if got := status.GetConditions(v1alpha1.ApplicationConditionSyncError); len(got) != 1 || !got[0].IsError() {
		t.Errorf("conditions of one type: %v", got)
	}
}

func TestHistory(t *testing.T) {
	history := v1alpha1.RevisionHistories{{ID: 1}, {ID: 2}, {ID: 3}}
	if got := history.Keep(2); len(got) != 2 || got[0].ID != 2 {
		t.Errorf("the newest two: %v", got)
	}
	if got := history.Keep(5); len(got) != 3 {
		t.Errorf("the newest five of three: %v", got)
	}
	if got := history.Keep(0); len(got) != 0 {
		t.Errorf("none: %v", got)
	}
	if got := history.Find(2); got == nil || got.ID != 2 {
		t.Errorf("find 2: %v", got)
	}
	if history.Find(4) != nil || history.Last().ID != 3 || v1alpha1.RevisionHistories(nil).Last() != nil {
		t.Error("found an entry that is not there, or not the last one")
	}
}
