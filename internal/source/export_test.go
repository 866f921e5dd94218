package source

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
