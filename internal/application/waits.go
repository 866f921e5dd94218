package application

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// waits remembers which Applications wait for which others, so that a change of
// one wakes those alone. The zero value is ready for use.
type waits struct {
	mu sync.Mutex
	// by are the waiting ones by what they wait for, on the other way round.
	by, on map[types.NamespacedName]map[types.NamespacedName]struct{}
}

// wait notes that waiter wants to hear of changes of another one, which need
// not exist. It is called before that is looked at, so that no change is lost.
func (w *waits) wait(waiter, other types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = make(map[types.NamespacedName]map[types.NamespacedName]struct{})
		w.on = make(map[types.NamespacedName]map[types.NamespacedName]struct{})
	}
	link(w.by, other, waiter)
	link(w.on, waiter, other)
}

func link(links map[types.NamespacedName]map[types.NamespacedName]struct{}, from, to types.NamespacedName) {
	if links[from] == nil {
		links[from] = make(map[types.NamespacedName]struct{})
	}
	links[from][to] = struct{}{}
}

// stop ends what a waiter waits for.
func (w *waits) stop(waiter types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range w.on[waiter] {
		delete(w.by[other], waiter)
		if len(w.by[other]) == 0 {
			delete(w.by, other)
		}
	}
	delete(w.on, waiter)
}

// waiting returns those that wait for one.
func (w *waits) waiting(other types.NamespacedName) []types.NamespacedName {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiters := make([]types.NamespacedName, 0, len(w.by[other]))
	for waiter := range w.by[other] {
		waiters = append(waiters, waiter)
	}
	return waiters
}
