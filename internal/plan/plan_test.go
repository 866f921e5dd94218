package plan_test

import (
	"testing"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

func TestBuildOrdersSteps(t *testing.T) {
	step := func(action plan.Action, wave int, group, kind, name string) plan.Step {
		return plan.Step{Action: action, Wave: wave, Reference: plan.Reference{Group: group, Version: "v1", Kind: kind, Name: name}}
	}
	for name, test := range map[string]struct {
		steps []plan.Step
		want  string
	}{
		"nothing to do is an empty plan": {},
		"kinds that others build on come first, independent ones share a stage": {
			steps: []plan.Step{
				step(plan.Create, 0, "apps", "Deployment", "api"),
				step(plan.Create, 0, "example.com", "Widget", "w"),
				step(plan.Change, 0, "", "ConfigMap", "b"),
				step(plan.Create, 0, "", "ConfigMap", "a"),
				step(plan.Create, 0, "", "Secret", "s"),
				step(plan.Create, 0, "", "Namespace", "n"),
				step(plan.Create, 0, "apiregistration.k8s.io", "APIService", "v1.x"),
				step(plan.Create, 0, "apiextensions.k8s.io", "CustomResourceDefinition", "widgets"),
			},
			want: `1 wave 0: create namespace/n
2 wave 0: create customresourcedefinition.apiextensions.k8s.io/widgets
3 wave 0: create configmap/a
3 wave 0: change configmap/b
3 wave 0: create secret/s
4 wave 0: create deployment.apps/api
5 wave 0: create widget.example.com/w
6 wave 0: create apiservice.apiregistration.k8s.io/v1.x
`,
		},
		"waves come before kinds, and may be negative": {
			steps: []plan.Step{
				step(plan.Create, 1, "", "Namespace", "late"),
				step(plan.Create, 0, "apps", "Deployment", "middle"),
				step(plan.Create, -5, "batch", "Job", "early"),
			},
			want: `1 wave -5: create job.batch/early
2 wave 0: create deployment.apps/middle
3 wave 1: create namespace/late
`,
		},
		"prunes come last, in reverse": {
			steps: []plan.Step{
				step(plan.Prune, 0, "", "Namespace", "n"),
				step(plan.Prune, 1, "", "ConfigMap", "c"),
				step(plan.Prune, 0, "apps", "Deployment", "d"),
				step(plan.Create, 2, "", "ConfigMap", "new"),
			},
			want: `1 wave 2: create configmap/new
2 wave 1: prune configmap/c
3 wave 0: prune deployment.apps/d
4 wave 0: prune namespace/n
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plan.Build(test.steps).String(); got != test.want {
				t.Errorf("plan:\n%swant:\n%s", got, test.want)
			}
		})
	}
}
