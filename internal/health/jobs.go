package health

import "time"

func job(obj map[string]any) Result {
	var complete, suspended bool
	var message string
	for _, c := range conditions(obj) {
		// The condition types of an end are only ever added with status True; a status of False is read as absent.
		on := c.status != "False"
		switch c.kind {
		case "Failed":
			if on {
				return say(Degraded, because("The job failed", orElse(c.message, c.reason))).from(c.since)
			}
		case "Complete":
			complete, message = complete || on, c.message
		case "Suspended":
			suspended = c.status == "True"
		}
	}
	switch {
	case complete:
		return say(Healthy, message)
	case suspended || flag(obj, "spec", "suspend"):
		return say(Suspended, "The job is suspended")
	default:
		return say(Progressing, jobProgress(obj))
	}
}

func jobProgress(obj map[string]any) string {
	active := amount(obj, "status", "active")
	switch failed := amount(obj, "status", "failed"); {
	case failed > 0:
		return count(active, "pod") + " running after " + count(failed, "failed attempt")
	case active > 0:
		return count(active, "pod") + " running"
	default:
		return "The job has not started a pod yet"
	}
}

// cronJob never says Suspended, as in Argo CD: a schedule switched off would otherwise put the whole application to
// Suspended.
func cronJob(obj map[string]any) Result {
	if flag(obj, "spec", "suspend") {
		return say(Healthy, "The schedule is suspended")
	}
	if _, ok := at(obj, "status").(map[string]any); !ok {
		return say(Progressing, "The schedule has not been observed by the cron job controller yet")
	}
	scheduled := text(obj, "status", "lastScheduleTime")
	succeeded := text(obj, "status", "lastSuccessfulTime")
	active, _ := at(obj, "status", "active").([]any)
	switch {
	case scheduled == "":
		return say(Healthy, "No run has been due yet")
	case succeeded == "":
		return say(Healthy, "No run has succeeded yet")
	case len(active) > 0:
		return say(Healthy, "A run is under way")
	case before(succeeded, scheduled):
		return say(Degraded, "The last run did not succeed")
	default:
		return say(Healthy, "The last run succeeded")
	}
}

// before compares two times of the API, which are texts in RFC 3339.
func before(a, b string) bool {
	at, err := time.Parse(time.RFC3339, a)
	if err != nil {
		return false
	}
	bt, err := time.Parse(time.RFC3339, b)
	return err == nil && at.Before(bt)
}

func workflow(obj map[string]any) Result {
	message := text(obj, "status", "message")
	switch text(obj, "status", "phase") {
	case "", "Pending", "Running":
		return say(Progressing, message)
	case "Succeeded":
		return say(Healthy, message)
	case "Failed", "Error":
		return say(Degraded, message)
	default:
		return say(Unknown, message)
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
