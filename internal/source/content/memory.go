package content

import (
	"container/list"
	"sync"
)

// memory keeps what could not be written, the least recently used goes first.
type memory struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	order *list.List // of *kept, most recently used in front
	items map[string]*list.Element
}

type kept struct {
	name string
	data []byte
}

func newMemory(limit int64) *memory {
	return &memory{limit: limit, order: list.New(), items: map[string]*list.Element{}}
}

func (m *memory) get(name string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.items[name]
	if !ok {
		return nil, false
	}
	m.order.MoveToFront(e)
	return e.Value.(*kept).data, true
}

func (m *memory) put(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(name)
	m.items[name] = m.order.PushFront(&kept{name: name, data: data})
	m.bytes += int64(len(name) + len(data))
	for m.bytes > m.limit && m.order.Len() > 0 {
		m.remove(m.order.Back().Value.(*kept).name)
	}
}

// remove wants the lock.
func (m *memory) remove(name string) {
	e, ok := m.items[name]
	if !ok {
		return
	}
	k := m.order.Remove(e).(*kept)
	m.bytes -= int64(len(k.name) + len(k.data))
	delete(m.items, name)
}

func (m *memory) drop(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(name)
}
