package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// Pool renders in worker processes. It is a render.Renderer.
type Pool struct {
	o     Options
	slots *semaphore.Weighted // first come, first served

	mu     sync.Mutex
	all    map[*process]bool
	idle   []*process // the one used last at the end
	timer  *time.Timer
	closed bool
	stats  Stats
}

var _ render.Renderer = (*Pool)(nil)

// Stats tell what a Pool does now, and what it has done since it was made.
type Stats struct {
	// Workers there are, Busy ones among them, and requests Waiting for one.
	Workers, Busy, Waiting int
	// Requests that were taken up, Starts of workers, and requests that were Repeated because their worker was ended
	// from outside.
	Requests, Starts, Repeated uint64
	// Requests that exceeded a limit or crashed their worker.
	Limits, Crashes uint64
}

// New makes a Pool. Workers are started when they are needed.
func New(o Options) (*Pool, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{o: o, slots: semaphore.NewWeighted(int64(o.Workers)), all: map[*process]bool{}}
	p.timer = time.AfterFunc(o.Idle, p.retire)
	p.timer.Stop()
	return p, nil
}

// Render implements render.Renderer. Requests that find no worker free wait in the order in which they came. A request
// whose worker is ended from outside is tried once more; one that exceeds a limit or crashes the worker is not.
func (p *Pool) Render(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
	p.count(func(s *Stats) { s.Waiting++ })
	err := p.slots.Acquire(ctx, 1)
	p.count(func(s *Stats) { s.Waiting-- })
	if err != nil {
		return render.Result{}, context.Cause(ctx)
	}
	defer p.slots.Release(1)
	p.count(func(s *Stats) { s.Busy++; s.Requests++ })
	defer p.count(func(s *Stats) { s.Busy-- })
	r := p.attempt(ctx, in, req)
	if r.outside && ctx.Err() == nil {
		p.count(func(s *Stats) { s.Repeated++ })
		r = p.attempt(ctx, in, req)
	}
	p.count(func(s *Stats) {
		switch {
		case errors.Is(r.err, ErrLimit):
			s.Limits++
		case errors.Is(r.err, ErrCrashed):
			s.Crashes++
		}
	})
	return r.result, r.err
}

// attempt renders with a worker that is there, or a new one.
func (p *Pool) attempt(ctx context.Context, in render.Inputs, req render.Request) result {
	w, err := p.take(ctx)
	if err != nil {
		return result{err: err}
	}
	r := w.render(ctx, in, req)
	if r.dead {
		p.o.Logger.Warn("a rendering process has ended", "pid", w.cmd.Process.Pid, "application", req.AppName, "reason", r.err)
	}
	p.put(w, r)
	return r
}

// take gives a worker that has nothing to do.
func (p *Pool) take(ctx context.Context) (*process, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, ErrClosed
		}
		n := len(p.idle)
		if n == 0 {
			p.stats.Starts++
			p.mu.Unlock()
			break
		}
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if w.alive() {
			return w, nil
		}
		p.forget(w)
	}
	w, err := start(ctx, p.o)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	closed := p.closed
	p.all[w] = true
	p.mu.Unlock()
	if closed {
		p.forget(w)
		return nil, ErrClosed
	}
	return w, nil
}

// put takes a worker back. One that has grown is replaced by a new one when that is needed.
func (p *Pool) put(w *process, r result) {
	if r.dead || w.ending() || !w.alive() || p.o.MemoryLimit > 0 && r.memory > p.o.MemoryLimit/2 {
		p.forget(w)
		return
	}
	p.mu.Lock()
	closed := p.closed
	if !closed {
		w.idleSince = time.Now()
		p.idle = append(p.idle, w)
		if len(p.idle) == 2 {
			p.timer.Reset(p.o.Idle)
		}
	}
	p.mu.Unlock()
	if closed {
		p.forget(w)
	}
}

// forget ends a worker.
func (p *Pool) forget(w *process) {
	w.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, w)
}

// retire ends the workers that have had nothing to do for long, and leaves the one that was used last.
func (p *Pool) retire() {
	now := time.Now()
	p.mu.Lock()
	var old []*process
	for len(p.idle) > 1 && now.Sub(p.idle[0].idleSince) >= p.o.Idle {
		old = append(old, p.idle[0])
		p.idle = p.idle[1:]
	}
	if len(p.idle) > 1 && !p.closed {
		p.timer.Reset(p.o.Idle - now.Sub(p.idle[0].idleSince))
	}
	p.mu.Unlock()
	for _, w := range old {
		p.forget(w)
	}
}

// Stats gives the numbers of now.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Workers = len(p.all)
	return s
}

func (p *Pool) count(change func(*Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.stats)
}

// Close ends all workers. Requests in progress get ErrClosed.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.timer.Stop()
	idle := p.idle
	p.idle = nil
	var busy []*process
	for w := range p.all {
		busy = append(busy, w)
	}
	p.mu.Unlock()
	for _, w := range busy {
		w.kill(ErrClosed)
	}
	for _, w := range idle {
		p.forget(w)
	}
	if err := p.slots.Acquire(context.Background(), int64(p.o.Workers)); err != nil {
		return fmt.Errorf("waiting for rendering processes: %w", err)
	}
	p.slots.Release(int64(p.o.Workers))
	return nil
}
