package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

func annotated(pairs ...string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "batch/v1", "kind": "Job"}}
	annotations := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		annotations[pairs[i]] = pairs[i+1]
	}
	obj.SetAnnotations(annotations)
	return obj
}

func TestHooksAreReadFromAnnotations(t *testing.T) {
	t.Parallel()
	const argo, helm = "argocd.argoproj.io/hook", "helm.sh/hook"
	for name, test := range map[string]struct {
		obj  *unstructured.Unstructured
		want string // "" for no hook
	}{
		"no annotation is no hook":         {annotated(), ""},
		"a phase":                          {annotated(argo, "PreSync"), "[PreSync] [BeforeHookCreation] wave 0"},
		"several, in the order of phases":  {annotated(argo, " PostSync , PreSync,PreSync"), "[PreSync PostSync] [BeforeHookCreation] wave 0"},
		"Skip is never run":                {annotated(argo, "Skip"), "[] [BeforeHookCreation] wave 0"},
		"a word that is not known":         {annotated(argo, "Presync"), "[] [BeforeHookCreation] wave 0"},
		"policies":                         {annotated(argo, "Sync", "argocd.argoproj.io/hook-delete-policy", "HookSucceeded,HookFailed,Never"), "[Sync] [HookSucceeded HookFailed] wave 0"},
		"Helm's, with weight and policy":   {annotated(helm, "pre-install,pre-upgrade", "helm.sh/hook-weight", "-5", "helm.sh/hook-delete-policy", "hook-succeeded"), "[PreSync] [HookSucceeded] wave -5"},
		"Helm's definitions are objects":   {annotated(helm, "crd-install"), ""},
		"Helm's tests and rollbacks":       {annotated(helm, "test,pre-rollback"), "[] [BeforeHookCreation] wave 0"},
		"Argo CD's goes before Helm's":     {annotated(argo, "PostSync", helm, "pre-install"), "[PostSync] [BeforeHookCreation] wave 0"},
		"a wave goes before a weight":      {annotated(helm, "post-delete", "helm.sh/hook-weight", "3", "argocd.argoproj.io/sync-wave", "7"), "[PostDelete] [BeforeHookCreation] wave 7"},
		"a wave that is no number is none": {annotated(argo, "SyncFail", "argocd.argoproj.io/sync-wave", "late"), "[SyncFail] [BeforeHookCreation] wave 0"},
		"deletion has phases of its own":   {annotated(argo, "PreDelete,PostDelete"), "[PreDelete PostDelete] [BeforeHookCreation] wave 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if hook, ok := plan.HookOf(test.obj); ok {
				got = fmt.Sprintf("%v %v wave %d", hook.Phases, hook.Policies, plan.WaveOf(test.obj))
			}
			if got != test.want || (got != "") != plan.IsHook(test.obj) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestHelmHooksRunAtTheirEvents(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"pre-install":              "install:PreSync",
		"pre-upgrade":              "upgrade:PreSync",
		"pre-install,pre-upgrade":  "install:PreSync upgrade:PreSync",
		"pre-install,post-upgrade": "install:PreSync upgrade:PostSync",
		"post-install":             "install:PostSync",
	} {
		obj := annotated("helm.sh/hook", value)
		hook, _ := plan.HookOf(obj)
		var got []string
		for _, event := range []plan.Event{plan.Install, plan.Upgrade} {
			for _, phase := range []plan.Phase{plan.PreSync, plan.Sync, plan.PostSync} {
				if hook.RunsIn(obj, phase, event) {
					got = append(got, fmt.Sprintf("%s:%s", event, phase))
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s runs at %v, want %s", value, got, want)
		}
	}
	native := annotated("argocd.argoproj.io/hook", "PreSync")
	if hook, _ := plan.HookOf(native); !hook.RunsIn(native, plan.PreSync, plan.Install) || !hook.RunsIn(native, plan.PreSync, plan.Upgrade) {
		t.Error("a hook of Argo CD does not run at every sync")
	}
}

func FuzzHookOf(f *testing.F) {
	f.Add("PreSync,Sync", "pre-install", "HookFailed", "1")
	f.Fuzz(func(t *testing.T, argo, helm, policy, wave string) {
		obj := annotated("argocd.argoproj.io/hook", argo, "helm.sh/hook", helm, "argocd.argoproj.io/hook-delete-policy", policy, "helm.sh/hook-weight", wave)
		hook, ok := plan.HookOf(obj)
		if !ok || len(hook.Phases) > 6 || len(hook.Policies) == 0 {
			t.Errorf("%q makes the hook %+v", argo, hook)
		}
		plan.WaveOf(obj)
	})
}
