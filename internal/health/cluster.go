package health

import (
	"encoding/json"
	"strings"
)

// horizontalPodAutoscaler reads the conditions; the first that says something decides. Version 1 of the API keeps them
// in an annotation.
func horizontalPodAutoscaler(obj map[string]any) Result {
	list := conditions(obj)
	if strings.HasSuffix(text(obj, "apiVersion"), "/v1") {
		var err error
		if list, err = annotatedConditions(annotation(obj, "autoscaling.alpha.kubernetes.io/conditions")); err != nil {
			return say(Unknown, "The conditions in the annotation of the autoscaler cannot be read")
		}
	}
	for _, c := range list {
		switch c.kind + "/" + c.reason {
		case "AbleToScale/FailedGetScale", "AbleToScale/FailedUpdateScale",
			"ScalingActive/FailedGetResourceMetric", "ScalingActive/InvalidSelector":
			return say(Degraded, orElse(c.message, c.reason)).from(c.since)
		}
		if (c.kind == "AbleToScale" || c.kind == "ScalingLimited") && c.status == "True" {
			return say(Healthy, c.message)
		}
	}
	return say(Progressing, "The autoscaler has not looked at its target yet")
}

func annotatedConditions(annotation string) ([]condition, error) {
	if annotation == "" {
		return nil, nil
	}
	var list []struct{ Type, Status, Reason, Message string }
	if err := json.Unmarshal([]byte(annotation), &list); err != nil {
		return nil, err
	}
	out := make([]condition, 0, len(list))
	for _, c := range list {
		out = append(out, condition{kind: c.Type, status: c.Status, reason: c.Reason, message: c.Message})
	}
	return out, nil
}

// podDisruptionBudget does not count a shortage of pods, which is what a budget is there to notice.
func podDisruptionBudget(obj map[string]any) Result {
	result := say(Progressing, "The budget has not been observed by the disruption controller yet")
	for _, c := range conditions(obj) {
		if c.status == "False" && c.reason != "InsufficientPods" {
			return say(Degraded, because("The budget is in "+c.reason, c.message))
		}
		result = say(Healthy, because("The budget is in "+c.reason, c.message))
	}
	return result
}

func apiService(obj map[string]any) Result {
	for _, c := range conditions(obj) {
		if c.kind != "Available" {
			continue
		}
		if c.status == "True" {
			return say(Healthy, because(c.reason, c.message))
		}
		return say(Progressing, because(c.reason, c.message)).from(c.since)
	}
	return say(Progressing, "The API service has not been looked at yet")
}

func customResourceDefinition(obj map[string]any) Result {
	established := false
	for _, c := range conditions(obj) {
		switch {
		case c.kind == "Terminating" && c.status == "True":
			return say(Progressing, because("The definition is being deleted", c.message))
		case c.kind == "NamesAccepted" && c.status == "False":
			return say(Degraded, because("The names are not accepted", c.message))
		case c.kind == "NonStructuralSchema" && c.status == "True":
			return say(Degraded, because("The schema has errors", c.message))
		case c.kind == "Established" && c.status == "True":
			established = true
		case c.kind == "Established" && c.reason == "InvalidCABundle":
			return say(Degraded, because("The definition is not established", c.message))
		}
	}
	if !established {
		return say(Progressing, "The definition is not established yet")
	}
	return Result{Status: Healthy}
}
