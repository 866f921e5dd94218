package source_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// open gives Mirrors in a directory of the test. Options.Env is the test's.
func open(t testing.TB, o source.Options) *source.Mirrors {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	o.Env = append(o.Env, "PATH="+os.Getenv("PATH"))
	m, err := source.NewMirrors(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func resolve(t testing.TB, m *source.Mirrors, repo source.Repository, revision string) string {
	t.Helper()
	commit, err := m.Resolve(t.Context(), repo, revision, 0)
	if err != nil {
		t.Fatal(err)
	}
	return commit
}

func snapshot(t testing.TB, m *source.Mirrors, repo source.Repository, commit string) *source.Snapshot {
	t.Helper()
	s, err := m.Snapshot(t.Context(), repo, commit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func content(t testing.TB, fsys fs.FS, name string) string {
	t.Helper()
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRevisionsAreResolved(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	first := r.Git(t, "rev-parse", "main")
	r.Tag(t, "v1.0.0", first, "")
	second := r.Commit(t, map[string]string{"a": "2"}, "Second")
	r.Tag(t, "v1.2.0", second, "annotated")
	r.Tag(t, "v1.3.0-rc.1", second, "")
	r.Tag(t, "part/2.0.0", first, "")
	r.Tag(t, "same", first, "")
	third := r.Commit(t, map[string]string{"a": "3"}, "Third")
	dev := r.Must(t, gitserver.Change{Branch: "feature/x", Files: map[string]string{"b": "1"}, Message: "On a branch"})
	same := r.Must(t, gitserver.Change{Branch: "same", Files: map[string]string{"b": "2"}, Message: "Named as a tag"})
	constraint := r.Must(t, gitserver.Change{Branch: "7.x", Files: map[string]string{"b": "3"}, Message: "Named as a constraint"})
	r.Git(t, "update-ref", "refs/pull/7/head", dev)
	hidden := r.Must(t, gitserver.Change{Branch: "gone", Orphan: true, Files: map[string]string{"h": "1"}, Message: "Hidden"})
	r.Git(t, "update-ref", "-d", "refs/heads/gone")

	transports := map[string]source.Repository{"http": {URL: r.URL()}, "file": {URL: r.FileURL()}}
	for transport, repo := range transports {
		m := open(t, source.Options{})
		for revision, want := range map[string]string{
			"": third, "HEAD": third, "main": third, "refs/heads/main": third, "feature/x": dev, "heads/feature/x": dev,
			"same": same, "refs/tags/same": first, "tags/same": first,
			"v1.0.0": first, "v1.2.0": second, "refs/tags/v1.2.0": second,
			"1.*": second, ">=1.0.0 <1.1.0": first, "~1.2": second, ">=1.3.0-0": second, "7.x": constraint,
			first: first, strings.ToUpper(first): first, first[:7]: first, second[:12]: second,
			"refs/pull/7/head": dev, " main ": third,
		} {
			t.Run(transport+" "+revision, func(t *testing.T) {
				got, err := m.Resolve(t.Context(), repo, revision, time.Hour)
				if err != nil || got != want {
					t.Errorf("Resolve(%q) = %s, %v, want %s", revision, got, err, want)
				}
			})
		}
		for _, revision := range []string{
			"v9", "1.0.0", ">=5", strings.Repeat("0", 40), "0000000", "refs/pull/8/head", "refs/pull/../x", "--upload-pack=x",
			"refs/fairlead/head", "main:a", "^main",
		} {
			t.Run(transport+" has no "+revision, func(t *testing.T) {
				got, err := m.Resolve(t.Context(), repo, revision, time.Hour)
				if !errors.Is(err, source.ErrRevisionNotFound) {
					t.Errorf("Resolve(%q) = %s, %v, want ErrRevisionNotFound", revision, got, err)
				}
			})
		}
		t.Run(transport+" tags with a prefix", func(t *testing.T) {
			got, err := m.ResolveTag(t.Context(), repo, ">=1", "part/", time.Hour)
			if err != nil || got != first {
				t.Errorf("ResolveTag = %s, %v, want %s", got, err, first)
			}
		})
		t.Run(transport+" lists names", func(t *testing.T) {
			got, err := m.Refs(t.Context(), repo, time.Hour)
			if err != nil || len(got.Branches) != 4 || len(got.Tags) != 5 {
				t.Errorf("Refs = %v, %v", got, err)
			}
		})
	}
	t.Run("a commit that no reference names is fetched by its id", func(t *testing.T) {
		m := open(t, source.Options{})
		repo := source.Repository{URL: r.URL()}
		if got := resolve(t, m, repo, hidden); got != hidden {
			t.Errorf("Resolve = %s", got)
		}
		if got := content(t, snapshot(t, m, repo, hidden), "h"); got != "1" {
			t.Errorf("content = %q", got)
		}
	})
}

func TestCommitsAreDescribed(t *testing.T) {
	when := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	server := gitserver.Start(t, gitserver.Options{Now: func() time.Time { return when }})
	r := server.Repository(t, "demo.git", nil)
	sha := r.Commit(t, map[string]string{"a": "1"}, "Subject\n\nBody of it\n")
	r.Tag(t, "v2", sha, "")
	r.Tag(t, "v1", sha, "annotated")
	m := open(t, source.Options{})
	repo := source.Repository{URL: r.URL()}
	resolve(t, m, repo, "HEAD")
	got, err := m.Commit(t.Context(), repo, sha)
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA != sha || got.Author != "Author" || got.Email != "author@example.com" || !got.Date.Equal(when) ||
		got.Message != "Subject\n\nBody of it" || strings.Join(got.Tags, " ") != "v1 v2" {
		t.Errorf("Commit = %+v", got)
	}
}

func TestSnapshotFetchesAndFindsAfterRestart(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a/b.yaml": "old"})
	repo, dir := source.Repository{URL: r.URL()}, t.TempDir()
	sha := r.Git(t, "rev-parse", "main")

	m := open(t, source.Options{Dir: dir})
	if got := content(t, snapshot(t, m, repo, sha), "a/b.yaml"); got != "old" {
		t.Errorf("content = %q", got)
	}
	m.Close()
	if _, err := m.Resolve(t.Context(), repo, "HEAD", 0); !errors.Is(err, source.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}

	server.SetFault(gitserver.Fault{Status: 500})
	again := open(t, source.Options{Dir: dir})
	if got := content(t, snapshot(t, again, repo, sha), "a/b.yaml"); got != "old" {
		t.Errorf("content after restart without server = %q", got)
	}
}

func TestPollWithoutChangesDoesNotFetch(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	r.Git(t, "update-ref", "refs/pull/1/head", "main")
	repo, dir := source.Repository{URL: r.URL()}, t.TempDir()
	m := open(t, source.Options{Dir: dir})
	poll := func(want bool) {
		t.Helper()
		if changed, err := m.Fetch(t.Context(), repo); err != nil || changed != want {
			t.Fatalf("Fetch = %v, %v, want %v", changed, err, want)
		}
	}
	poll(true)
	for range 2 {
		server.Forget()
		poll(false)
		if got := commands(server); got != "ls-refs" {
			t.Errorf("requests of a poll = %s", got)
		}
	}
	resolve(t, m, repo, "refs/pull/1/head")
	server.Forget()
	poll(false)
	if got := commands(server); got != "ls-refs" {
		t.Errorf("requests of a poll with an extra reference = %s", got)
	}
	sha := r.Commit(t, map[string]string{"a": "2"}, "Second")
	poll(true)
	server.Forget()
	if got, err := m.Resolve(t.Context(), repo, "main", time.Hour); err != nil || got != sha {
		t.Errorf("Resolve = %s, %v", got, err)
	}
	if got := commands(server); got != "" {
		t.Errorf("requests of a resolve within maxAge = %s", got)
	}
	m.Close()
	m = open(t, source.Options{Dir: dir})
	server.Forget()
	poll(true)
	if got := commands(server); got != "GET ls-refs" {
		t.Errorf("requests of the first poll after a restart = %s", got)
	}
}

// commands are the requests that a server got, shortly.
func commands(s *gitserver.Server) string {
	var words []string
	for _, r := range s.Requests() {
		if r.Command == "" {
			r.Command = r.Method
		}
		words = append(words, r.Command)
	}
	return strings.Join(words, " ")
}

func TestGivingUpDoesNotEndTheFetchOfOthers(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo := source.Repository{URL: r.URL()}
	m := open(t, source.Options{})
	server.SetFault(gitserver.Fault{Delay: 300 * time.Millisecond})
	impatient, cancel := context.WithCancel(t.Context())
	gaveUp, done := make(chan error), make(chan error)
	go func() {
		_, err := m.Resolve(impatient, repo, "HEAD", time.Hour)
		gaveUp <- err
	}()
	until(t, func() bool { return len(server.Requests()) > 0 })
	go func() {
		_, err := m.Resolve(t.Context(), repo, "HEAD", time.Hour)
		done <- err
	}()
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that gave up got %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("the other got %v", err)
	}
}

func TestConcurrentCallersShareOneFetch(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo := source.Repository{URL: r.URL()}
	for name, age := range map[string]time.Duration{"as new as possible": 0, "of an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			m := open(t, source.Options{})
			server.Forget()
			results := make(chan error)
			for range 50 {
				go func() {
					_, err := m.Resolve(t.Context(), repo, "main", age)
					results <- err
				}()
			}
			for range 50 {
				if err := <-results; err != nil {
					t.Error(err)
				}
			}
			got := commands(server)
			if strings.Count(got, "fetch") != 1 || strings.Count(got, "ls-refs") > 4 {
				t.Errorf("requests = %s", got)
			}
		})
	}
}

// until waits for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the test ends before the condition is met")
		}
	}
}
