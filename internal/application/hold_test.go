package application

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestAHoldIsToldOnceAndKeepsItsTime(t *testing.T) {
	at := func(minute int) *metav1.Time {
		return &metav1.Time{Time: time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC)}
	}
	held := func(minute int, message string) v1alpha1.ApplicationCondition {
		return v1alpha1.ApplicationCondition{Type: v1alpha1.ApplicationConditionSyncHeld, Message: message, LastTransitionTime: at(minute)}
	}
	const window = `held by the deny window "a; b"`
	before := []v1alpha1.ApplicationCondition{held(0, window+waiting(1))}
	for name, test := range map[string]struct {
		now   []v1alpha1.ApplicationCondition
		since []int
		told  int
	}{
		"nothing changes":    {[]v1alpha1.ApplicationCondition{held(0, window+waiting(1))}, []int{0}, 0},
		"more objects wait":  {[]v1alpha1.ApplicationCondition{held(5, window+waiting(2))}, []int{0}, 0},
		"another reason":     {[]v1alpha1.ApplicationCondition{held(5, "waits for approval; x"+waiting(1))}, []int{5}, 1},
		"one more reason":    {[]v1alpha1.ApplicationCondition{held(5, "stage 2 waits"+waiting(1)), held(5, window+waiting(1))}, []int{5, 0}, 1},
		"no reason any more": {nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			keepSince(test.now, before)
			var since []int
			for _, condition := range test.now {
				since = append(since, condition.LastTransitionTime.Minute())
			}
			if !slices.Equal(since, test.since) {
				t.Errorf("since %v, want %v", since, test.since)
			}
			events := record.NewFakeRecorder(10)
			r := &reconciliation{Controller: &Controller{Options: Options{Events: events}}, app: &v1alpha1.Application{}}
			r.tellHolds(&v1alpha1.ApplicationStatus{Conditions: before}, &v1alpha1.ApplicationStatus{Conditions: test.now})
			if got := len(events.Events); got != test.told {
				t.Errorf("told %d Events, want %d", got, test.told)
			}
		})
	}
}
