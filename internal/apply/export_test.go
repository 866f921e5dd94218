package apply

import "time"

// Patient returns an Applier whose waits are as short as a test wants them.
func (a *Applier) Patient(attempts int, attempt, gone time.Duration) *Applier {
	other := *a
	other.patience = patience{attempts: attempts, total: time.Minute, attempt: attempt, pause: 5 * time.Millisecond, gone: gone}
	return &other
}

// Allowed returns how many requests may be under way.
func (a *Applier) Allowed() int {
	a.limit.mu.Lock()
	defer a.limit.mu.Unlock()
	return int(a.limit.allowed)
}

// Explain is explain.
var Explain = explain
