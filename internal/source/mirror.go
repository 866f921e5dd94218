package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// mirror is one bare mirror. Polls run one at a time on a goroutine of their own; reads go on meanwhile.
type mirror struct {
	all     *Mirrors
	id      string
	objects *readers

	mu       sync.Mutex
	running  *poll
	next     *poll
	refs     *refs     // of the last good poll, nil before
	polledAt time.Time // when that poll began
	failedAt time.Time // when the last poll began, if it failed
	failure  error
	extras   map[string]time.Time // references and commits asked for by full name, and when last
	absent   map[string]time.Time // commits that the remote did not give, and when
	lfsGrant lfsGrant

	lfs singleflight.Group // downloads of LFS objects by their id

	// These belong to the goroutine of the running poll.
	git     program
	lister  *lister
	fetches int  // since the last maintenance
	suspect bool // guarded by mu: objects are missing or damaged
	healed  time.Time
	// tooLarge is what the remote had when it was found to be too large, and the error.
	tooLarge *refusal
	left     map[string]struct{} // tips that no reference names any more, since the last maintenance
}

// refusal is a state of the remote that is not fetched again.
type refusal struct {
	refs *refs
	err  error
}

// poll is one exchange with the remote that any number of callers wait for.
type poll struct {
	repo    Repository
	started time.Time // zero while it waits for the one before
	done    chan struct{}
	changed bool
	err     error
}

func newMirror(all *Mirrors, id string) *mirror {
	m := &mirror{
		all: all, id: id,
		git:    program{path: all.o.Git, env: all.o.Env, dir: filepath.Join(all.repositories(), id)},
		extras: map[string]time.Time{}, absent: map[string]time.Time{}, left: map[string]struct{}{},
	}
	m.objects = newReaders(all, m.directory)
	return m
}

// directory is the program that reads this mirror as it is now.
func (m *mirror) directory() program {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.git
}

func (m *mirror) close() {
	m.objects.close()
	if m.lister != nil {
		m.lister.close()
	}
	if m.git.lock != nil {
		m.git.lock.Close()
	}
}

// refresh makes sure that the references are from notBefore or later, and waits for the poll when one is needed.
func (m *mirror) refresh(ctx context.Context, repo Repository, notBefore time.Time) (changed bool, err error) {
	m.mu.Lock()
	p := m.running
	switch {
	case p == nil:
		p = newPoll(repo)
		m.begin(p)
	case p.started.Before(notBefore):
		// The running one may have listed the references before what this caller knows of happened.
		if m.next == nil {
			m.next = newPoll(repo)
		}
		p = m.next
		p.repo = repo // the latest credentials
	}
	m.mu.Unlock()
	select {
	case <-p.done:
		return p.changed, p.err
	case <-ctx.Done():
		return false, repo.fail(ErrUnreachable, context.Cause(ctx), "waiting for the fetch: %v", context.Cause(ctx))
	}
}

func newPoll(repo Repository) *poll { return &poll{repo: repo, done: make(chan struct{})} }

// begin starts p; m.mu is held.
func (m *mirror) begin(p *poll) {
	m.running, p.started = p, m.all.o.Now()
	m.all.work.Go(func() { m.run(p) })
}

func (m *mirror) run(p *poll) {
	found, changed, err := m.exchange(p)

	m.mu.Lock()
	p.changed, p.err = changed, err
	if err == nil {
		m.refs, m.polledAt = found, p.started
		m.failedAt, m.failure = time.Time{}, nil
	} else {
		m.failedAt, m.failure = p.started, err
	}
	m.mu.Unlock()
	close(p.done)
	if err == nil && changed {
		m.maintain()
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = nil
	if next := m.next; next != nil {
		m.next = nil
		m.begin(next)
	}
}

// fresh gives references that are at most maxAge old. Zero asks the remote in any case.
func (m *mirror) fresh(ctx context.Context, repo Repository, maxAge time.Duration) (*refs, error) {
	now := m.all.o.Now()
	m.mu.Lock()
	found, polledAt, failedAt, failure := m.refs, m.polledAt, m.failedAt, m.failure
	m.mu.Unlock()
	if maxAge > 0 {
		if found != nil && now.Sub(polledAt) <= maxAge {
			return found, nil
		}
		if failure != nil && now.Sub(failedAt) <= min(maxAge, m.all.o.RetryAfter) {
			return nil, failure
		}
	}
	if _, err := m.refresh(ctx, repo, now.Add(-maxAge)); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refs, nil
}

// has reports whether the commit is in the mirror.
func (m *mirror) has(ctx context.Context, commit string) bool {
	if m.objects.knownCommit(commit) {
		return true
	}
	if _, err := os.Stat(filepath.Join(m.directory().dir, "HEAD")); err != nil {
		return false
	}
	o, err := m.objects.info(ctx, commit+"^{commit}")
	if err != nil || o.id.String() != commit {
		return false
	}
	m.objects.rememberCommit(commit)
	return true
}

// want asks the remote for a commit or a reference by its full name, and keeps it in the mirror from then on.
func (m *mirror) want(ctx context.Context, repo Repository, name string, maxAge time.Duration) error {
	now := m.all.o.Now()
	m.mu.Lock()
	at, refused := m.absent[name]
	_, known := m.extras[name]
	m.extras[name] = now
	m.mu.Unlock()
	if refused && maxAge > 0 && now.Sub(at) <= m.all.o.RetryAfter {
		return repo.fail(ErrRevisionNotFound, nil, "the server has no %s", name)
	}
	if known && len(name) != 40 {
		_, err := m.fresh(ctx, repo, maxAge)
		return err
	}
	_, err := m.refresh(ctx, repo, now)
	return err
}

// heal is called when a read found an object missing or damaged: the mirror is made again, at most once a minute.
func (m *mirror) heal(ctx context.Context, repo Repository) error {
	now := m.all.o.Now()
	if _, err := os.Stat(filepath.Join(m.directory().dir, "HEAD")); missing(err) {
		m.all.o.Logger.Warn("mirror is gone and fetched again", "repository", repo.URL)
		m.objects.reset()
		_, err := m.refresh(ctx, repo, now)
		return err
	}
	m.mu.Lock()
	recent := !m.healed.IsZero() && now.Sub(m.healed) < time.Minute
	if !recent {
		m.healed, m.suspect = now, true
	}
	m.mu.Unlock()
	if recent {
		return errors.New("the mirror has been made again a moment ago")
	}
	m.all.o.Logger.Warn("mirror is damaged and made again", "repository", repo.URL)
	_, err := m.refresh(ctx, repo, now)
	return err
}
