package action

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func jobs() map[string][]builtin {
	suspend := builtin{name: "suspend", icon: iconPause, disabled: on("spec", "suspend"), run: setting(true, "spec", "suspend")}
	resume := builtin{name: "resume", icon: iconPlay, disabled: off("spec", "suspend"), run: setting(false, "spec", "suspend")}
	return map[string][]builtin{
		"batch/CronJob": {suspend, resume, {name: "create-job", display: "Create Job", icon: iconNew, run: createJob}},
		"batch/Job": {
			unless(ended, suspend), unless(ended, resume),
			// A deadline that has passed is how a Job is ended without being deleted.
			{name: "terminate", icon: iconStop, disabled: ended, run: func(r request) ([]Change, error) {
				if err := r.set(int64(1), "spec", "activeDeadlineSeconds"); err != nil {
					return nil, err
				}
				return setting(false, "spec", "suspend")(r)
			}},
		},
	}
}

// unless disables an action in further states.
func unless(also func(object) bool, b builtin) builtin {
	before := b.disabled
	b.disabled = func(o object) bool { return before(o) || also(o) }
	return b
}

func ended(o object) bool {
	list, _ := o.at("status", "conditions").([]any)
	for _, item := range list {
		c, _ := item.(map[string]any)
		if kind := c["type"]; (kind == "Complete" || kind == "Failed") && c["status"] == "True" {
			return true
		}
	}
	return false
}

// createJob makes a Job as the CronJob would at its next run.
func createJob(r request) ([]Change, error) {
	template, _ := object(r.obj.Object).at("spec", "jobTemplate").(map[string]any)
	spec, ok := template["spec"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("CronJob %s has no spec.jobTemplate.spec", r.obj.GetName())
	}
	job := r.made("batch/v1", "Job", spec, object(template))
	annotate(job, "cronjob.kubernetes.io/instantiate", "manual")
	return []Change{{Create, job}}, nil
}

// made is a new object that belongs to the one of the action, with the labels and annotations of a template.
func (r request) made(apiVersion, kind string, spec map[string]any, template object) *unstructured.Unstructured {
	out := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "spec": spec}}
	out.SetNamespace(r.obj.GetNamespace())
	// Names of what these objects make are longer still; the limit of labels is 63.
	out.SetName(shorten(r.obj.GetName(), 48) + "-" + r.now.Format("20060102150405"))
	for _, field := range []string{"labels", "annotations"} {
		if values, ok := template.at("metadata", field).(map[string]any); ok && len(values) > 0 {
			_ = unstructured.SetNestedMap(out.Object, values, "metadata", field)
		}
	}
	owner := map[string]any{
		"apiVersion": r.obj.GetAPIVersion(), "kind": r.obj.GetKind(), "name": r.obj.GetName(), "uid": string(r.obj.GetUID()),
		"controller": true, "blockOwnerDeletion": true,
	}
	_ = unstructured.SetNestedSlice(out.Object, []any{owner}, "metadata", "ownerReferences")
	return out
}

func shorten(s string, n int) string { return s[:min(len(s), n)] }

func annotate(obj *unstructured.Unstructured, key, value string) {
	annotations := obj.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	obj.SetAnnotations(annotations)
}

func label(obj *unstructured.Unstructured, key, value string) {
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[key] = value
	obj.SetLabels(labels)
}
