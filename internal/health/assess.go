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

// Assess judges one live object. The second value is false for a kind that this package knows nothing about; such an
// object has no health and does not count. The object is only read. Safe for concurrent use.
func Assess(obj *unstructured.Unstructured) (Result, bool) {
	if obj == nil || obj.Object == nil {
		return Result{}, false
	}
	if text(obj.Object, "metadata", "deletionTimestamp") != "" {
		finalizers := texts(obj.Object, "metadata", "finalizers")
		if !contains(finalizers, finalizerHook) {
			return pendingDeletion(finalizers), true
		}
	}
	check := checkFor(groupOf(text(obj.Object, "apiVersion")), text(obj.Object, "kind"))
	if check == nil {
		return Result{}, false
	}
	return check(obj.Object), true
}

func checkFor(group, kind string) func(map[string]any) Result {
	switch group + "/" + kind {
	case "apps/Deployment":
		return deployment
	case "apps/StatefulSet":
		return statefulSet
	case "apps/DaemonSet":
		return daemonSet
	case "apps/ReplicaSet":
		return replicaSet
	case "batch/Job":
		return job
	case "batch/CronJob":
		return cronJob
	case "/Pod":
		return pod
	case "/Service":
		return service
	case "/PersistentVolumeClaim":
		return persistentVolumeClaim
	case "networking.k8s.io/Ingress", "extensions/Ingress":
		return ingress
	case "autoscaling/HorizontalPodAutoscaler":
		return horizontalPodAutoscaler
	case "policy/PodDisruptionBudget":
		return podDisruptionBudget
	case "apiregistration.k8s.io/APIService":
		return apiService
	case "apiextensions.k8s.io/CustomResourceDefinition":
		return customResourceDefinition
	case "argoproj.io/Workflow":
		return workflow
	default:
		return nil
	}
}

func pendingDeletion(finalizers []string) Result {
	if len(finalizers) == 0 {
		return Result{Progressing, "Pending deletion"}
	}
	return Result{Progressing, "Pending deletion: waits for " + plural(len(finalizers), "finalizer") + " " + strings.Join(finalizers, ", ")}
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
