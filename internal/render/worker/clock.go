package worker

import (
	"sync"
	"time"
)

// clock runs while a worker works, and stands still while it waits for what only the parent can get, such as a
// download: that has time limits of its own.
type clock struct {
	mu      sync.Mutex
	left    time.Duration
	since   time.Time
	waiting int
	stopped bool
	timer   *time.Timer
}

func startClock(limit time.Duration, expired func()) *clock {
	return &clock{left: limit, since: time.Now(), timer: time.AfterFunc(limit, expired)}
}

func (c *clock) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == 0 {
		c.left -= time.Since(c.since)
		c.timer.Stop()
	}
	c.waiting++
}

func (c *clock) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting--; c.waiting == 0 && !c.stopped {
		c.since = time.Now()
		c.timer.Reset(max(c.left, 0))
	}
}

func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.timer.Stop()
}
