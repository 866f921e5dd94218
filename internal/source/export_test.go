package source

import "context"

// Readers counts the object reading processes that wait for work.
func (m *Mirrors) Readers() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.mirrors {
		r.objects.mu.Lock()
		n += len(r.objects.idle)
		r.objects.mu.Unlock()
	}
	return n
}

// Maintain does what is done after many fetches, thoroughly.
func (m *Mirrors) Maintain(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.mirrors {
		if err := r.keepLeft(ctx); err != nil {
			return err
		}
		if err := r.repackAll(ctx); err != nil {
			return err
		}
	}
	return nil
}

// IsKept reports whether the content of a file is in memory.
func (s *Snapshot) IsKept(name string) bool {
	n, err := s.find("readfile", name, true)
	if err != nil {
		return false
	}
	_, ok := s.mirror.all.cache.get(objectKey{mirror: s.mirror, id: n.id})
	return ok
}
