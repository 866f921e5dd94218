package health

import "strings"

// generic reads what controllers report by the conventions of Kubernetes' API (those that kstatus reads): the observed
// generation and the conditions Stalled, Reconciling and Ready, and the few others that are common and mean one thing.
//
// It judges only what an object says in these words. One that says none of it has no health, and none is called
// Degraded or Progressing for a condition that is not known here.
func generic(obj map[string]any) (Result, bool) {
	list := conditions(obj)
	if outdated(obj) {
		return unseen(unobserved), true
	}
	for _, rule := range []when{
		isTrue("Stalled", Degraded), isTrue("Failed", Degraded), isTrue("Reconciling", Progressing),
	} {
		if result, ok := firstOf(obj, list, []when{rule}); ok {
			return result, true
		}
	}
	for _, kind := range []string{"Ready", "Available", "Succeeded", "Synced"} {
		for _, c := range list {
			if c.kind == kind {
				return conventional(obj, c), true
			}
		}
	}
	return Result{}, false
}

// conventional reads a summary. False means not yet, unless the reason says that something failed.
func conventional(obj map[string]any, c condition) Result {
	switch {
	case c.seen && c.generation < amount(obj, "metadata", "generation"):
		return unseen(unobserved)
	case c.status == "True":
		return say(Healthy, c.why()).from(c.since)
	case c.status == "False" && failed(c.reason):
		return say(Degraded, because(c.kind+" is False", c.why())).from(c.since)
	default:
		return say(Progressing, because(c.kind+" is "+orElse(c.status, "not known"), c.why())).from(c.since)
	}
}

func failed(reason string) bool {
	for _, part := range []string{"Fail", "Error", "Invalid", "Denied", "Rejected", "Forbidden", "Unauthorized"} {
		if strings.Contains(reason, part) {
			return true
		}
	}
	return false
}
