package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

func TestFailuresOfTheServerAreToldApartAndTheLastStateStays(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo := source.Repository{URL: r.URL()}
	m := open(t, source.Options{})
	hasty := open(t, source.Options{PollTimeout: 300 * time.Millisecond, FetchTimeout: 5 * time.Second})
	sha := resolve(t, m, repo, "HEAD")

	for name, c := range map[string]struct {
		fault  gitserver.Fault
		commit bool // so that a fetch is needed
		want   error
	}{
		"internal error":                {gitserver.Fault{Status: 500}, false, source.ErrUnreachable},
		"bad gateway for the listing":   {gitserver.Fault{Status: 502, Only: "ls-refs"}, false, source.ErrUnreachable},
		"internal error for the fetch":  {gitserver.Fault{Status: 500, Only: "fetch"}, true, source.ErrUnreachable},
		"forbidden":                     {gitserver.Fault{Status: 403}, false, source.ErrAuthentication},
		"not found":                     {gitserver.Fault{Status: 404}, false, source.ErrRepositoryNotFound},
		"no answer":                     {gitserver.Fault{Hang: true}, false, source.ErrUnreachable},
		"no answer to the fetch":        {gitserver.Fault{Hang: true, Only: "fetch"}, true, source.ErrUnreachable},
		"connection lost while listing": {gitserver.Fault{Truncate: 20, Only: "ls-refs"}, false, source.ErrUnreachable},
		"connection lost in the fetch":  {gitserver.Fault{Truncate: 40, Only: "fetch"}, true, source.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			if c.commit {
				r.Commit(t, map[string]string{"a": name}, name)
			}
			server.SetFault(c.fault)
			asked := m
			if c.fault.Hang {
				asked = hasty
			}
			_, err := asked.Resolve(t.Context(), repo, "HEAD", 0)
			if !errors.Is(err, c.want) {
				t.Errorf("Resolve under fault = %v, want %v", err, c.want)
			}
			if got := content(t, snapshot(t, m, repo, sha), "a"); got != "1" {
				t.Errorf("content under fault = %q", got)
			}
			server.SetFault(gitserver.Fault{})
			if got := resolve(t, m, repo, "HEAD"); got != r.Git(t, "rev-parse", "main") {
				t.Errorf("Resolve after fault = %s", got)
			}
		})
	}

	t.Run("a failure is remembered for those who accept an aged answer", func(t *testing.T) {
		server.SetFault(gitserver.Fault{Status: 500})
		defer server.SetFault(gitserver.Fault{})
		m := open(t, source.Options{RetryAfter: time.Hour})
		for range 20 {
			if _, err := m.Resolve(t.Context(), repo, "HEAD", time.Minute); !errors.Is(err, source.ErrUnreachable) {
				t.Errorf("Resolve = %v", err)
			}
			server.Forget()
		}
		if got := len(server.Requests()); got != 0 {
			t.Errorf("%d requests after the first failure", got)
		}
		if _, err := m.Resolve(t.Context(), repo, "HEAD", 0); err == nil || len(server.Requests()) != 1 {
			t.Errorf("zero age does not ask the server: %v, %v", err, server.Requests())
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		dead := source.Repository{URL: "http://127.0.0.1:1/demo.git"}
		if _, err := m.Resolve(t.Context(), dead, "HEAD", 0); !errors.Is(err, source.ErrUnreachable) {
			t.Errorf("Resolve = %v", err)
		}
	})
	t.Run("not git at all", func(t *testing.T) {
		web := source.Repository{URL: server.URL() + "/nothing.git"}
		if _, err := m.Resolve(t.Context(), web, "HEAD", 0); !errors.Is(err, source.ErrRepositoryNotFound) {
			t.Errorf("Resolve = %v", err)
		}
		gone := source.Repository{URL: "file:///nonexistent/demo.git"}
		if _, err := m.Resolve(t.Context(), gone, "HEAD", 0); !errors.Is(err, source.ErrRepositoryNotFound) {
			t.Errorf("Resolve = %v", err)
		}
	})
}

