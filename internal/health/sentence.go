package health

import (
	"fmt"
	"regexp"
	"time"
)

// Sentence is the message with when it began and with which revision. The time is absolute, since the sentence is
// kept in a status, which a running age would have written anew all the time; [WithAge] turns it into one.
func (r Result) Sentence() string {
	out := r.Message
	if r.Status != Progressing && r.Status != Degraded {
		return out
	}
	if !r.Since.IsZero() && out != "" {
		out += " since " + r.Since.UTC().Format(time.RFC3339)
	}
	if r.Revision != "" && out != "" {
		out += ", since " + r.Revision
	}
	return out
}

var since = regexp.MustCompile(` since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)`)

// WithAge is the sentence as people read it: "since 2026-03-01T12:00:00Z" becomes "for 2m".
func WithAge(sentence string, now time.Time) string {
	return since.ReplaceAllStringFunc(sentence, func(part string) string {
		at, err := time.Parse(time.RFC3339, part[len(" since "):])
		if err != nil {
			return part
		}
		return " for " + Age(now.Sub(at))
	})
}

// Age gives a duration in its largest unit.
func Age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
}
