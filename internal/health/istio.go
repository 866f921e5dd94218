package health

// istioPatterns hold for Istio's configuration, which has a status only where its analysis is switched on.
func istioPatterns() []pattern {
	out := make([]pattern, 0, 4)
	for _, group := range []string{"networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"} {
		out = append(out, pattern{group: group, check: analysed})
	}
	return out
}

func istio() map[string]check {
	return merged(
		each("install.istio.io", byField(words{
			field: []string{"status", "status"}, message: []string{"status", "message"}, waiting: "The installation has not been looked at yet", otherwise: Unknown,
			meaning: either(phases(Healthy, "HEALTHY"), phases(Progressing, "NONE", "RECONCILING", "UPDATING"),
				phases(Degraded, "ERROR"), phases(Suspended, "ACTION_REQUIRED")),
		}), "IstioOperator"),
		each("sailoperator.io", byConditions("The installation has not been looked at yet",
			isFalse("Reconciled", Degraded), isFalse("Ready", Progressing), isUnknown("Ready"), isTrue("Ready", Healthy)),
			"Istio", "IstioRevision", "IstioRevisionTag", "IstioCNI", "ZTunnel"),
	)
}

func analysed(obj map[string]any) (Result, bool) {
	messages := items(obj, "status", "validationMessages")
	list := conditions(obj)
	if len(messages) == 0 && len(list) == 0 {
		return Result{}, false
	}
	if outdated(obj) {
		return unseen(unobserved), true
	}
	for _, message := range messages {
		if level := text(message, "level"); level == "ERROR" || amount(message, "level") == errorLevel {
			return say(Degraded, because("The analysis found "+text(message, "type", "code"), orElse(text(message, "type", "name"), text(message, "documentationUrl")))), true
		}
	}
	if result, ok := firstOf(obj, list, []when{isFalse("Reconciled", Progressing)}); ok {
		return result, true
	}
	return Result{Status: Healthy}, true
}

// errorLevel is how some releases write the level ERROR.
const errorLevel = 3