func TestEmptiedDeletedAndForcedRepositories(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", nil)
	repo := source.Repository{URL: r.URL()}
	m := open(t, source.Options{})
	if _, err := m.Resolve(t.Context(), repo, "HEAD", 0); !errors.Is(err, source.ErrEmptyRepository) {
		t.Errorf("empty repository: %v", err)
	}
	first := r.Commit(t, map[string]string{"a": "1"}, "First")
	if got := resolve(t, m, repo, "HEAD"); got != first {
		t.Errorf("after the first commit: %s", got)
	}
	forced := r.Must(t, gitserver.Change{Orphan: true, Files: map[string]string{"a": "2"}, Message: "Forced"})
	if got := resolve(t, m, repo, "main"); got != forced {
		t.Errorf("after a forced push: %s, want %s", got, forced)
	}
	if got := content(t, snapshot(t, m, repo, first), "a"); got != "1" {
		t.Errorf("content of the old commit = %q", got)
	}
	r.Git(t, "branch", "-m", "main", "main/sub")
	if got := resolve(t, m, repo, "main/sub"); got != forced {
		t.Errorf("a folder in the place of a branch: %s", got)
	}
	if _, err := m.Resolve(t.Context(), repo, "main", 0); !errors.Is(err, source.ErrRevisionNotFound) {
		t.Errorf("deleted branch: %v", err)
	}
	r.Git(t, "symbolic-ref", "HEAD", "refs/heads/nothing")
	if _, err := m.Resolve(t.Context(), repo, "", 0); !errors.Is(err, source.ErrRevisionNotFound) {
		t.Errorf("HEAD of a branch that does not exist: %v", err)
	}
	server.Forget()
	if changed, err := m.Fetch(t.Context(), repo); err != nil || changed || commands(server) != "ls-refs" {
		t.Errorf("poll without HEAD = %v, %v, requests %s", changed, err, commands(server))
	}
	r.Git(t, "update-ref", "-d", "refs/heads/main/sub")
	if _, err := m.Resolve(t.Context(), repo, "main/sub", 0); !errors.Is(err, source.ErrEmptyRepository) {
		t.Errorf("emptied repository: %v", err)
	}
	r.Remove(t)
	if _, err := m.Resolve(t.Context(), repo, "HEAD", 0); !errors.Is(err, source.ErrRepositoryNotFound) {
		t.Errorf("deleted repository: %v", err)
	}
	if got := content(t, snapshot(t, m, repo, first), "a"); got != "1" {
		t.Errorf("content of the old commit after all = %q", got)
	}
}

// mirrorDir finds the only mirror below a data directory.
func mirrorDir(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "git", "*", "HEAD"))
	if err != nil || len(found) != 1 {
		t.Fatalf("mirrors below %s: %v, %v", dir, found, err)
	}
	return filepath.Dir(found[0])
}

func TestMirrorsAreRepaired(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1", "dir/b": "2"})
	repo := source.Repository{URL: r.URL()}
	for name, damage := range map[string]func(dir string) error{
		"the data directory is deleted": func(dir string) error { return os.RemoveAll(filepath.Dir(filepath.Dir(dir))) },
		"the mirror is deleted":         os.RemoveAll,
		"all objects are deleted":       func(dir string) error { return os.RemoveAll(filepath.Join(dir, "objects")) },
		"objects are empty files": func(dir string) error {
			return filepath.Walk(filepath.Join(dir, "objects"), func(path string, info os.FileInfo, err error) error {
				if err != nil || info.IsDir() {
					return err
				}
				return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o644))
			})
		},
		"the configuration is garbage": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "config"), []byte("[[["), 0o644)
		},
		"locks and half a pack are left over": func(dir string) error {
			var err error
			for _, name := range []string{"HEAD.lock", "packed-refs.lock", "config.lock", "refs/heads/main.lock", "objects/pack/tmp_pack_x"} {
				err = errors.Join(err, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755),
					os.WriteFile(filepath.Join(dir, name), nil, 0o644))
			}
			return err
		},
	} {
		for _, restart := range []bool{false, true} {
			if strings.HasPrefix(name, "locks") && !restart {
				continue // nobody leaves them but a process that is gone
			}
			t.Run(name+map[bool]string{false: " while running", true: " before a restart"}[restart], func(t *testing.T) {
				dir := t.TempDir()
				m := open(t, source.Options{Dir: dir, ReaderIdle: time.Millisecond})
				content(t, snapshot(t, m, repo, resolve(t, m, repo, "HEAD")), "a")
				if restart {
					m.Close()
				}
				must(t, damage(mirrorDir(t, dir)))
				if restart {
					m = open(t, source.Options{Dir: dir})
				} else {
					// The readers end when they are idle, and with them what they have mapped.
					until(t, func() bool { return m.Readers() == 0 })
				}
				sha := r.Git(t, "rev-parse", "main")
				s := snapshot(t, m, repo, sha)
				if got := content(t, s, "dir/b"); got != "2" {
					t.Errorf("content after damage = %q", got)
				}
				sha = r.Commit(t, map[string]string{"a": t.Name()}, "After the damage")
				if got := content(t, snapshot(t, m, repo, resolve(t, m, repo, "HEAD")), "a"); got != t.Name() {
					t.Errorf("content of the next commit %s = %q", sha, got)
				}
			})
		}
	}
}

