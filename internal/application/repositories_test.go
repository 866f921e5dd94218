package application

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/repo"
)

// polling is a set of repositories whose fetches are answered by hand.
type polling struct {
	*repositories
	mu      sync.Mutex
	changed bool
	err     error
	fetches int
	woken   []types.NamespacedName
}

func startPolling(t *testing.T, interval time.Duration) *polling {
	p := &polling{}
	p.repositories = newRepositories(
		func(context.Context, repo.Origin) (bool, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.fetches++
			return p.changed, p.err
		},
		func() (time.Duration, time.Duration) { return interval, 0 },
		func(app types.NamespacedName) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.woken = append(p.woken, app)
		},
		slog.New(slog.DiscardHandler),
	)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return p
}

// after lets time pass and returns what happened in it.
func (p *polling) after(d time.Duration) (fetches int, woken []types.NamespacedName) {
	p.mu.Lock()
	p.fetches, p.woken = 0, nil
	p.mu.Unlock()
	time.Sleep(d) // in a synctest bubble: no real time passes
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetches, p.woken
}

func (p *polling) answer(changed bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed, p.err = changed, err
}

var (
	appOne = types.NamespacedName{Namespace: "argocd", Name: "one"}
	appTwo = types.NamespacedName{Namespace: "argocd", Name: "two"}
	repoA  = poll{key: "a", origin: repo.Origin{URL: "https://127.0.0.1/a.git"}}
	repoB  = poll{key: "b", origin: repo.Origin{URL: "https://127.0.0.1/b.git"}}
)

func TestARepositoryIsPolledOnceForAllItsApplications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, time.Minute)
		p.use(appOne, repoA)
		p.use(appTwo, repoA)
		fetches, woken := p.after(3*time.Minute + time.Second)
		if fetches != 3 || len(woken) != 0 {
			t.Errorf("%d fetches, woken %v; want 3 and nobody", fetches, woken)
		}
		p.answer(true, nil)
		if _, woken := p.after(time.Minute); len(woken) != 2 {
			t.Errorf("woken %v after a change, want both", woken)
		}
	})
}

func TestARepositoryThatNobodyUsesIsNotPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, time.Minute)
		p.use(appOne, repoA)
		p.use(appOne, repoB)
		p.use(appTwo, repoB)
		p.forget(appTwo)
		if fetches, _ := p.after(time.Minute + time.Second); fetches != 1 {
			t.Errorf("%d fetches, want 1: of the repository still used", fetches)
		}
		p.forget(appOne)
		if fetches, _ := p.after(10 * time.Minute); fetches != 0 {
			t.Errorf("%d fetches although nobody is left", fetches)
		}
	})
}

func TestABrokenRepositoryIsTriedAgainSoonerAndLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, time.Hour)
		p.use(appOne, repoA)
		failure := errors.New("no route")
		p.answer(false, failure)
		p.record(repoA.key, false, failure) // as a reconcile that could not resolve does
		if err := p.lastError(repoA.key); !errors.Is(err, failure) {
			t.Errorf("last error %v", err)
		}
		if fetches, _ := p.after(time.Minute); fetches < 2 || fetches > 4 {
			t.Errorf("%d fetches in the first minute, want a few", fetches)
		}
		if fetches, woken := p.after(10 * time.Minute); fetches > 4 || len(woken) != 0 {
			t.Errorf("%d fetches in the next ten, woken %v; want few, and nobody woken by the same error", fetches, woken)
		}
		p.answer(false, nil)
		if _, woken := p.after(time.Hour); len(woken) != 1 {
			t.Errorf("woken %v when it came back, want the user", woken)
		}
		if err := p.lastError(repoA.key); err != nil {
			t.Errorf("last error %v after it came back", err)
		}
	})
}

func TestWithoutAnIntervalNothingIsPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, 0)
		p.use(appOne, repoA)
		if fetches, _ := p.after(24 * time.Hour); fetches != 0 {
			t.Errorf("%d fetches", fetches)
		}
	})
}

func TestAPushWakesThoseItConcernsAtOnceAndTheOthersAtTheNextPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, time.Hour)
		p.use(appOne, repoA)
		p.use(appTwo, repoA)
		p.answer(true, nil)
		p.ask(t.Context(), "127.0.0.1/a", []types.NamespacedName{appOne})
		if p.fetches != 1 || len(p.woken) != 1 || p.woken[0] != appOne {
			t.Errorf("%d fetches, woken %v", p.fetches, p.woken)
		}
		p.answer(false, nil)
		p.ask(t.Context(), "127.0.0.1/a", []types.NamespacedName{appOne})
		if p.fetches != 2 || len(p.woken) != 1 {
			t.Errorf("%d fetches, woken %v although there is nothing new", p.fetches, p.woken)
		}
		if fetches, woken := p.after(time.Hour + time.Second); fetches != 1 || len(woken) != 2 {
			t.Errorf("%d fetches at the next poll, woken %v; want both", fetches, woken)
		}
		if _, woken := p.after(time.Hour); len(woken) != 0 {
			t.Errorf("woken %v again", woken)
		}
	})
}

func TestAPushFetchesOnlyTheRepositoryItIsAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, 0)
		p.use(appOne, repoA, repoB)
		p.use(appTwo, repoB)
		p.answer(true, nil)
		p.ask(t.Context(), "127.0.0.1/b", []types.NamespacedName{appOne, appTwo})
		if p.fetches != 1 || len(p.woken) != 2 {
			t.Errorf("%d fetches, woken %v", p.fetches, p.woken)
		}
	})
}
