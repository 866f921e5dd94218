package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// gate knows whether the API server can be reached. While it cannot, everybody who wants to talk to it waits here, and
// one goroutine knocks; when the server answers again, all go on at once. An absent server so costs one small request
// every second or two, however many kinds are watched, and none of the watches is late because of its own back-off.
type gate struct {
	probe func(context.Context) error
	// turned is called without a lock when the server is found away, and when it answers again.
	turned func(open bool)
	logger *slog.Logger

	mu     sync.Mutex
	open   chan struct{} // closed while the server is there
	shut   bool
	err    error
	since  time.Time
	group  sync.WaitGroup
	cancel context.CancelFunc
	ctx    context.Context
}

const (
	firstKnock = 100 * time.Millisecond
	lastKnock  = time.Second
	// knockTimeout bounds one attempt, so that packets lost without an answer do not hold up the next.
	knockTimeout = 5 * time.Second
)

func newGate(ctx context.Context, probe func(context.Context) error, turned func(bool), logger *slog.Logger) *gate {
	g := &gate{probe: probe, turned: turned, logger: logger, open: make(chan struct{})}
	g.ctx, g.cancel = context.WithCancel(ctx)
	close(g.open)
	return g
}

// wait returns when the server is there, or ctx is done.
func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// away reports that the server could not be reached, and why.
func (g *gate) away(err error, now time.Time) {
	g.mu.Lock()
	g.err = err
	if g.shut || g.ctx.Err() != nil {
		g.mu.Unlock()
		return
	}
	g.shut, g.since, g.open = true, now, make(chan struct{})
	g.group.Go(g.knock)
	g.mu.Unlock()
	g.logger.Warn("the API server cannot be reached", "error", err)
	g.turned(false)
}

// state returns since when and why the server is away; a nil error when it is there.
func (g *gate) state() (time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.shut {
		return time.Time{}, nil
	}
	return g.since, g.err
}

func (g *gate) knock() {
	for pause := firstKnock; ; pause = min(2*pause, lastKnock) {
		select {
		case <-g.ctx.Done():
			return
		case <-time.After(pause/2 + rand.N(pause)):
		}
		ctx, cancel := context.WithTimeout(g.ctx, knockTimeout)
		err := g.probe(ctx)
		cancel()
		g.mu.Lock()
		if err != nil {
			g.err = err
			g.mu.Unlock()
			continue
		}
		g.shut, g.err = false, nil
		close(g.open)
		g.mu.Unlock()
		g.logger.Info("the API server can be reached again")
		g.turned(true)
		return
	}
}

// stop ends the knocking. Who waits is let go by their own contexts.
func (g *gate) stop() {
	g.mu.Lock()
	g.cancel() // under the lock: after it nobody starts to knock
	g.mu.Unlock()
	g.group.Wait()
}
