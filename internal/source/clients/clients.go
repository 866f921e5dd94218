package clients

import (
	"reflect"
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// Client is what one repository is reached with, as seen with one set of credentials.
type Client interface {
	// Close gives back what the client holds. Nobody is given the client after it.
	Close()
}

// Kept are clients by the identity of their repository. It is safe for concurrent use.
type Kept[C Client] struct {
	unused time.Duration
	now    func() time.Time

	mu   sync.Mutex
	all  map[string]*entry[C]
	done chan struct{}
	work sync.WaitGroup
}

type entry[C Client] struct {
	client C
	repo   source.Repository // in its normal form
	used   time.Time
}

// Keep starts to keep clients, each until nobody has asked for it for so long. End it with Stop and Close.
func Keep[C Client](unused time.Duration, now func() time.Time) *Kept[C] {
	k := &Kept[C]{unused: unused, now: now, all: map[string]*entry[C]{}, done: make(chan struct{})}
	k.work.Go(k.tidy)
	return k
}

// Get gives the client of a repository in its normal form. It is made where there is none, or where only credentials
// have changed that are no part of the identity, because they change by themselves.
func (k *Kept[C]) Get(id string, repo source.Repository, newClient func() (C, error)) (C, error) {
	var none C
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped() {
		return none, source.ErrClosed
	}
	before, known := k.all[id]
	if known && reflect.DeepEqual(before.repo, repo) {
		before.used = k.now()
		return before.client, nil
	}
	client, err := newClient()
	if err != nil {
		return none, err
	}
	if known {
		before.client.Close()
	}
	k.all[id] = &entry[C]{client: client, repo: repo, used: k.now()}
	return client, nil
}

func (k *Kept[C]) stopped() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// tidy lets go of clients that nobody asks for.
func (k *Kept[C]) tidy() {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			k.letGo()
		case <-k.done:
			return
		}
	}
}

func (k *Kept[C]) letGo() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, e := range k.all {
		if k.now().Sub(e.used) > k.unused {
			e.client.Close()
			delete(k.all, id)
		}
	}
}

// Stop gives no client from now on, and leaves those that are in use. It reports whether this was the first call.
func (k *Kept[C]) Stop() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped() {
		return false
	}
	close(k.done)
	return true
}

// Close closes all clients, after Stop and the last use.
func (k *Kept[C]) Close() {
	k.work.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.all {
		e.client.Close()
	}
	clear(k.all)
}
