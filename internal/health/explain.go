package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pod is what is known of a pod that an object owns, itself or through others.
type Pod struct {
	Name string
	// Reason is the most telling one, empty when the pod only is not ready; a pod that is fine is left out by Ready.
	Reason, Message  string
	Container, Image string
	ExitCode         int
	Restarts         int
	Ready            bool
	// Done says that the pod has ended well.
	Done  bool
	Since time.Time
}

// Deployed is a revision that the application was synced to.
type Deployed struct {
	// Revision is a commit or a version, as people are shown it.
	Revision string
	Started  time.Time
}

// causedWithin is how long after a sync trouble may begin that is put down to it: a rollout may take until its
// progress deadline, ten minutes by default, to show it.
const causedWithin = 15 * time.Minute

// Explain completes what an object says of itself: with what its pods say, since when, and since which revision. The
// message of an object that is Healthy, Suspended or Missing stays as it is.
func Explain(r Result, pods []Pod, history []Deployed) Result {
	if r.unseen || r.Status != Progressing && r.Status != Degraded {
		return r
	}
	if causes := group(pods); len(causes) > 0 {
		r.Message = because(r.Message, sentence(causes))
		r.Since, r.Troubled = causes[0].since, causes[0].reason
	}
	if r.Since.IsZero() {
		return r
	}
	for _, d := range slices.Backward(history) {
		if d.Started.After(r.Since) {
			continue
		}
		if r.Since.Sub(d.Started) <= causedWithin {
			r.Revision = d.Revision
		}
		break
	}
	return r
}

// Event is a warning that was reported about an object or what it owns.
type Event struct {
	Reason, Message string
	Since           time.Time
}

// Heard completes what an object says by an event, when neither it nor its pods have a reason for making no progress.
func Heard(r Result, e Event) Result {
	if e.Reason == "" || r.Status != Progressing || r.Troubled {
		return r
	}
	r.Message = because(r.Message, because(e.Reason, firstSentence(e.Message)))
	if r.Troubled = true; !e.Since.IsZero() {
		r.Since = e.Since
	}
	return r
}

// cause is one kind of trouble, and how many pods have it.
type cause struct {
	text   string
	reason bool // and not only that they are not ready yet
	pods   int
	since  time.Time
}

// group puts pods of the same trouble together: the most frequent first.
func group(pods []Pod) []cause {
	var causes []cause
	for _, p := range pods {
		if p.Ready || p.Done {
			continue
		}
		text := p.trouble()
		i := slices.IndexFunc(causes, func(c cause) bool { return c.text == text })
		if i < 0 {
			causes, i = append(causes, cause{text: text, reason: p.Reason != ""}), len(causes)
		}
		causes[i].pods++
		if !p.Since.IsZero() && (causes[i].since.IsZero() || p.Since.Before(causes[i].since)) {
			causes[i].since = p.Since
		}
	}
	// A pod that only is not ready yet says nothing beside one that has a reason.
	if telling := slices.DeleteFunc(slices.Clone(causes), func(c cause) bool { return !c.reason }); len(telling) > 0 {
		causes = telling
	}
	slices.SortFunc(causes, func(a, b cause) int {
		return cmp.Or(cmp.Compare(b.pods, a.pods), a.since.Compare(b.since), cmp.Compare(a.text, b.text))
	})
	return causes
}

func sentence(causes []cause) string {
	out := causes[0].text
	if n := causes[0].pods; n > 1 {
		out = fmt.Sprintf("%s in %d pods", out, n)
	}
	if more := causes[1:]; len(more) == 1 {
		out += ", and " + more[0].text
	} else if len(more) > 1 {
		out += fmt.Sprintf(", and %d other causes", len(more))
	}
	return out
}

const notReadyYet = "the pod is not ready"

// trouble says in a few words what keeps a pod from being ready.
func (p Pod) trouble() string {
	switch p.Reason {
	case "":
		if p.Container == "" {
			return notReadyYet
		}
		return "container " + p.Container + " is not ready"
	case "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		return fmt.Sprintf("image pull error on %s (%s)", orElse(p.Image, "the image of container "+p.Container), steady(p.Reason))
	case "CrashLoopBackOff":
		if p.ExitCode != 0 {
			return fmt.Sprintf("container %s crashes again and again, with exit code %d", p.Container, p.ExitCode)
		}
		return "container " + p.Container + " ends again and again"
	case "OOMKilled":
		return "container " + p.Container + " ran out of memory (OOMKilled)"
	case "Error", "ContainerCannotRun":
		return fmt.Sprintf("container %s failed with exit code %d", p.Container, p.ExitCode)
	case "Unschedulable":
		return because("no node can take the pod", firstSentence(p.Message))
	default:
		what := p.Reason
		if p.Container != "" {
			what = "container " + p.Container + " is in " + p.Reason
		}
		return because(what, firstSentence(p.Message))
	}
}

// steady gives one word for the two that the kubelet alternates between, so that the sentence does not flicker.
func steady(reason string) string {
	if reason == "ErrImagePull" {
		return "ImagePullBackOff"
	}
	return reason
}

func firstSentence(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	line, _, _ = strings.Cut(line, ". ")
	return strings.TrimSuffix(line, ".")
}
