package download_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/download"
)

// files is a server of one file that a test changes.
type files struct {
	*httptest.Server
	mu                sync.Mutex
	content, tag      string
	status            int
	redirect          string
	requests, skipped int
	user, password    string
}

func serve(t *testing.T, content string) *files {
	t.Helper()
	f := &files{content: content, tag: `"1"`}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests++
		f.user, f.password, _ = r.BasicAuth()
		switch {
		case f.redirect != "":
			http.Redirect(w, r, f.redirect, http.StatusFound)
		case f.status != 0:
			w.WriteHeader(f.status)
		case f.tag != "" && r.Header.Get("If-None-Match") == f.tag:
			f.skipped++
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", f.tag)
			fmt.Fprint(w, f.content)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *files) set(change func(*files)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newStore(t *testing.T, o download.Options) (*download.Store, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = c.Now
	s := download.New(o)
	t.Cleanup(func() { s.Close() })
	return s, c
}

func TestAFileIsReadOnceAndVerifiedWhenItIsOld(t *testing.T) {
	server := serve(t, "replicas: 1")
	s, c := newStore(t, download.Options{})
	repo := source.Repository{URL: server.URL + "/values.yaml?version=1"}
	want := func(content string, requests, skipped int, maxAge time.Duration) {
		t.Helper()
		got, err := s.Get(t.Context(), repo, maxAge)
		if err != nil || string(got) != content {
			t.Errorf("content %q, error %v", got, err)
		}
		server.set(func(f *files) {
			if f.requests != requests || f.skipped != skipped {
				t.Errorf("%d requests and %d without content, want %d and %d", f.requests, f.skipped, requests, skipped)
			}
		})
	}
	want("replicas: 1", 1, 0, time.Minute)
	want("replicas: 1", 1, 0, time.Minute)
	c.advance(2 * time.Minute)
	want("replicas: 1", 2, 1, time.Minute)
	want("replicas: 1", 2, 1, time.Minute)
	want("replicas: 1", 3, 2, 0) // in any case
	server.set(func(f *files) { f.content, f.tag = "replicas: 2", `"2"` })
	c.advance(2 * time.Minute)
	want("replicas: 2", 4, 2, time.Minute)
}

func TestWhatAServerGaveStaysWhileItCannotBeReached(t *testing.T) {
	server := serve(t, "replicas: 1")
	s, c := newStore(t, download.Options{})
	repo := source.Repository{URL: server.URL + "/values.yaml"}
	if _, err := s.Get(t.Context(), repo, time.Minute); err != nil {
		t.Fatal(err)
	}
	server.set(func(f *files) { f.status = http.StatusBadGateway })
	c.advance(time.Hour)
	if got, err := s.Get(t.Context(), repo, time.Minute); err != nil || string(got) != "replicas: 1" {
		t.Errorf("content %q, error %v", got, err)
	}
	if _, err := s.Get(t.Context(), repo, 0); !errors.Is(err, source.ErrUnreachable) {
		t.Errorf("for who wants it anew: error %v", err)
	}
	asked := 0
	server.set(func(f *files) { asked = f.requests })
	if _, err := s.Get(t.Context(), repo, time.Minute); err != nil {
		t.Error(err)
	}
	server.set(func(f *files) {
		if f.requests != asked {
			t.Error("a server that has just failed is asked again at once")
		}
	})
	c.advance(25 * time.Hour)
	if _, err := s.Get(t.Context(), repo, time.Minute); !errors.Is(err, source.ErrUnreachable) {
		t.Errorf("after a day: error %v", err)
	}
	t.Run("but not when it says that there is none", func(t *testing.T) {
		server.set(func(f *files) { f.status = 0 })
		c.advance(time.Hour)
		if _, err := s.Get(t.Context(), repo, time.Minute); err != nil {
			t.Fatal(err)
		}
		server.set(func(f *files) { f.status = http.StatusNotFound })
		c.advance(time.Hour)
		if _, err := s.Get(t.Context(), repo, time.Minute); !errors.Is(err, source.ErrRepositoryNotFound) {
			t.Errorf("error %v", err)
		}
	})
}

func TestCredentialsGoToTheirServerAlone(t *testing.T) {
	other, server := serve(t, "elsewhere"), serve(t, "here")
	other.tag = `"of another"`
	s, _ := newStore(t, download.Options{})
	repo := source.Repository{URL: server.URL + "/values.yaml", Username: "reader", Password: "open sesame"}
	if _, err := s.Get(t.Context(), repo, time.Minute); err != nil || server.user != "reader" || server.password != "open sesame" {
		t.Errorf("the server got user %q, error %v", server.user, err)
	}
	server.set(func(f *files) { f.redirect = other.URL + "/x" })
	if got, err := s.Get(t.Context(), repo, 0); err != nil || string(got) != "elsewhere" {
		t.Errorf("content %q, error %v", got, err)
	}
	if other.user != "" || other.password != "" {
		t.Error("another server got the credentials")
	}
	t.Run("and what was read with them is not for others", func(t *testing.T) {
		server.set(func(f *files) { f.redirect, f.status = "", http.StatusUnauthorized })
		anonymous := source.Repository{URL: repo.URL}
		_, err := s.Get(t.Context(), anonymous, time.Hour)
		if !errors.Is(err, source.ErrAuthentication) {
			t.Errorf("error %v", err)
		}
	})
}

func TestWhatMayNotBeReadIsRefused(t *testing.T) {
	server := serve(t, strings.Repeat("x", 100))
	for name, test := range map[string]struct {
		url    string
		change func(*files)
		o      download.Options
		want   error
		says   string
	}{
		"a file of this machine":        {url: "file:///etc/passwd", want: source.ErrInvalidRepository, says: "https and http alone"},
		"another scheme":                {url: "ftp://example.com/x", want: source.ErrInvalidRepository},
		"the metadata of a cloud":       {url: "http://169.254.169.254/latest/meta-data/", want: source.ErrInvalidRepository, says: "local to the link"},
		"the same, written as IPv6":     {url: "http://[::ffff:169.254.169.254]/", want: source.ErrInvalidRepository, says: "local to the link"},
		"the same in IPv6":              {url: "http://[fd00:ec2::254]/", want: source.ErrInvalidRepository, says: "local to the link"},
		"a redirect to it":              {change: func(f *files) { f.redirect = "http://169.254.169.254/x" }, want: source.ErrInvalidRepository, says: "local to the link"},
		"a redirect to a file":          {change: func(f *files) { f.redirect = "file:///etc/passwd" }, want: source.ErrUnreachable},
		"a file over the limit":         {o: download.Options{MaxFile: 99}, want: source.ErrTooLarge, says: "99 bytes"},
		"a server that refuses":         {change: func(f *files) { f.status = http.StatusForbidden }, want: source.ErrAuthentication},
		"a query that may be a secret":  {url: "http://127.0.0.1:1/values.yaml?token=abracadabra", want: source.ErrUnreachable},
		"a password in a URL":           {url: "http://me:abracadabra@127.0.0.1:1/values.yaml", want: source.ErrUnreachable},
		"a URL that cannot be read":     {url: "http://[", want: source.ErrInvalidRepository},
		"a server that does not listen": {url: "http://127.0.0.1:1/", want: source.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			server.set(func(f *files) { f.redirect, f.status, f.tag = "", 0, "" })
			if test.change != nil {
				server.set(test.change)
			}
			if test.url == "" {
				test.url = server.URL + "/values.yaml"
			}
			s, _ := newStore(t, test.o)
			_, err := s.Get(t.Context(), source.Repository{URL: test.url}, time.Minute)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "abracadabra") {
				t.Errorf("error %v, want %v that says %q", err, test.want, test.says)
			}
		})
	}
}

func TestCallersAtTheSameTimeShareARequest(t *testing.T) {
	server := serve(t, "replicas: 1")
	held := make(chan struct{})
	server.mu.Lock() // no answer yet
	s, _ := newStore(t, download.Options{})
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			if _, err := s.Get(t.Context(), source.Repository{URL: server.URL + "/v"}, time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	go func() { close(held) }()
	<-held
	server.mu.Unlock()
	callers.Wait()
	server.set(func(f *files) {
		if f.requests != 1 {
			t.Errorf("%d requests", f.requests)
		}
	})
}
