package apply

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// full is a limit all of whose places are taken.
func full(t *testing.T, most int) (*limit, []*place) {
	t.Helper()
	l := newLimit(most)
	var places []*place
	for range int(l.allowed) {
		p, err := l.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, p)
	}
	return l, places
}

func TestPlacesAreGivenInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, places := full(t, 1)
		// One caller has much to do, another one thing; the first asks first.
		var order []string
		a := &Applier{limit: l}
		for name, n := range map[string]int{"much": 3, "": 0} {
			go a.each(t.Context(), n, func(int, *place, error) { order = append(order, name) })
		}
		synctest.Wait()
		go a.each(t.Context(), 1, func(int, *place, error) { order = append(order, "one") })
		synctest.Wait()
		places[0].leave()
		synctest.Wait()
		if len(order) != 4 || order[0] != "much" || order[1] != "one" {
			t.Errorf("order %q, want that callers take turns", order)
		}
	})
}

func TestWhoStopsWaitingTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, places := full(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { _, err := l.take(ctx); ended <- err }()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("waiting ended with %v", err)
		}
		places[0].leave()
		places[0].leave() // a second time means nothing
		if _, err := l.take(t.Context()); err != nil || l.busy != 1 {
			t.Errorf("%d places taken, %v", l.busy, err)
		}
	})
}

func TestTheLimitFollowsTheAPIServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := full(t, 100)
		answer := func(n, status int, took time.Duration) {
			for range n {
				l.hear(cluster.Answer{Status: status, Begun: time.Now(), Took: took})
			}
		}
		start := l.allowed
		time.Sleep(time.Millisecond)
		answer(10*firstLimit, 200, 5*time.Millisecond)
		if l.allowed != start+1 && int(l.allowed) < firstLimit {
			t.Errorf("allowed %v after %v", l.allowed, start)
		}
		grown := l.allowed
		if grown <= start {
			t.Errorf("allowed %v, want that it grows while all places are taken and answers come", grown)
		}
		begun := time.Now()
		time.Sleep(time.Millisecond)
		for range 5 { // sent before, and refused together
			l.hear(cluster.Answer{Status: 429, Begun: begun, Took: time.Millisecond})
		}
		if l.allowed != grown/2 {
			t.Errorf("allowed %v after %v, want half", l.allowed, grown)
		}
		l.busy = 0
		answer(1000, 200, 5*time.Millisecond)
		if l.allowed != grown/2 {
			t.Errorf("allowed %v: grown although nobody needed it", l.allowed)
		}
		for range 60 {
			time.Sleep(time.Second)
			answer(8, 200, 5*time.Second)
		}
		if l.allowed >= grown/2 || l.allowed < 1 {
			t.Errorf("allowed %v, want less when answers become slow, but one always", l.allowed)
		}
		l.busy = 100
		answer(100_000, 200, 5*time.Millisecond)
		if l.allowed != 100 {
			t.Errorf("allowed %v, want as many as a connection carries", l.allowed)
		}
	})
}
