package helm

import (
	"container/list"
	"sync"
)

// cache keeps parsed charts by the digest of their content, those used last.
type cache struct {
	limit int64

	mu     sync.Mutex
	recent *list.List // of *cached, the one used last first
	byKey  map[string]*list.Element
	bytes  int64
}

type cached struct {
	key   string
	chart *parsed
	bytes int64
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, recent: list.New(), byKey: map[string]*list.Element{}}
}

func (c *cache) get(key string) *parsed {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil
	}
	c.recent.MoveToFront(e)
	return e.Value.(*cached).chart
}

func (c *cache) put(key string, chart *parsed) {
	bytes := chart.bytes()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil || bytes > c.limit {
		return
	}
	c.byKey[key] = c.recent.PushFront(&cached{key, chart, bytes})
	c.bytes += bytes
	for c.bytes > c.limit {
		old := c.recent.Remove(c.recent.Back()).(*cached)
		delete(c.byKey, old.key)
		c.bytes -= old.bytes
	}
}
