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
			want: `1 Sync wave 0: create namespace/n
2 Sync wave 0: create customresourcedefinition.apiextensions.k8s.io/widgets
3 Sync wave 0: create configmap/a
3 Sync wave 0: change configmap/b
3 Sync wave 0: create secret/s
4 Sync wave 0: create deployment.apps/api
5 Sync wave 0: create widget.example.com/w
6 Sync wave 0: create apiservice.apiregistration.k8s.io/v1.x
`,
		},
		"waves come before kinds, and may be negative": {
			steps: []plan.Step{
				step(plan.Create, 1, "", "Namespace", "late"),
				step(plan.Create, 0, "apps", "Deployment", "middle"),
				step(plan.Create, -5, "batch", "Job", "early"),
			},
			want: `1 Sync wave -5: create job.batch/early
2 Sync wave 0: create deployment.apps/middle
3 Sync wave 1: create namespace/late
`,
		},
		"prunes come first in their wave, in the reverse order of kinds and waves": {
			steps: []plan.Step{
				step(plan.Prune, 0, "", "Namespace", "n"),
				step(plan.Prune, 1, "", "ConfigMap", "c"),
				step(plan.Prune, 0, "apps", "Deployment", "d"),
				step(plan.Create, 0, "", "ConfigMap", "new"),
				step(plan.Create, 2, "", "ConfigMap", "newer"),
			},
			want: `1 Sync wave 0: prune configmap/c
2 Sync wave 0: create configmap/new
3 Sync wave 1: prune deployment.apps/d (restarts pods)
4 Sync wave 1: prune namespace/n (can lose data)
5 Sync wave 2: create configmap/newer
`,
		},
		"prunes that are to come last do": {
			steps: []plan.Step{
				last(step(plan.Prune, -3, "", "ConfigMap", "c")),
				step(plan.Prune, 0, "", "ConfigMap", "d"),
				step(plan.Create, 2, "", "ConfigMap", "new"),
			},
			want: `1 Sync wave -3: prune configmap/d
2 Sync wave 2: create configmap/new
3 Sync wave 3: prune configmap/c
`,
		},
		"phases come before waves, and hooks stand among the objects of theirs": {
			steps: []plan.Step{
				step(plan.Create, -1, "", "ConfigMap", "a"),
				step(plan.Create, 0, "apps", "Deployment", "web"),
				in(plan.PostSync, step(plan.Run, -5, "batch", "Job", "smoke")),
				in(plan.PreSync, step(plan.Run, 5, "batch", "Job", "migrate")),
				in(plan.PreSync, step(plan.Run, 0, "", "ServiceAccount", "migrate")),
				in(plan.Sync, step(plan.Run, 0, "", "ConfigMap", "during")),
			},
			want: `1 PreSync wave 0: run serviceaccount/migrate
2 PreSync wave 5: run job.batch/migrate
3 Sync wave -1: create configmap/a
4 Sync wave 0: run configmap/during
5 Sync wave 0: create deployment.apps/web
6 PostSync wave -5: run job.batch/smoke
`,
		},
		"what restarts pods and what loses data is said": {
			steps: []plan.Step{
				changing(step(plan.Change, 0, "apps", "Deployment", "image"), ".spec.template.spec.containers[name=\"web\"].image"),
				changing(step(plan.Change, 0, "apps", "Deployment", "replicas"), ".spec.replicas"),
				anew(step(plan.Change, 0, "", "PersistentVolumeClaim", "data")),
			},
			want: `1 Sync wave 0: change persistentvolumeclaim/data (deletes and creates anew, can lose data)
2 Sync wave 0: change deployment.apps/image (restarts pods)
2 Sync wave 0: change deployment.apps/replicas
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan.MirrorPrunes(test.steps, func(step plan.Step) bool { return step.Options.PruneLast })
			if got := plan.Build(test.steps).String(); got != test.want {
				t.Errorf("plan:\n%swant:\n%s", got, test.want)
			}
		})
	}
}

func in(phase plan.Phase, step plan.Step) plan.Step { step.Phase = phase; return step }

func last(step plan.Step) plan.Step { step.Options.PruneLast = true; return step }

func anew(step plan.Step) plan.Step {
	step.Options.Replace, step.Options.Force = true, true
	return step
}

func changing(step plan.Step, fields ...string) plan.Step { step.Fields = fields; return step }

func TestADigestNamesWhatAPlanDoes(t *testing.T) {
	t.Parallel()
	step := func() plan.Step {
		return plan.Step{Action: plan.Change, Reference: plan.Reference{Version: "v1", Kind: "ConfigMap", Name: "a"}, Hash: "1", UID: "u", Fields: []string{".data.a"}}
	}
	base := plan.Build([]plan.Step{step()}).Digest()
	if again := plan.Build([]plan.Step{step()}).Digest(); again != base || len(base) != 16 {
		t.Errorf("digests %s and %s of one plan", base, again)
	}
	for name, alter := range map[string]func(*plan.Step){
		"the content":     func(s *plan.Step) { s.Hash = "2" },
		"the live object": func(s *plan.Step) { s.UID = "v" },
		"the fields":      func(s *plan.Step) { s.Fields = append(s.Fields, ".data.b") },
		"the wave":        func(s *plan.Step) { s.Wave = 1 },
		"the options":     func(s *plan.Step) { s.Options.Force = true },
		"the action":      func(s *plan.Step) { s.Action = plan.Create },
	} {
		other := step()
		alter(&other)
		if plan.Build([]plan.Step{other}).Digest() == base {
			t.Errorf("the digest does not tell %s apart", name)
		}
	}
}

func TestWavesAreOrderedByPhase(t *testing.T) {
	t.Parallel()
	waves := plan.Build([]plan.Step{
		{Action: plan.Run, Phase: plan.PostSync, Reference: plan.Reference{Kind: "Job", Group: "batch", Name: "b"}},
		{Action: plan.Create, Wave: 2, Reference: plan.Reference{Kind: "ConfigMap", Name: "a"}},
		{Action: plan.Create, Wave: 2, Reference: plan.Reference{Kind: "Namespace", Name: "a"}},
	}).Waves()
	if len(waves) != 2 || waves[0].Phase != plan.Sync || waves[0].Number != 2 || len(waves[0].Stages) != 2 || waves[1].Phase != plan.PostSync {
		t.Fatalf("waves %+v", waves)
	}
	if !waves[0].Before(waves[1].Phase, waves[1].Number) || waves[1].Before(waves[0].Phase, waves[0].Number) || waves[0].Before(plan.Sync, 2) {
		t.Error("the order of the waves is not that of the phases and numbers")
	}
}
