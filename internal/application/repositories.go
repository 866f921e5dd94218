package application

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/repo"
)

// repositories polls each repository that an Application uses, once for all of
// them, and wakes those whose repository moved, broke or came back.
type repositories struct {
	poll     func(ctx context.Context, origin repo.Origin) (changed bool, err error)
	interval func() (interval, jitter time.Duration) // 0: do not poll
	enqueue  func(types.NamespacedName)
	logger   *slog.Logger

	mu      sync.Mutex
	ctx     context.Context // of run; nil before
	polled  map[string]*polledRepository
	usedBy  map[types.NamespacedName][]string // keys into polled
	workers sync.WaitGroup
}

// poll is what an Application wants to be polled.
type poll struct {
	// key is equal for what one poll serves.
	key    string
	origin repo.Origin
}

// polledRepository is one repository and who uses it.
type polledRepository struct {
	poll
	users map[types.NamespacedName]struct{}
	err   error
	// owed says that there were news of which not every user was told.
	owed bool
	// failures counts the fetches that failed since the last good one.
	failures int
	wake     chan struct{} // the time to the next poll changed
	cancel   context.CancelFunc
}

func newRepositories(poll func(context.Context, repo.Origin) (bool, error),
	interval func() (time.Duration, time.Duration), enqueue func(types.NamespacedName), logger *slog.Logger,
) *repositories {
	return &repositories{
		poll: poll, interval: interval, enqueue: enqueue, logger: logger,
		polled: make(map[string]*polledRepository),
		usedBy: make(map[types.NamespacedName][]string),
	}
}

// run polls until ctx ends, and returns when no poll is under way.
func (r *repositories) run(ctx context.Context) {
	r.mu.Lock()
	r.ctx = ctx
	for _, polled := range r.polled {
		r.start(polled)
	}
	r.mu.Unlock()
	<-ctx.Done()
	r.workers.Wait()
}

// use says that an Application reads from exactly these repositories.
func (r *repositories) use(app types.NamespacedName, polls ...poll) {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]string, 0, len(polls))
	for _, one := range polls {
		key := one.key
		keys = append(keys, key)
		polled, ok := r.polled[key]
		if !ok {
			polled = &polledRepository{poll: one, users: make(map[types.NamespacedName]struct{}), wake: make(chan struct{}, 1)}
			r.polled[key] = polled
			r.start(polled)
		}
		polled.users[app] = struct{}{}
	}
	before := r.usedBy[app]
	r.usedBy[app] = keys
	for _, key := range before {
		r.dropUnlessUsed(app, key, keys)
	}
}

// forget says that an Application is gone.
func (r *repositories) forget(app types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range r.usedBy[app] {
		r.dropUnlessUsed(app, key, nil)
	}
	delete(r.usedBy, app)
}

// dropUnlessUsed takes app off a repository, and stops polling it when nobody
// is left. The caller holds the lock.
func (r *repositories) dropUnlessUsed(app types.NamespacedName, key string, used []string) {
	for _, other := range used {
		if other == key {
			return
		}
	}
	polled, ok := r.polled[key]
	if !ok {
		return
	}
	delete(polled.users, app)
	if len(polled.users) == 0 {
		delete(r.polled, key)
		if polled.cancel != nil {
			polled.cancel()
		}
	}
}

// lastError is why the last fetch of a repository failed; nil when it did not.
func (r *repositories) lastError(key string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if polled, ok := r.polled[key]; ok {
		return polled.err
	}
	return nil
}

// record notes the outcome of a fetch, whoever made it, and wakes the users of
// the repository when there is news for them.
func (r *repositories) record(key string, changed bool, err error) {
	r.recordFor(key, changed, err, nil)
}

// recordFor is record for a fetch that concerns only some of the users; the
// others are woken by the next one. nil stands for all.
func (r *repositories) recordFor(key string, changed bool, err error, only []types.NamespacedName) {
	r.mu.Lock()
	polled, ok := r.polled[key]
	if !ok {
		r.mu.Unlock()
		return
	}
	news := changed || (err == nil) != (polled.err == nil) || (err != nil && err.Error() != polled.err.Error())
	polled.err = err
	if err == nil {
		polled.failures = 0
	} else {
		polled.failures++
		r.logger.Warn("repository could not be fetched", "repository", polled.origin.URL, "attempt", polled.failures, "error", err)
		polled.wakeUp()
	}
	users := only
	switch {
	case only == nil && (news || polled.owed):
		polled.owed = false
		users = slices.Collect(maps.Keys(polled.users))
	case news:
		polled.owed = polled.owed || len(only) < len(polled.users)
	default:
		users = nil
	}
	r.mu.Unlock()
	for _, user := range users {
		r.enqueue(user)
	}
}

// intervalChanged lets every wait begin anew.
func (r *repositories) intervalChanged() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, polled := range r.polled {
		polled.wakeUp()
	}
}

func (p *polledRepository) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// start polls a repository. The caller holds the lock.
func (r *repositories) start(polled *polledRepository) {
	if r.ctx == nil || r.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	polled.cancel = cancel
	r.workers.Go(func() {
		defer cancel()
		r.pollOften(ctx, polled)
	})
}

func (r *repositories) pollOften(ctx context.Context, polled *polledRepository) {
	for {
		timer := time.NewTimer(r.wait(polled))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-polled.wake:
			timer.Stop()
			continue
		case <-timer.C:
		}
		if interval, _ := r.interval(); interval <= 0 {
			continue
		}
		changed, err := r.poll(ctx, polled.origin)
		if ctx.Err() != nil {
			return
		}
		r.record(polled.key, changed, err)
	}
}

// wait is the time to the next poll. A repository that failed is tried again
// sooner than at the interval, and less and less often.
func (r *repositories) wait(polled *polledRepository) time.Duration {
	r.mu.Lock()
	failures := polled.failures
	r.mu.Unlock()
	interval, jitter := r.interval()
	if interval <= 0 {
		return time.Hour // until intervalChanged
	}
	if jitter > 0 {
		interval += rand.N(jitter)
	}
	if failures > 0 {
		const first = 5 * time.Second
		return min(interval, first<<min(failures-1, 6))
	}
	return interval
}
