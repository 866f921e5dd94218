package ask_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/ask"
)

func group(t *testing.T, o ask.Options) *ask.Group[int] {
	t.Helper()
	o.Delay = time.Microsecond
	g := ask.New[int](o)
	t.Cleanup(g.Close)
	return g
}

func TestCallersShareAQuestion(t *testing.T) {
	g := group(t, ask.Options{})
	var asked atomic.Int32
	begun, release := make(chan struct{}), make(chan struct{})
	question := func(context.Context) (int, error) {
		n := asked.Add(1)
		if n == 1 {
			close(begun)
			<-release
		}
		return int(n), nil
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if n, err := g.Do(t.Context(), "k", false, question); n != 1 || err != nil {
			t.Errorf("first = %d, %v", n, err)
		}
	})
	<-begun
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		// A caller that is gone already still has its question queued; it shows that nobody else's ends with it.
		if _, err := g.Do(gone, "k", false, question); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that gave up = %v", err)
		}
	}
	results := make(chan int, 20)
	ready := make(chan struct{}, 20)
	for i := range 20 {
		wait.Go(func() {
			ready <- struct{}{}
			n, err := g.Do(t.Context(), "k", i%2 == 0, question)
			if err != nil {
				t.Error(err)
			}
			results <- n
		})
	}
	for range 20 {
		<-ready
	}
	close(release)
	wait.Wait()
	close(results)
	if asked.Load() > 3 {
		t.Errorf("%d questions were asked, want at most 3", asked.Load())
	}
	if n, err := g.Do(t.Context(), "k", true, question); err != nil || n != int(asked.Load()) {
		t.Errorf("answers are not to be remembered: %d, %v", n, err)
	}
}

func TestAFreshCallerIsNotGivenAnOldAnswer(t *testing.T) {
	g := group(t, ask.Options{})
	begun, release := make(chan struct{}), make(chan struct{})
	old := make(chan int, 1)
	go func() {
		n, _ := g.Do(context.WithoutCancel(t.Context()), "k", false, func(context.Context) (int, error) {
			close(begun)
			<-release
			return 1, nil
		})
		old <- n
	}()
	<-begun
	fresh := make(chan int, 1)
	queued := make(chan struct{})
	go func() {
		close(queued)
		n, _ := g.Do(context.WithoutCancel(t.Context()), "k", false, func(context.Context) (int, error) { return 2, nil })
		fresh <- n
	}()
	<-queued
	close(release)
	if n := <-old; n != 1 {
		t.Errorf("the first caller got %d", n)
	}
	if n := <-fresh; n != 2 {
		t.Errorf("the caller that came later got %d", n)
	}
}

func TestOnlyUnreachableServersAreTriedAgain(t *testing.T) {
	unreachable := &source.Error{Reason: source.ErrUnreachable}
	denied := &source.Error{Reason: source.ErrAuthentication}
	for name, test := range map[string]struct {
		errs []error
		want int
	}{
		"passing":      {[]error{unreachable, unreachable, nil}, 3},
		"lasting":      {[]error{unreachable, unreachable, unreachable, nil}, 3},
		"another kind": {[]error{denied, nil}, 1},
		"none":         {[]error{nil}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			_, err := group(t, ask.Options{}).Do(t.Context(), "k", false, func(context.Context) (int, error) {
				n++
				return 0, test.errs[n-1]
			})
			if n != test.want || !errors.Is(err, test.errs[n-1]) {
				t.Errorf("%d attempts, %v; want %d", n, err, test.want)
			}
		})
	}
}

func TestAFailureIsRememberedForAMoment(t *testing.T) {
	now := time.Now()
	g := group(t, ask.Options{Now: func() time.Time { return now }, RetryAfter: time.Minute})
	n := 0
	question := func(context.Context) (int, error) {
		n++
		return 0, &source.Error{Reason: source.ErrAuthentication}
	}
	for range 5 {
		if _, err := g.Do(t.Context(), "k", true, question); !errors.Is(err, source.ErrAuthentication) {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	_, _ = g.Do(t.Context(), "k", false, question)
	now = now.Add(2 * time.Minute)
	_, _ = g.Do(t.Context(), "k", true, question)
	if n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

func TestAClosedGroupAnswersNothing(t *testing.T) {
	g := ask.New[int](ask.Options{})
	begun := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		_, err := g.Do(context.WithoutCancel(t.Context()), "k", false, func(ctx context.Context) (int, error) {
			close(begun)
			<-ctx.Done()
			return 0, context.Cause(ctx)
		})
		ended <- err
	}()
	<-begun
	g.Close()
	if err := <-ended; !errors.Is(err, source.ErrClosed) {
		t.Errorf("a question under way = %v", err)
	}
	if _, err := g.Do(t.Context(), "k", false, nil); !errors.Is(err, source.ErrClosed) {
		t.Errorf("after Close = %v", err)
	}
}

func TestSilenceEndsARequestAndALongAnswerDoesNot(t *testing.T) {
	var slow atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 5 {
			if slow.Load() && i == 2 {
				<-r.Context().Done()
				return
			}
			_, _ = w.Write([]byte("part"))
			w.(http.Flusher).Flush()
		}
	}))
	defer server.Close()
	client := http.Client{Transport: ask.Patient{RoundTripper: http.DefaultTransport, Silence: time.Second}}
	read := func() (string, error) {
		resp, err := client.Get(server.URL)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		return string(data), err
	}
	if text, err := read(); err != nil || len(text) != 20 {
		t.Errorf("a quick answer = %q, %v", text, err)
	}
	slow.Store(true)
	if text, err := read(); !errors.Is(err, ask.ErrSilent) || len(text) != 8 {
		t.Errorf("a silent server = %q, %v", text, err)
	}
}
