package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Annotations of Helm that make a hook.
const (
	helmHook             = "helm.sh/hook"
	helmHookDeletePolicy = "helm.sh/hook-delete-policy"
	helmHookWeight       = "helm.sh/hook-weight"
)

// Event is what happens to a release in the eyes of Helm.
type Event string

// The events that tell Helm's hooks apart.
const (
	// Install is the first sync of an Application.
	Install Event = "install"
	// Upgrade is each further one.
	Upgrade Event = "upgrade"
)

// Hook is what the annotations of an object say about it as a hook.
type Hook struct {
	// Phases are when it runs, each once, in the order of the phases. None for a
	// hook that is never run.
	Phases []Phase
	// Events are the events that it runs at; none means at all.
	Events []Event
	// Policies are when it is deleted.
	Policies []v1alpha1.HookDeletePolicy
}

// IsHook says whether an object is a hook, which runs during a sync and is not
// part of the desired state.
func IsHook(obj *unstructured.Unstructured) bool {
	annotations := obj.GetAnnotations()
	if _, ok := annotations[v1alpha1.AnnotationHook]; ok {
		return true
	}
	value, ok := annotations[helmHook]
	return ok && !slices.Contains(list(value), "crd-install")
}

// HookOf reads what sort of hook an object is. The annotations of Argo CD go
// before Helm's on the same object. Words that are not known count for nothing,
// so that a hook which only they name is never run.
func HookOf(obj *unstructured.Unstructured) (Hook, bool) {
	if !IsHook(obj) {
		return Hook{}, false
	}
	annotations := obj.GetAnnotations()
	hook := Hook{Policies: policiesOf(annotations)}
	if value, ok := annotations[v1alpha1.AnnotationHook]; ok {
		for _, word := range list(value) {
			switch phase := Phase(word); phase {
			case PreSync, Sync, PostSync, SyncFail, PreDelete, PostDelete:
				hook.Phases = append(hook.Phases, phase)
			}
		}
	} else {
		for _, word := range list(annotations[helmHook]) {
			if known, ok := helmHooks[word]; ok {
				hook.Phases = append(hook.Phases, known.phase)
				if known.event != "" {
					hook.Events = append(hook.Events, known.event)
				}
			}
		}
	}
	slices.SortFunc(hook.Phases, func(a, b Phase) int { return cmp.Or(cmp.Compare(a.order(), b.order()), cmp.Compare(a, b)) })
	hook.Phases = slices.Compact(hook.Phases)
	return hook, true
}

// helmHooks are Helm's hooks, by the phase that they run in and the event that
// they belong to. Those of a rollback and of a test never run.
var helmHooks = map[string]struct {
	phase Phase
	event Event
}{
	"pre-install":  {PreSync, Install},
	"pre-upgrade":  {PreSync, Upgrade},
	"post-install": {PostSync, Install},
	"post-upgrade": {PostSync, Upgrade},
	"pre-delete":   {PreDelete, ""},
	"post-delete":  {PostDelete, ""},
}

// RunsIn says whether the hook runs in a phase, at an event. A Helm hook for
// one event of several is told by its phase and event together, so one of
// pre-install and post-upgrade runs before the first sync and after all others.
func (h Hook) RunsIn(obj *unstructured.Unstructured, phase Phase, event Event) bool {
	if !slices.Contains(h.Phases, phase) {
		return false
	}
	if len(h.Events) == 0 {
		return true
	}
	return slices.ContainsFunc(list(obj.GetAnnotations()[helmHook]), func(word string) bool {
		known, ok := helmHooks[word]
		return ok && known.phase == phase && (known.event == "" || known.event == event)
	})
}

// DeletedWhen says whether a policy of the hook asks for its deletion.
func (h Hook) DeletedWhen(policy v1alpha1.HookDeletePolicy) bool {
	return slices.Contains(h.Policies, policy)
}

// policiesOf reads when a hook is deleted: before it is made anew, if it does
// not say otherwise.
func policiesOf(annotations map[string]string) []v1alpha1.HookDeletePolicy {
	var policies []v1alpha1.HookDeletePolicy
	for _, word := range list(annotations[v1alpha1.AnnotationHookDeletePolicy]) {
		switch policy := v1alpha1.HookDeletePolicy(word); policy {
		case v1alpha1.HookDeletePolicyBeforeHookCreation, v1alpha1.HookDeletePolicyHookSucceeded, v1alpha1.HookDeletePolicyHookFailed:
			policies = append(policies, policy)
		}
	}
	for _, word := range list(annotations[helmHookDeletePolicy]) {
		switch word {
		case "before-hook-creation":
			policies = append(policies, v1alpha1.HookDeletePolicyBeforeHookCreation)
		case "hook-succeeded":
			policies = append(policies, v1alpha1.HookDeletePolicyHookSucceeded)
		case "hook-failed":
			policies = append(policies, v1alpha1.HookDeletePolicyHookFailed)
		}
	}
	if len(policies) == 0 {
		return []v1alpha1.HookDeletePolicy{v1alpha1.HookDeletePolicyBeforeHookCreation}
	}
	return policies
}

// WaveOf reads the sync wave of an object, or the weight that Helm's hooks have
// in its place; 0 when neither is a number, as documented for Argo CD.
func WaveOf(obj *unstructured.Unstructured) int {
	annotations := obj.GetAnnotations()
	value, ok := annotations[v1alpha1.AnnotationSyncWave]
	if !ok {
		value = annotations[helmHookWeight]
	}
	wave, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil {
		return 0
	}
	return wave
}

// list splits at commas.
func list(value string) []string {
	var words []string
	for word := range strings.SplitSeq(value, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}
