package health

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Annotations and finalizers that change how an object is assessed.
const (
	// AnnotationIgnore set to "true" takes an object out of its application's health.
	AnnotationIgnore = "argocd.argoproj.io/ignore-healthcheck"
	// AnnotationIgnoreRestartPolicy set to "true" has a Pod that is never restarted assessed like one that always is.
	AnnotationIgnoreRestartPolicy = "argocd.argoproj.io/ignore-restart-policy"

	annotationHook     = "argocd.argoproj.io/hook"
	annotationHelmHook = "helm.sh/hook"
	finalizerHook      = "argocd.argoproj.io/hook-finalizer"
)

// IgnoredInApplication tells whether the object asks not to be counted in its application's health.
func IgnoredInApplication(obj *unstructured.Unstructured) bool {
	return annotation(obj.Object, AnnotationIgnore) == "true"
}

// Assess judges one live object by what is built in. The second value is false for an object that has no health; it
// does not count. The object is only read. Safe for concurrent use.
func Assess(obj *unstructured.Unstructured) (Result, bool) {
	if obj == nil || obj.Object == nil {
		return Result{}, false
	}
	if result, ok := deletion(obj.Object); ok {
		return result, true
	}
	return builtin(obj.Object)
}

// deletion is the health of an object that is being deleted, whatever its kind.
func deletion(obj map[string]any) (Result, bool) {
	at := text(obj, "metadata", "deletionTimestamp")
	if at == "" {
		return Result{}, false
	}
	finalizers := texts(obj, "metadata", "finalizers")
	if contains(finalizers, finalizerHook) {
		return Result{}, false
	}
	return pendingDeletion(finalizers).from(at), true
}

// builtin asks the most specific check that concerns the kind: of the kind itself, of a pattern, of all kinds.
func builtin(obj map[string]any) (Result, bool) {
	group, kind := groupOf(text(obj, "apiVersion")), text(obj, "kind")
	if check, ok := kinds[group+"/"+kind]; ok {
		return check(obj)
	}
	for _, p := range patterns {
		if p.matches(group, kind) {
			return p.check(obj)
		}
	}
	if kind == "" || withoutHealth(group, kind) {
		return Result{}, false
	}
	return generic(obj)
}

func pendingDeletion(finalizers []string) Result {
	if len(finalizers) == 0 {
		return say(Progressing, "Pending deletion")
	}
	return say(Progressing, "Pending deletion: waits for "+plural(len(finalizers), "finalizer")+" "+strings.Join(finalizers, ", "))
}

func groupOf(apiVersion string) string {
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// plural gives the noun in the number that n asks for.
func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// count gives "1 pod", "2 pods".
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