func TestCredentialsAreUsedAndNeverShown(t *testing.T) {
	const password = "s3cr/et p@ss"
	server := gitserver.Start(t, gitserver.Options{Username: "user", Password: password, TLS: true})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	ca := server.CA()
	m := open(t, source.Options{})
	good := source.Repository{URL: r.URL(), Username: "user", Password: password, CAData: ca}
	sha := resolve(t, m, good, "HEAD")
	content(t, snapshot(t, m, good, sha), "a")

	inURL := source.Repository{URL: strings.Replace(r.URL(), "://", "://user:s3cr%2Fet%20p%40ss@", 1), CAData: ca}
	if inURL.Key() != good.Key() {
		t.Error("credentials in the URL make another key")
	}
	resolve(t, m, inURL, "HEAD")

	for name, c := range map[string]struct {
		repo source.Repository
		want error
	}{
		"wrong password":     {source.Repository{URL: r.URL(), Username: "user", Password: "wrong-" + password, CAData: ca}, source.ErrAuthentication},
		"no password":        {source.Repository{URL: r.URL(), CAData: ca}, source.ErrAuthentication},
		"unknown authority":  {source.Repository{URL: r.URL(), Username: "user", Password: password}, source.ErrUnreachable},
		"nonsense authority": {source.Repository{URL: r.URL(), Username: "user", Password: password, CAData: []byte("x")}, source.ErrInvalidRepository},
		"nobody listens":     {source.Repository{URL: "https://user:" + password + "@127.0.0.1:1/x"}, source.ErrInvalidRepository},
		"nobody listens 2":   {source.Repository{URL: "https://user:s3cr%2Fet%20p%40ss@127.0.0.1:1/x"}, source.ErrUnreachable},
		"no such scheme":     {source.Repository{URL: "ext::sh -c " + password}, source.ErrInvalidRepository},
	} {
		t.Run(name, func(t *testing.T) {
			for _, revision := range []string{"HEAD", sha} {
				_, err := m.Resolve(t.Context(), c.repo, revision, 0)
				if !errors.Is(err, c.want) {
					t.Fatalf("Resolve(%s) = %v, want %v", revision, err, c.want)
				}
				if name != "no such scheme" && (strings.Contains(err.Error(), "s3cr") || strings.Contains(err.Error(), "p@ss")) {
					t.Errorf("the error shows the password: %v", err)
				}
			}
			if _, err := m.Snapshot(t.Context(), c.repo, sha); err == nil {
				t.Error("the commit is served without the right to it")
			}
			if err := m.Test(t.Context(), c.repo); !errors.Is(err, c.want) {
				t.Errorf("Test = %v", err)
			}
		})
	}
	t.Run("without verification", func(t *testing.T) {
		resolve(t, m, source.Repository{URL: r.URL(), Username: "user", Password: password, Insecure: true}, "HEAD")
	})
	t.Run("changed password with a stable identity keeps the mirror", func(t *testing.T) {
		dir := t.TempDir()
		m := open(t, source.Options{Dir: dir})
		repo := good
		repo.CredentialID = "app-1"
		resolve(t, m, repo, "HEAD")
		server.Accept("user", "new")
		defer server.Accept("user", password)
		if _, err := m.Resolve(t.Context(), repo, "HEAD", 0); !errors.Is(err, source.ErrAuthentication) {
			t.Errorf("with the old password: %v", err)
		}
		repo.Password = "new"
		resolve(t, m, repo, "HEAD")
		mirrorDir(t, dir)
	})
}

func TestBearerToken(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{BearerToken: "token-1"})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	m := open(t, source.Options{})
	resolve(t, m, source.Repository{URL: r.URL(), BearerToken: "token-1"}, "HEAD")
	_, err := m.Resolve(t.Context(), source.Repository{URL: r.URL(), BearerToken: "token-2"}, "HEAD", 0)
	if !errors.Is(err, source.ErrAuthentication) {
		t.Errorf("wrong token: %v", err)
	}
}

