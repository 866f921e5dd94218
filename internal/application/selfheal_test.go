package application

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

func TestSelfHealDelay(t *testing.T) {
	for name, test := range map[string]struct {
		backoff SelfHealBackoff
		want    []time.Duration // by attempts so far
	}{
		"the documented one":      {DefaultSelfHealBackoff, []time.Duration{0, 2 * time.Second, 6 * time.Second, 18 * time.Second, 54 * time.Second, 162 * time.Second, 5 * time.Minute, 5 * time.Minute}},
		"without back-off":        {SelfHealBackoff{Fixed: 5 * time.Second}, []time.Duration{5 * time.Second, 5 * time.Second, 5 * time.Second}},
		"without any wait at all": {SelfHealBackoff{}, []time.Duration{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			for attempts, want := range test.want {
				if got := test.backoff.delay(int64(attempts)); got != want {
					t.Errorf("after %d attempts: %s, want %s", attempts, got, want)
				}
			}
		})
	}
}

func TestAttempted(t *testing.T) {
	source := func(values string) v1alpha1.ApplicationSource {
		return v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/a.git", Helm: &v1alpha1.ApplicationSourceHelm{Values: values}}
	}
	one, other := source("a: 1"), source("a: 2")
	state := func(op v1alpha1.SyncOperation, result *v1alpha1.SyncOperationResult) *v1alpha1.OperationState {
		return &v1alpha1.OperationState{Phase: v1alpha1.OperationFailed, Operation: v1alpha1.Operation{Sync: &op}, SyncResult: result}
	}
	for name, test := range map[string]struct {
		state *v1alpha1.OperationState
		want  bool
	}{
		"nothing was ever synced":               {nil, false},
		"the same commit":                       {state(v1alpha1.SyncOperation{}, &v1alpha1.SyncOperationResult{Revision: "c1", Source: one}), true},
		"another commit":                        {state(v1alpha1.SyncOperation{}, &v1alpha1.SyncOperationResult{Revision: "c0", Source: one}), false},
		"other parameters":                      {state(v1alpha1.SyncOperation{}, &v1alpha1.SyncOperationResult{Revision: "c1", Source: other}), false},
		"several sources before":                {state(v1alpha1.SyncOperation{}, &v1alpha1.SyncOperationResult{Revisions: []string{"c1"}, Sources: v1alpha1.ApplicationSources{one, one}}), false},
		"a dry run":                             {state(v1alpha1.SyncOperation{DryRun: true}, &v1alpha1.SyncOperationResult{Revision: "c1", Source: one}), false},
		"it ended before it compared anything":  {state(v1alpha1.SyncOperation{Source: &one, Revision: "c1"}, nil), true},
		"that asked for something else":         {state(v1alpha1.SyncOperation{Source: &other, Revision: "c1"}, nil), false},
		"that did not say what it asked for":    {state(v1alpha1.SyncOperation{}, nil), false},
		"an operation that asked for no sync":   {&v1alpha1.OperationState{Phase: v1alpha1.OperationError}, false},
		"that asked for another commit of them": {state(v1alpha1.SyncOperation{Sources: v1alpha1.ApplicationSources{one}, Revisions: []string{"c0"}}, nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reconciliation{desired: &desired{sources: []renderedSource{{source: one, revision: "c1"}}}}
			if got := r.attempted(test.state); got != test.want {
				t.Errorf("attempted = %t, want %t", got, test.want)
			}
		})
	}
}

func TestMayRepeat(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	yes := true
	for name, test := range map[string]struct {
		phase    v1alpha1.OperationPhase
		selfHeal *bool
		attempts int64
		ago      time.Duration // since the last operation ended
		want     bool
		count    int64         // SelfHealAttemptsCount of the new operation
		again    time.Duration // when to look again
		says     string        // in a condition
	}{
		"a failed sync is not repeated":           {phase: v1alpha1.OperationFailed, selfHeal: &yes, says: "boom"},
		"nor a good one without self-heal":        {phase: v1alpha1.OperationSucceeded},
		"the first self-heal is at once":          {phase: v1alpha1.OperationSucceeded, selfHeal: &yes, want: true, count: 1},
		"the second waits":                        {phase: v1alpha1.OperationSucceeded, selfHeal: &yes, attempts: 1, ago: time.Second, again: time.Second},
		"and comes when the wait is over":         {phase: v1alpha1.OperationSucceeded, selfHeal: &yes, attempts: 1, ago: 2 * time.Second, want: true, count: 2},
		"what held for the cool-down counts anew": {phase: v1alpha1.OperationSucceeded, selfHeal: &yes, attempts: 6, ago: 330 * time.Second, want: true, count: 1},
	} {
		t.Run(name, func(t *testing.T) {
			finished := metav1.NewTime(now.Add(-test.ago))
			state := &v1alpha1.OperationState{
				Phase: test.phase, FinishedAt: &finished, Message: "boom",
				Operation: v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{SelfHealAttemptsCount: test.attempts}},
			}
			app := &v1alpha1.Application{}
			app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{SelfHeal: test.selfHeal}}
			r := &reconciliation{
				Controller: &Controller{Options: Options{SelfHeal: DefaultSelfHealBackoff, Now: func() time.Time { return now }}},
				app:        app, now: metav1.NewTime(now), desired: &desired{sources: []renderedSource{{revision: "c1"}}},
			}
			op := &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}
			differing := []object{{Reference: plan.Reference{Kind: "ConfigMap", Namespace: "n", Name: "one"}}}
			if got := r.mayRepeat(state, op, differing); got != test.want {
				t.Errorf("mayRepeat = %t, want %t", got, test.want)
			}
			if op.Sync.SelfHealAttemptsCount != test.count || r.again != test.again {
				t.Errorf("attempt %d and again after %s, want %d and %s", op.Sync.SelfHealAttemptsCount, r.again, test.count, test.again)
			}
			if test.want && len(op.Sync.Resources) != 1 {
				t.Errorf("resources = %v", op.Sync.Resources)
			}
			if test.says != "" && (len(r.conditions) != 1 || !strings.Contains(r.conditions[0].Message, test.says)) {
				t.Errorf("conditions = %v", r.conditions)
			}
		})
	}
}
