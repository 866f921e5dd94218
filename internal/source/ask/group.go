package ask

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// Options of a Group. Every field has a default.
type Options struct {
	// Timeout bounds one question with all its attempts, default 5 min.
	Timeout time.Duration
	// Attempts is how often an unreachable server is tried, default 3.
	Attempts int
	// Delay before the second attempt, default 250 ms; it doubles with every further one.
	Delay time.Duration
	// RetryAfter is how long a failure is given to callers that take an aged answer, default 10 s.
	RetryAfter time.Duration
	// Now is the clock, default time.Now.
	Now func() time.Time
}

func (o *Options) setDefaults() {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Attempts == 0 {
		o.Attempts = 3
	}
	if o.Delay == 0 {
		o.Delay = 250 * time.Millisecond
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// maxFailures bounds the memory for failures.
const maxFailures = 4096

// Group shares questions by their key. It is safe for concurrent use. Close it.
type Group[T any] struct {
	o    Options
	ctx  context.Context
	stop context.CancelCauseFunc
	work sync.WaitGroup

	mu       sync.Mutex
	flights  map[string]*flight[T]
	failures map[string]failure
}

// flight is the question that is being asked and the one that waits behind it.
type flight[T any] struct {
	running, waiting *call[T]
}

type call[T any] struct {
	ask   func(ctx context.Context) (T, error)
	done  chan struct{}
	value T
	err   error
}

type failure struct {
	err   error
	until time.Time
}

// New makes a Group.
func New[T any](o Options) *Group[T] {
	o.setDefaults()
	g := &Group[T]{o: o, flights: map[string]*flight[T]{}, failures: map[string]failure{}}
	g.ctx, g.stop = context.WithCancelCause(context.Background())
	return g
}

// Close ends all questions and waits for them.
func (g *Group[T]) Close() {
	g.mu.Lock()
	g.stop(source.ErrClosed)
	g.mu.Unlock()
	g.work.Wait()
}

// Do gives the answer to a question. With aged it may come from a question that is being asked already, and a failure
// of a moment ago is an answer too. Without, only a question that begins after the call counts; callers that come while
// one is being asked share the next. The callers of one key must all pass a function that does the same.
func (g *Group[T]) Do(ctx context.Context, key string, aged bool, question func(ctx context.Context) (T, error)) (T, error) {
	c, err := g.join(key, aged, question)
	if err != nil {
		var none T
		return none, err
	}
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

func (g *Group[T]) join(key string, aged bool, question func(ctx context.Context) (T, error)) (*call[T], error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return nil, source.ErrClosed
	}
	if f, ok := g.failures[key]; ok && aged && g.o.Now().Before(f.until) {
		return nil, f.err
	}
	f := g.flights[key]
	switch {
	case f == nil:
		f = &flight[T]{running: newCall(question)}
		g.flights[key] = f
		g.work.Go(func() { g.fly(key, f) })
		return f.running, nil
	case aged:
		return f.running, nil
	case f.waiting == nil:
		f.waiting = newCall(question)
	}
	return f.waiting, nil
}

func newCall[T any](question func(ctx context.Context) (T, error)) *call[T] {
	return &call[T]{ask: question, done: make(chan struct{})}
}

// fly asks until nobody waits for more.
func (g *Group[T]) fly(key string, f *flight[T]) {
	for {
		c := f.running
		c.value, c.err = g.attempt(c.ask)
		g.mu.Lock()
		g.remember(key, c.err)
		f.running, f.waiting = f.waiting, nil
		more := f.running != nil
		if !more {
			delete(g.flights, key)
		}
		g.mu.Unlock()
		close(c.done)
		if !more {
			return
		}
	}
}

func (g *Group[T]) remember(key string, err error) {
	if err == nil || errors.Is(err, source.ErrClosed) {
		delete(g.failures, key)
		return
	}
	if len(g.failures) >= maxFailures {
		clear(g.failures)
	}
	g.failures[key] = failure{err: err, until: g.o.Now().Add(g.o.RetryAfter)}
}

// attempt asks within the time limit.
func (g *Group[T]) attempt(question func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(g.ctx, g.o.Timeout, context.DeadlineExceeded)
	defer cancel()
	return Retry(ctx, g.o, question)
}

// Retry asks a question, and again when the server was not to be reached, as often as the options say.
func Retry[T any](ctx context.Context, o Options, question func(ctx context.Context) (T, error)) (T, error) {
	o.setDefaults()
	delay := o.Delay
	for n := 1; ; n++ {
		value, err := question(ctx)
		if err == nil || n >= o.Attempts || !errors.Is(err, source.ErrUnreachable) || ctx.Err() != nil {
			return value, err
		}
		timer := time.NewTimer(delay + rand.N(delay/2+1)) //nolint:gosec // jitter needs no secrecy
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return value, err
		}
		delay *= 2
	}
}
