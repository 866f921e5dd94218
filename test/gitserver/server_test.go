package gitserver_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/test/gitserver"
)

func TestRepositoryIsClonedChangedAndPushed(t *testing.T) {
	for name, options := range map[string]gitserver.Options{
		"open":                 {},
		"basic authentication": {Username: "user", Password: "p@ss"},
		"TLS":                  {TLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := gitserver.Start(t, options)
			r, err := s.CreateRepository(t.Context(), "demo.git", fstest.MapFS{
				"a/b.yaml": {Data: []byte("first\n")}, "with \"quote\" and ü": {Data: []byte("x")},
			})
			if err != nil {
				t.Fatal(err)
			}
			url := r.URL()
			if options.Username != "" {
				url = strings.Replace(url, "://", "://user:p%40ss@", 1)
			}
			work := filepath.Join(t.TempDir(), "work")
			git(t, s, "", "clone", "--quiet", url, work)
			if got := read(t, work, "a/b.yaml"); got != "first\n" {
				t.Errorf("content after clone = %q", got)
			}
			read(t, work, "with \"quote\" and ü")
			if err := os.WriteFile(filepath.Join(work, "big"), []byte(strings.Repeat("0123456789abcdef", 200_000)), 0o644); err != nil {
				t.Fatal(err)
			}
			git(t, s, work, "add", ".")
			git(t, s, work, "commit", "--quiet", "-m", "Add a big file")
			git(t, s, work, "push", "--quiet")
			sha := r.Commit(t, map[string]string{"a/b.yaml": "third\n", "-big": ""}, "Third")
			git(t, s, work, "pull", "--quiet")
			if got := git(t, s, work, "rev-parse", "HEAD"); got != sha {
				t.Errorf("pulled commit = %s, want %s", got, sha)
			}
			if _, err := os.Stat(filepath.Join(work, "big")); !os.IsNotExist(err) {
				t.Errorf("removed file is there: %v", err)
			}
		})
	}
}

func TestRequestsAreRecordedWithTheirCommand(t *testing.T) {
	s := gitserver.Start(t, gitserver.Options{})
	r := s.Repository(t, "demo.git", map[string]string{"a": "1"})
	git(t, s, "", "ls-remote", r.URL())
	want := []gitserver.Request{
		{Method: "GET", Path: "/demo.git/info/refs", Status: 200},
		{Method: "POST", Path: "/demo.git/git-upload-pack", Command: "ls-refs", Status: 200},
	}
	got := s.Requests()
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("requests = %v, want %v", got, want)
	}
}

func TestFaultsAreInjectedAndHealed(t *testing.T) {
	s := gitserver.Start(t, gitserver.Options{})
	r := s.Repository(t, "demo.git", map[string]string{"a": "1"})
	get := func() int {
		resp, err := http.Get(r.URL() + "/info/refs?service=git-upload-pack")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	s.SetFault(gitserver.Fault{Status: http.StatusBadGateway})
	if got := get(); got != http.StatusBadGateway {
		t.Errorf("status under fault = %d", got)
	}
	s.SetFault(gitserver.Fault{})
	if got := get(); got != http.StatusOK {
		t.Errorf("status after fault = %d", got)
	}
}

func git(t *testing.T, s *gitserver.Server, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Author", "GIT_AUTHOR_EMAIL=author@example.com",
		"GIT_COMMITTER_NAME=Author", "GIT_COMMITTER_EMAIL=author@example.com")
	if len(s.CA()) > 0 {
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, s.CA(), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, "GIT_SSL_CAINFO="+ca)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
