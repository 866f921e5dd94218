package apply

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// ConnectionStreams is how many requests one HTTP/2 connection to an API server
// carries at once, and so the most that are worth having under way.
const ConnectionStreams = 100

// firstLimit is what an Applier begins with: where BenchmarkApply gains no more
// (16 took half as long again, because the store writes in groups what comes
// together), and a fraction of what the API server lets in by default.
const firstLimit = 64

const (
	// slowAnswer is what no healthy API server needs on average, and slowFactor
	// how many times its usual time a loaded one takes; only both together mean
	// that it is overloaded.
	slowAnswer = time.Second
	slowFactor = 8
)

// limit bounds the requests under way by what the API server can take: it grows
// by one whenever as many were answered as are allowed at once, and shrinks when
// the API server refuses for overload or becomes slow (additive increase,
// multiplicative decrease).
//
// Places are given in the order they are asked for. A caller asks for one at a
// time, so callers take turns, however much each of them has to do.
type limit struct {
	most float64
	now  func() time.Time

	mu      sync.Mutex
	allowed float64
	busy    int
	queue   list.List // of chan struct{}, closed when the place is given
	shrunk  time.Time
	// usual is what an answer takes when there is little to do, recent what it
	// takes now.
	usual, recent time.Duration
}

func newLimit(most int) *limit {
	if most <= 0 {
		most = ConnectionStreams
	}
	return &limit{most: float64(most), allowed: float64(min(most, firstLimit)), now: time.Now}
}

// place is the right to have one request under way.
type place struct {
	limit *limit
	held  bool
}

// take waits for a place. The error is that of ctx.
func (l *limit) take(ctx context.Context) (*place, error) {
	p := &place{limit: l}
	return p, p.take(ctx)
}

func (p *place) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l := p.limit
	l.mu.Lock()
	if l.queue.Len() == 0 && l.busy < int(l.allowed) {
		l.busy++
		l.mu.Unlock()
		p.held = true
		return nil
	}
	given := make(chan struct{})
	waiting := l.queue.PushBack(given)
	l.mu.Unlock()
	select {
	case <-given:
		p.held = true
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-given: // at the same moment; it goes to the next
		l.busy--
		l.give()
	default:
		l.queue.Remove(waiting)
	}
	return ctx.Err()
}

// leave gives the place to the next.
func (p *place) leave() {
	if !p.held {
		return
	}
	p.held = false
	p.limit.mu.Lock()
	defer p.limit.mu.Unlock()
	p.limit.busy--
	p.limit.give()
}

// without runs wait, which sends nearly nothing, while others have the place.
func (p *place) without(ctx context.Context, wait func() error) error {
	p.leave()
	if err := wait(); err != nil {
		return err
	}
	return p.take(ctx)
}

// give hands free places out. The caller holds the lock.
func (l *limit) give() {
	for l.busy < int(l.allowed) && l.queue.Len() > 0 {
		close(l.queue.Remove(l.queue.Front()).(chan struct{}))
		l.busy++
	}
}

// hear learns from an answer.
func (l *limit) hear(answer cluster.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.measure(answer.Took)
	switch {
	case overloaded(answer.Status):
		l.shrink(answer.Begun, 0.5)
	case l.recent > max(slowAnswer, slowFactor*l.usual):
		l.shrink(answer.Begun, 0.75)
	case answer.Status != 0 && answer.Status < http.StatusInternalServerError && l.busy >= int(l.allowed):
		l.allowed = min(l.most, l.allowed+1/l.allowed)
		l.give()
	}
}

func (l *limit) measure(took time.Duration) {
	if l.usual == 0 {
		l.usual, l.recent = took, took
		return
	}
	l.recent += (took - l.recent) / 8
	l.usual = min(l.usual+(took-l.usual)/1024, took)
}

// shrink lowers the limit. What was sent before the last time says nothing new.
func (l *limit) shrink(begun time.Time, factor float64) {
	if begun.Before(l.shrunk) {
		return
	}
	l.allowed = max(1, l.allowed*factor)
	l.shrunk = l.now()
}

func overloaded(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}
