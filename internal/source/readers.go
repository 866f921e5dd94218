package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxKnownCommits bounds the memory for ids known to be commits of the mirror.
const maxKnownCommits = 10_000

// readers is a small pool of object reading processes of one mirror. Unused ones end after a while.
type readers struct {
	all     *Mirrors
	program func() program
	slots   chan struct{}

	mu      sync.Mutex
	idle    []*catFile
	version int
	timer   *time.Timer
	closed  bool
	commits map[string]struct{}
}

func newReaders(all *Mirrors, program func() program) *readers {
	return &readers{
		all: all, program: program, slots: make(chan struct{}, all.o.Readers), commits: map[string]struct{}{},
	}
}

// info describes the object that a revision names: an id, or an id with ^{commit}.
func (r *readers) info(ctx context.Context, revision string) (o object, err error) {
	err = r.with(ctx, func(c *catFile) error {
		o, err = c.ask("info", revision)
		return err
	})
	return o, err
}

// contents reads an object. One larger than limit gives ErrTooLarge and is not read.
func (r *readers) contents(ctx context.Context, id ObjectID, limit int64) (o object, data []byte, err error) {
	err = r.with(ctx, func(c *catFile) error {
		if o, err = c.ask("contents", id.String()); err != nil {
			return err
		}
		if o.size > limit {
			// The rest is on its way already; ending the process is cheaper than reading it.
			return &brokenError{fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrTooLarge, o.size, limit)}
		}
		data, err = c.content(o)
		return err
	})
	return o, data, err
}

// maxTogether is how many objects are read in one step: so many commands surely find room in a pipe.
const maxTogether = 128

// together reads objects with one step to the process instead of one for each, and gives to each that is there. The first
// that is larger than limit ends it.
func (r *readers) together(ctx context.Context, ids []ObjectID, limit int64, each func(object, []byte)) error {
	var commands strings.Builder
	for _, id := range ids[:min(len(ids), maxTogether)] {
		commands.WriteString("contents " + id.String() + "\n")
	}
	return r.with(ctx, func(c *catFile) error {
		if _, err := io.WriteString(c.in, commands.String()); err != nil {
			return c.broken(err)
		}
		for range min(len(ids), maxTogether) {
			o, err := c.answer()
			if errors.Is(err, errMissing) {
				continue
			}
			if err != nil {
				return err
			}
			if o.size > limit {
				return &brokenError{ErrTooLarge}
			}
			data, err := c.content(o)
			if err != nil {
				return err
			}
			each(o, data)
		}
		return nil
	})
}

// with lends a process to use. A process that breaks is replaced and the use tried once more; when it breaks again the
// mirror is damaged.
func (r *readers) with(ctx context.Context, use func(*catFile) error) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var broken *brokenError
	for attempt := 0; ; attempt++ {
		c, err := r.take()
		if err != nil {
			return errors.Join(ErrDamaged, err)
		}
		stop := context.AfterFunc(ctx, c.kill)
		err = use(c)
		if !stop() || errors.As(err, &broken) {
			c.end()
		} else {
			r.put(c)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil || !errors.As(err, &broken) || errors.Is(err, ErrTooLarge):
			return err
		case attempt > 0:
			return fmt.Errorf("%w: %w: %s", ErrDamaged, err, c.stderr.kept)
		}
	}
}

func (r *readers) take() (*catFile, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, ErrClosed
	}
	version := r.version
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return c, nil
	}
	r.mu.Unlock()
	c, err := startCatFile(r.all.ctx, r.program())
	if err == nil {
		c.version = version
	}
	return c, err
}

func (r *readers) put(c *catFile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || c.version != r.version {
		go c.end()
		return
	}
	c.used = time.Now()
	r.idle = append(r.idle, c)
	if r.timer == nil {
		r.timer = time.AfterFunc(r.all.o.ReaderIdle, r.retire)
	}
}

// retire ends processes that have not been used for a while.
func (r *readers) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer = nil
	r.idle = slices.DeleteFunc(r.idle, func(c *catFile) bool {
		old := time.Since(c.used) >= r.all.o.ReaderIdle
		if old {
			go c.end()
		}
		return old
	})
	if len(r.idle) > 0 && !r.closed {
		r.timer = time.AfterFunc(r.all.o.ReaderIdle, r.retire)
	}
}

// reset makes later reads use new processes, because the mirror's directory is another one now.
func (r *readers) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version++
	clear(r.commits)
	for _, c := range r.idle {
		go c.end()
	}
	r.idle = nil
}

func (r *readers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.timer != nil {
		r.timer.Stop()
	}
	for _, c := range r.idle {
		c.end()
	}
	r.idle = nil
}

func (r *readers) knownCommit(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.commits[id]
	return ok
}

func (r *readers) rememberCommit(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.commits) >= maxKnownCommits {
		clear(r.commits)
	}
	r.commits[id] = struct{}{}
}
