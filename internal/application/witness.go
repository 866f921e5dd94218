package application

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
)

// witness is what was asked about an object that makes no progress and does
// not say why.
type witness struct {
	// next is when its events are read, and wait how long after that again.
	next time.Time
	wait time.Duration
	// last is what they said.
	last health.Event
}

// Events are read when an object has been Progressing for a while, and from
// then on in growing intervals: most objects are healthy before.
const (
	firstWitness = 10 * time.Second
	lastWitness  = 5 * time.Minute
	// freshness is how old an event may be to tell of the present.
	freshness = 15 * time.Minute
	// witnessTimeout bounds the request.
	witnessTimeout = 5 * time.Second
)

// hear adds what events say to an object that is Progressing while neither it
// nor its pods have a reason.
func (r *reconciliation) hear(ctx context.Context, o *object, heard map[cluster.Key]witness) {
	if o.live == nil || o.Namespace == "" || o.health.Status != health.Progressing || o.said.Troubled || !o.live.Deleting.IsZero() {
		return
	}
	w, known := r.memory.witnesses[o.live.Key]
	switch {
	case !known:
		w = witness{next: r.now.Add(firstWitness), wait: firstWitness}
	case !r.now.Time.Before(w.next):
		w.wait = min(2*w.wait, lastWitness)
		w.next = r.now.Add(w.wait)
		w.last = r.lastEvent(ctx, o)
	}
	heard[o.live.Key] = w
	o.said = health.Heard(o.said, w.last)
	if wait := w.next.Sub(r.now.Time); r.again == 0 || wait < r.again {
		r.again = max(wait, time.Second)
	}
}

// lastEvent reads what the newest warning about an object, or about what it
// owns, says. Without an answer there is none.
func (r *reconciliation) lastEvent(ctx context.Context, o *object) health.Event {
	about := []types.UID{o.live.UID}
	for _, below := range r.destination.Live.Descendants(o.live.UID) {
		if below.Deleting.IsZero() {
			about = append(about, below.UID)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, witnessTimeout)
	defer cancel()
	warnings, err := r.destination.Live.Warnings(ctx, o.Namespace, about)
	if err != nil {
		r.Logger.Debug("events could not be read", "application", r.key.String(), "object", o.String(), "error", err)
		return health.Event{}
	}
	if len(warnings) == 0 || r.now.Sub(warnings[0].Last) > freshness {
		return health.Event{}
	}
	return health.Event{Reason: warnings[0].Reason, Message: warnings[0].Message, Since: warnings[0].First}
}
