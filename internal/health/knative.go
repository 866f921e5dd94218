package health

import "strings"

func hasSuffix(s, suffix string) bool { return strings.HasSuffix(s, suffix) }

// knativePatterns hold for all of Knative: Ready sums the other conditions up, Unknown means under way.
func knativePatterns() []pattern {
	summary := withStatus(byConditions("It has not been observed by its controller yet",
		isFalse("Ready", Degraded), isUnknown("Ready"), isTrue("Ready", Healthy)))
	out := make([]pattern, 0, 6)
	for _, group := range []string{"serving", "eventing", "messaging", "sources", "operator", "flows"} {
		out = append(out, pattern{group: group + ".knative.dev", check: summary})
	}
	return append(out, pattern{group: "networking.internal.knative.dev", check: summary}, pattern{group: "autoscaling.internal.knative.dev", check: summary})
}

func knative() map[string]check {
	summary := byConditions("It has not been observed by its controller yet",
		isFalse("Ready", Degraded), isUnknown("Ready"), isTrue("Ready", Healthy))
	revision := byConditions("The revision has not been observed by its controller yet",
		isFalse("Ready", Healthy).because("NoTraffic"), isFalse("Ready", Degraded), isUnknown("Ready"), isTrue("Ready", Healthy))
	return merged(
		each("serving.knative.dev", summary, "Service", "Route", "Configuration", "DomainMapping"),
		each("serving.knative.dev", revision, "Revision"),
		each("eventing.knative.dev", summary, "Broker", "Trigger"),
		each("serving.kserve.io", summary, "InferenceService"),
		each("operator.knative.dev", summary, "KnativeServing", "KnativeEventing"),
		each("tekton.dev", suspended("The run is pending", byConditions("The run has not started yet",
			isTrue("Succeeded", Healthy), isFalse("Succeeded", Degraded), isUnknown("Succeeded")), "spec", "paused"), "PipelineRun", "TaskRun", "CustomRun"),
		each("operator.tekton.dev", withStatus(generic), "TektonConfig", "TektonPipeline", "TektonTrigger", "TektonDashboard"),
	)
}