func TestRedirectsAreFollowedWithoutCredentialsToOtherHosts(t *testing.T) {
	target := gitserver.Start(t, gitserver.Options{})
	r := target.Repository(t, "demo.git", map[string]string{"a": "1"})
	front := gitserver.Start(t, gitserver.Options{})
	front.SetFault(gitserver.Fault{Redirect: target.URL()})
	m := open(t, source.Options{})
	repo := source.Repository{URL: front.URL() + "/demo.git"}
	sha := resolve(t, m, repo, "HEAD")
	content(t, snapshot(t, m, repo, sha), "a")
	r.Commit(t, map[string]string{"a": "2"}, "Second")
	resolve(t, m, repo, "HEAD")

	closed := gitserver.Start(t, gitserver.Options{Username: "u", Password: "p"})
	closed.Repository(t, "demo.git", map[string]string{"a": "1"})
	front.SetFault(gitserver.Fault{Redirect: strings.Replace(closed.URL(), "127.0.0.1", "localhost", 1)})
	repo = source.Repository{URL: front.URL() + "/demo.git", Username: "u", Password: "p"}
	if _, err := m.Resolve(t.Context(), repo, "HEAD", 0); !errors.Is(err, source.ErrAuthentication) {
		t.Errorf("redirected to another host: %v", err)
	}
}

func TestTheDataDirectoryCannotBeReadByURL(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	dir := t.TempDir()
	m := open(t, source.Options{Dir: dir})
	resolve(t, m, source.Repository{URL: r.URL()}, "HEAD")
	mirror := mirrorDir(t, dir)
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(mirror, link))
	for _, path := range []string{mirror, link, filepath.Join(dir, "x", "..", "git", filepath.Base(mirror))} {
		_, err := m.Resolve(t.Context(), source.Repository{URL: "file://" + path}, "HEAD", 0)
		if !errors.Is(err, source.ErrInvalidRepository) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestTwoProcessesMayShareADataDirectory(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo, dir := source.Repository{URL: r.URL()}, t.TempDir()
	one, two := open(t, source.Options{Dir: dir}), open(t, source.Options{Dir: dir})
	for _, m := range []*source.Mirrors{one, two, one} {
		sha := r.Commit(t, map[string]string{"a": time.Now().String()}, "Next")
		content(t, snapshot(t, m, repo, resolve(t, m, repo, "HEAD")), "a")
		if got := resolve(t, m, repo, "HEAD"); got != sha {
			t.Errorf("resolved %s, want %s", got, sha)
		}
	}
}

func TestManyFetchesArePackedWithoutLoss(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo := source.Repository{URL: r.URL()}
	m := open(t, source.Options{PackAfter: 5})
	first := resolve(t, m, repo, "HEAD")
	r.Must(t, gitserver.Change{Orphan: true, Files: map[string]string{"a": "2"}, Message: "Forced"})
	for i := range 12 {
		r.Commit(t, map[string]string{"a": strings.Repeat("x", i)}, "More")
		resolve(t, m, repo, "HEAD")
	}
	if got := content(t, snapshot(t, m, repo, first), "a"); got != "1" {
		t.Errorf("content = %q", got)
	}
	content(t, snapshot(t, m, repo, resolve(t, m, repo, "HEAD")), "a")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCloseEndsAFetchInProgress(t *testing.T) {
	for _, command := range []string{"ls-refs", "fetch"} {
		server := gitserver.Start(t, gitserver.Options{})
		r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
		server.SetFault(gitserver.Fault{Hang: true, Only: command})
		m := open(t, source.Options{})
		result := make(chan error)
		go func() {
			_, err := m.Resolve(t.Context(), source.Repository{URL: r.URL()}, "HEAD", 0)
			result <- err
		}()
		until(t, func() bool { return strings.HasSuffix(commands(server), command) })
		must(t, m.Close())
		if err := <-result; !errors.Is(err, source.ErrUnreachable) {
			t.Errorf("%s: %v", command, err)
		}
	}
}

func TestAKilledGitIsTriedAgain(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo, dir := source.Repository{URL: r.URL()}, t.TempDir()
	// A git that dies of a kill signal at its first fetch, leaving a lock behind.
	fake := filepath.Join(t.TempDir(), "git")
	must(t, os.WriteFile(fake, []byte(`#!/bin/sh
if [ "$1" = fetch ] && [ ! -e "`+dir+`/killed" ]; then
	touch "`+dir+`/killed" "$GIT_DIR/packed-refs.lock" "$GIT_DIR/objects/pack/tmp_pack_1"
	kill -9 $$
fi
exec git "$@"
`), 0o755))
	m := open(t, source.Options{Dir: dir, Git: fake})
	sha := resolve(t, m, repo, "HEAD")
	if got := content(t, snapshot(t, m, repo, sha), "a"); got != "1" {
		t.Errorf("content = %q", got)
	}
	r.Commit(t, map[string]string{"a": "2"}, "Second")
	resolve(t, m, repo, "HEAD")
}
