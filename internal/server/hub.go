package server

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Kinds of events, in the words of the API.
const (
	eventAdded    = "ADDED"
	eventModified = "MODIFIED"
	eventDeleted  = "DELETED"
)

// event is a change of one Application.
type event struct {
	kind string
	app  *v1alpha1.Application
}

// hub passes changes on to subscriptions. It never waits for one.
type hub struct {
	mu            sync.Mutex
	subscriptions map[*subscription]struct{}
}

func newHub() *hub {
	return &hub{subscriptions: map[*subscription]struct{}{}}
}

// changed tells all subscriptions of a change; old is nil for what is new, app for what has gone.
func (h *hub) changed(old, app *v1alpha1.Application) {
	e := event{eventModified, app}
	switch {
	case old == nil:
		e.kind = eventAdded
	case app == nil:
		e = event{eventDeleted, old}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscriptions {
		if s.wants(e.app) {
			s.put(e)
		}
	}
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subscriptions)
}

// subscription holds the events that its owner has not taken yet, at most one for each Application.
type subscription struct {
	hub   *hub
	wants func(*v1alpha1.Application) bool
	// ready receives when there is something to take.
	ready chan struct{}

	mu      sync.Mutex
	order   []types.NamespacedName
	pending map[types.NamespacedName]event
}

// subscribe begins a subscription to the Applications that wants is true for.
func (h *hub) subscribe(wants func(*v1alpha1.Application) bool) *subscription {
	s := &subscription{hub: h, wants: wants, ready: make(chan struct{}, 1), pending: map[types.NamespacedName]event{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscriptions[s] = struct{}{}
	return s
}

func (s *subscription) close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subscriptions, s)
}

// put adds an event. What its owner has not taken is overtaken, but what is new to them stays new.
func (s *subscription) put(e event) {
	key := types.NamespacedName{Namespace: e.app.Namespace, Name: e.app.Name}
	s.mu.Lock()
	before, waits := s.pending[key]
	if !waits {
		s.order = append(s.order, key)
	}
	if waits && before.kind == eventAdded && e.kind == eventModified {
		e.kind = eventAdded
	}
	s.pending[key] = e
	s.mu.Unlock()
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// take gives what has come, in the order in which the Applications first changed.
func (s *subscription) take() []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := make([]event, 0, len(s.order))
	for _, key := range s.order {
		events = append(events, s.pending[key])
	}
	s.order = nil
	clear(s.pending)
	return events
}
