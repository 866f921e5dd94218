package cache

import (
	"sync"
	"time"
)

// breaker keeps callers from a server that fails: after a failure nobody tries for a while, which doubles with each
// further one. Then one caller tries.
type breaker struct {
	first, most time.Duration
	now         func() time.Time

	mu     sync.Mutex
	wait   time.Duration // of the last failure; zero: all is well
	until  time.Time
	trying bool
}

// allow reports whether to try. Who is allowed has to call done.
func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wait == 0 {
		return true
	}
	if b.trying || b.now().Before(b.until) {
		return false
	}
	b.trying = true
	return true
}

// done tells how it went. It reports whether that is a change for the better or the worse.
func (b *breaker) done(failed bool) (changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed = failed != (b.wait > 0)
	b.trying = false
	if !failed {
		b.wait = 0
		return changed
	}
	b.wait = min(max(2*b.wait, b.first), b.most)
	b.until = b.now().Add(b.wait)
	return changed
}
