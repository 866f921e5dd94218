package health

import "time"

// Status is a word for how well something does. The words are those of Argo CD and appear in the status of
// Applications.
type Status string

// The words, from best to worst.
const (
	// Healthy means that the object does what it is for.
	Healthy Status = "Healthy"
	// Suspended means that the object is paused on purpose and waits for somebody to let it go on.
	Suspended Status = "Suspended"
	// Progressing means that the object is not healthy yet and may still become so by itself.
	Progressing Status = "Progressing"
	// Missing means that the object does not exist in the cluster.
	Missing Status = "Missing"
	// Degraded means that the object failed, or did not become healthy in the time it was given.
	Degraded Status = "Degraded"
	// Unknown means that the health could not be found out.
	Unknown Status = "Unknown"
)

// Result is what an assessment gives.
type Result struct {
	// Status is the word.
	Status Status
	// Message is one sentence on why, empty when there is nothing to add to the word.
	Message string
	// Since is when it began, as far as the object tells; the zero time when it does not.
	Since time.Time
	// Revision is what was deployed when it began, where that may be the cause (see [Explain]).
	Revision string
	// Troubled says that pods have a reason for not being ready, beside that they are starting (see [Explain]).
	Troubled bool
	// unseen says that the controller has not looked at the present specification, so that what the object's pods do is
	// not about it.
	unseen bool
}

func say(word Status, message string) Result { return Result{Status: word, Message: message} }

func unseen(message string) Result {
	return Result{Status: Progressing, Message: message, unseen: true}
}

// from adds when it began, from a time as the API writes it.
func (r Result) from(since string) Result {
	if at, err := time.Parse(time.RFC3339, since); err == nil {
		r.Since = at
	}
	return r
}

// severity gives the place of a word in the order; a word that is none of ours counts as the best, so that the answer
// of a foreign check never hides a known problem.
func severity(s Status) int {
	switch s {
	case Suspended:
		return 1
	case Progressing:
		return 2
	case Missing:
		return 3
	case Degraded:
		return 4
	case Unknown:
		return 5
	case Healthy:
		return 0
	default:
		return 0
	}
}

// Worse tells whether a is worse than b.
func Worse(a, b Status) bool {
	return severity(a) > severity(b)
}

// Worst gives the worst of the words, Healthy when there is none.
func Worst(words ...Status) Status {
	worst := Healthy
	for _, w := range words {
		if Worse(w, worst) {
			worst = w
		}
	}
	return worst
}

// Part is one object of an application, as Overall needs it.
type Part struct {
	// Status is the object's health; empty when the object has none.
	Status Status
	// Exists tells whether the object is in the cluster.
	Exists bool
	// Ignored tells that the object asks not to be counted (see [IgnoredInApplication]).
	Ignored bool
}

// Overall folds the objects of an application into the application's health: the worst of the objects that exist. An
// object that does not exist shows in the sync status and does not count here, but an application of which nothing
// exists is Missing. An application without objects is Healthy.
func Overall(parts []Part) Status {
	overall := Healthy
	exists := false
	for _, p := range parts {
		exists = exists || p.Exists
		if p.Exists && !p.Ignored && Worse(p.Status, overall) {
			overall = p.Status
		}
	}
	if len(parts) > 0 && !exists {
		return Worst(overall, Missing)
	}
	return overall
}
