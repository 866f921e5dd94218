package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/webhook"
)

const monorepo = "https://git.example.com/monorepo.git"

func application(name, repository, revision string) *v1alpha1.Application {
	return &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.ApplicationSpec{Source: &v1alpha1.ApplicationSource{RepoURL: repository, TargetRevision: revision}},
	}
}

// looks is a queue whose work is noted.
type looks struct {
	*webhook.Queue
	mu   sync.Mutex
	made []string
	// takes is how long one look takes.
	takes time.Duration
}

func startQueue(t *testing.T, takes time.Duration, apps ...*v1alpha1.Application) *looks {
	l := &looks{takes: takes}
	l.Queue = webhook.NewQueue(webhook.QueueOptions{
		Applications: func(key string) []*v1alpha1.Application {
			if key != "git.example.com/monorepo" {
				return nil
			}
			return apps
		},
		Look: func(_ context.Context, _ string, apps []*v1alpha1.Application) {
			var names []string
			for _, app := range apps {
				names = append(names, app.Name)
			}
			l.mu.Lock()
			l.made = append(l.made, fmt.Sprint(names))
			l.mu.Unlock()
			time.Sleep(l.takes)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return l
}

func (l *looks) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.made, want) {
		t.Errorf("looks %v, want %v", l.made, want)
	}
}

func push(revision string) webhook.Event {
	return webhook.Event{URLs: []string{monorepo}, Changes: []webhook.Change{{Revision: revision, Head: revision == "main"}}}
}

func TestAThousandPushesAreTwoLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startQueue(t, 100*time.Millisecond, application("a", monorepo, "HEAD"))
		for range 1000 {
			l.Add(push("main"))
			time.Sleep(time.Millisecond) // of the bubble: a second in all
		}
		time.Sleep(time.Minute)
		l.want(t, "[a]", "[a]")
		l.Add(push("main"))
		l.want(t, "[a]", "[a]", "[a]")
	})
}

func TestOnlyThoseWhomAPushConcernsLookAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startQueue(t, 0, application("head", monorepo, ""), application("dev", "git@git.example.com:monorepo.git", "dev"),
			application("tag", monorepo, "v1"), application("other", "https://git.example.com/other", "dev"))
		l.Add(push("dev"))
		l.want(t, "[dev]")
		l.Add(push("v1"))
		l.Add(push("main"))
		l.Add(push("nobody"))
		time.Sleep(webhook.Pause)
		l.want(t, "[dev]", "[head tag]")
		l.Add(webhook.Event{URLs: []string{"https://git.example.com/unknown"}, Changes: []webhook.Change{{Revision: "main", Head: true}}})
		time.Sleep(time.Minute)
		l.want(t, "[dev]", "[head tag]")
	})
}

func TestManyBranchesTakeNoMoreRoomThanAThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startQueue(t, 0, application("a", monorepo, "release"))
		l.Add(push("release"))
		l.want(t, "[a]")
		for i := range 5000 {
			l.Add(push(fmt.Sprint("branch-", i)))
		}
		l.Add(push("release"))
		time.Sleep(time.Minute)
		l.want(t, "[a]", "[a]")
	})
}
