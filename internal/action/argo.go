package action

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func argo() map[string][]builtin {
	createFromTemplate := builtin{name: "create-workflow", display: "Create Workflow", icon: iconNew, run: workflowOfTemplate}
	return map[string][]builtin{
		"argoproj.io/Rollout": {
			{name: "restart", display: "Restart Pods", icon: iconRestart, run: stamping(rfc3339, "spec", "restartAt")},
			{name: "pause", icon: iconPause, disabled: func(o object) bool { return o.flag("spec", "paused") || aborted(o) || promoted(o) }, run: setting(true, "spec", "paused")},
			{name: "resume", icon: iconPlay, disabled: func(o object) bool { return !halted(o) }, run: resumeRollout},
			{name: "abort", icon: iconStop, disabled: func(o object) bool { return aborted(o) || promoted(o) }, run: setting(true, "status", "abort")},
			{name: "retry", icon: iconRefresh, disabled: func(o object) bool { return !aborted(o) }, run: setting(false, "status", "abort")},
			{name: "promote-full", display: "Promote Full", icon: "fa fa-fw fa-forward", disabled: promoted, run: setting(true, "status", "promoteFull")},
			{name: "skip-current-step", display: "Skip Current Step", icon: "fa fa-fw fa-step-forward", disabled: noStep, run: skipStep},
		},
		"argoproj.io/AnalysisRun": {{name: "terminate", icon: iconStop, disabled: over, run: setting(true, "spec", "terminate")}},
		"argoproj.io/Workflow": {
			{name: "suspend", icon: iconPause, disabled: func(o object) bool { return over(o) || o.flag("spec", "suspend") }, run: setting(true, "spec", "suspend")},
			{name: "resume", icon: iconPlay, disabled: func(o object) bool { return over(o) || !o.flag("spec", "suspend") }, run: setting(false, "spec", "suspend")},
			{name: "stop", icon: iconStop, disabled: over, run: setting("Stop", "spec", "shutdown")},
			{name: "terminate", icon: "fa fa-fw fa-times-circle", disabled: over, run: setting("Terminate", "spec", "shutdown")},
		},
		"argoproj.io/CronWorkflow": {
			{name: "suspend", icon: iconPause, disabled: on("spec", "suspend"), run: setting(true, "spec", "suspend")},
			{name: "resume", icon: iconPlay, disabled: off("spec", "suspend"), run: setting(false, "spec", "suspend")},
			{name: "create-workflow", display: "Create Workflow", icon: iconNew, run: workflowOfSchedule},
		},
		"argoproj.io/WorkflowTemplate": {createFromTemplate},
	}
}

func aborted(o object) bool { return o.flag("status", "abort") }

// promoted says that the newest version serves everything.
func promoted(o object) bool {
	stable := o.text("status", "stableRS")
	if stable == "" {
		stable = o.text("status", "blueGreen", "activeSelector")
	}
	return stable != "" && stable == o.text("status", "currentPodHash")
}

func halted(o object) bool {
	conditions, _ := o.at("status", "pauseConditions").([]any)
	return o.flag("spec", "paused") || len(conditions) > 0
}

func resumeRollout(r request) ([]Change, error) {
	unstructured.RemoveNestedField(r.obj.Object, "status", "pauseConditions")
	if object(r.obj.Object).flag("spec", "paused") {
		return setting(false, "spec", "paused")(r)
	}
	return r.patch(), nil
}

// step is the step of a canary that a rollout is at, and how many there are.
func step(o object) (at, all int64) {
	steps, _ := o.at("spec", "strategy", "canary", "steps").([]any)
	at, _ = o.number("status", "currentStepIndex")
	return at, int64(len(steps))
}

func noStep(o object) bool {
	at, all := step(o)
	return at >= all || promoted(o) || aborted(o)
}

func skipStep(r request) ([]Change, error) {
	at, _ := step(object(r.obj.Object))
	unstructured.RemoveNestedField(r.obj.Object, "status", "pauseConditions")
	return setting(at+1, "status", "currentStepIndex")(r)
}

// over says that a run has come to its end.
func over(o object) bool {
	switch o.text("status", "phase") {
	case "", "Pending", "Running":
		return false
	default:
		return true
	}
}

func workflowOfSchedule(r request) ([]Change, error) {
	o := object(r.obj.Object)
	spec, ok := o.at("spec", "workflowSpec").(map[string]any)
	if !ok {
		return nil, fmt.Errorf("CronWorkflow %s has no spec.workflowSpec", r.obj.GetName())
	}
	meta, _ := o.at("spec", "workflowMetadata").(map[string]any)
	workflow := r.made(r.obj.GetAPIVersion(), "Workflow", spec, object{"metadata": meta})
	label(workflow, "workflows.argoproj.io/cron-workflow", r.obj.GetName())
	annotate(workflow, "workflows.argoproj.io/scheduled-time", rfc3339(r.now))
	return []Change{{Create, workflow}}, nil
}

func workflowOfTemplate(r request) ([]Change, error) {
	reference := map[string]any{"name": r.obj.GetName()}
	workflow := r.made(r.obj.GetAPIVersion(), "Workflow", map[string]any{"workflowTemplateRef": reference}, nil)
	// The template does not own what is run from it.
	workflow.SetOwnerReferences(nil)
	label(workflow, "workflows.argoproj.io/workflow-template", r.obj.GetName())
	return []Change{{Create, workflow}}, nil
}
