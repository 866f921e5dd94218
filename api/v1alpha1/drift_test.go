package v1alpha1_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestDriftSaysWhatHappened(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	fields := []v1alpha1.DriftedField{
		{Path: ".spec.replicas", Manager: "kubectl", Operation: "Update", Subresource: "scale"},
		{Path: ".spec.paused", Manager: "kubectl-edit", Operation: "Update", Time: &at},
		{Path: ".spec.x"},
	}
	for want, drift := range map[string]*v1alpha1.ResourceDrift{
		"was deleted in the cluster":                                {Cause: v1alpha1.DriftDeleted},
		"appeared in the cluster with the mark of this application": {Cause: v1alpha1.DriftAdded},
		"was changed in the cluster":                                {Cause: v1alpha1.DriftChanged},
		"does not keep what was applied: .spec.x; and 2 more":       {Cause: v1alpha1.DriftNotKept, Fields: fields[2:], More: 2},
		"was changed in the cluster: .spec.replicas by kubectl (Update of scale); .spec.paused by kubectl-edit (Update) at 2026-01-02 03:04:05Z; .spec.x": {Cause: v1alpha1.DriftChanged, Fields: fields},
	} {
		if got := drift.Message(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
