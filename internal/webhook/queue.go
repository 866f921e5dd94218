package webhook

import (
	"context"
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Pause is how long a repository is left alone after it was worked on. What is told of it meanwhile is worked on after.
const Pause = time.Second

// maxChanges is how many changes of one repository are told apart. When there are more, they concern everybody.
const maxChanges = 1000

// QueueOptions are what a Queue works with. All are required.
type QueueOptions struct {
	// Applications are those with a source in the repository of a key.
	Applications func(key string) []*v1alpha1.Application
	// Look has Applications look again at what a repository holds. It may take its time.
	Look func(ctx context.Context, key string, apps []*v1alpha1.Application)
}

// Queue holds what was told of repositories until it was worked on. It keeps at most one entry for each repository that an
// Application uses. Create it with [NewQueue].
type Queue struct {
	QueueOptions

	mu           sync.Mutex
	ctx          context.Context // of Run; nil before
	repositories map[string]*pending
	work         sync.WaitGroup
}

// pending is what was told of one repository and is not worked on yet.
type pending struct {
	changes map[Change]struct{}
	more    bool // than are told apart
}

// NewQueue returns a Queue that does nothing until [Queue.Run].
func NewQueue(o QueueOptions) *Queue {
	return &Queue{QueueOptions: o, repositories: map[string]*pending{}}
}

// Run works until ctx ends, and returns when nothing is under way any more.
func (q *Queue) Run(ctx context.Context) {
	q.mu.Lock()
	q.ctx = ctx
	for key := range q.repositories {
		q.begin(key)
	}
	q.mu.Unlock()
	<-ctx.Done()
	q.mu.Lock()
	q.ctx = nil // nothing begins after this
	q.mu.Unlock()
	q.work.Wait()
}

// Add takes an event, and returns at once.
func (q *Queue) Add(event Event) {
	for _, key := range event.Keys() {
		q.mu.Lock()
		waiting, ok := q.repositories[key]
		if !ok && len(q.Applications(key)) > 0 {
			waiting = &pending{}
			q.repositories[key] = waiting
			q.begin(key)
		}
		if waiting != nil {
			waiting.add(event.Changes)
		}
		q.mu.Unlock()
	}
}

func (p *pending) add(changes []Change) {
	for _, change := range changes {
		if len(p.changes) >= maxChanges {
			p.more = true
			return
		}
		if p.changes == nil {
			p.changes = map[Change]struct{}{}
		}
		p.changes[change] = struct{}{}
	}
}

// begin works on a repository. The caller holds the lock.
func (q *Queue) begin(key string) {
	if q.ctx == nil || q.ctx.Err() != nil {
		return
	}
	ctx := q.ctx
	q.work.Go(func() {
		for q.next(ctx, key) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(Pause):
			}
		}
	})
}

// next works on what was told of a repository; it is false when that is nothing.
func (q *Queue) next(ctx context.Context, key string) bool {
	q.mu.Lock()
	told := *q.repositories[key]
	if len(told.changes) == 0 {
		delete(q.repositories, key)
		q.mu.Unlock()
		return false
	}
	*q.repositories[key] = pending{}
	q.mu.Unlock()
	var concerned []*v1alpha1.Application
	for _, app := range q.Applications(key) {
		if told.more || concern(told.changes, key, app) {
			concerned = append(concerned, app)
		}
	}
	if len(concerned) > 0 {
		q.Look(ctx, key, concerned)
	}
	return true
}
