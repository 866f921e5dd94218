package helm

import (
	"container/list"
	"sync"
)

// cache keeps what was made of contents, by keys that name these: those used last.
type cache[V any] struct {
	limit int64

	mu     sync.Mutex
	recent *list.List // of *cached[V], the one used last first
	byKey  map[string]*list.Element
	bytes  int64
}

type cached[V any] struct {
	key   string
	value V
	bytes int64
}

func newCache[V any](limit int64) *cache[V] {
	return &cache[V]{limit: limit, recent: list.New(), byKey: map[string]*list.Element{}}
}

// get gives what is kept under a key.
func (c *cache[V]) get(key string) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return value, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*cached[V]).value, true
}

// put keeps a value that takes roughly so much memory.
func (c *cache[V]) put(key string, value V, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil || bytes > c.limit {
		return
	}
	c.byKey[key] = c.recent.PushFront(&cached[V]{key, value, bytes})
	c.bytes += bytes
	for c.bytes > c.limit {
		old := c.recent.Remove(c.recent.Back()).(*cached[V])
		delete(c.byKey, old.key)
		c.bytes -= old.bytes
	}
}
