package health

import (
	"time"
)

// Sentence is the message with when it began and with which revision. The time is absolute, since the sentence is
// kept in a status, which a running age would have written anew all the time; whoever shows it makes an age of it.
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
