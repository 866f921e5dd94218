package source_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// noise is text that cannot be compressed well.
func noise(bytes int) string {
	b := make([]byte, bytes/2)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func TestARepositoryAboveTheLimitIsRefusedAndTheLastStateStays(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo, dir := source.Repository{URL: r.URL()}, t.TempDir()
	m := open(t, source.Options{Dir: dir, MaxRepositorySize: 1 << 20})
	good := resolve(t, m, repo, "HEAD")
	r.Commit(t, map[string]string{"big": noise(4 << 20)}, "Huge")
	server.Forget()
	for range 3 {
		_, err := m.Resolve(t.Context(), repo, "HEAD", 0)
		if !errors.Is(err, source.ErrRepositoryTooLarge) || !strings.Contains(err.Error(), "1048576") {
			t.Fatalf("Resolve = %v", err)
		}
	}
	if got := strings.Count(commands(server), "fetch"); got > 2 { // into the mirror, and beside it
		t.Errorf("it was fetched %d times", got)
	}
	if got := content(t, snapshot(t, m, repo, good), "a"); got != "1" {
		t.Errorf("content of the last good commit = %q", got)
	}
	m.Close()
	again := open(t, source.Options{Dir: dir, MaxRepositorySize: 1 << 20})
	if _, err := again.Resolve(t.Context(), repo, "HEAD", 0); !errors.Is(err, source.ErrRepositoryTooLarge) {
		t.Errorf("Resolve after a restart = %v", err)
	}
	r.Must(t, gitserver.Change{Parent: good, Files: map[string]string{"a": "2"}, Message: "Without it"})
	sha := resolve(t, again, repo, "HEAD")
	if got := content(t, snapshot(t, again, repo, sha), "a"); got != "2" {
		t.Errorf("content after the repository has shrunk = %q", got)
	}
}

func TestADepthFetchesNoMoreThanItSays(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	first := r.Git(t, "rev-parse", "main")
	second := r.Commit(t, map[string]string{"a": "2"}, "Second")
	dir := t.TempDir()
	m := open(t, source.Options{Dir: dir})
	repo := source.Repository{URL: r.URL(), Depth: 1}
	if got := resolve(t, m, repo, "main"); got != second {
		t.Errorf("Resolve = %s", got)
	}
	inMirror := func(commit string) bool {
		return exec.Command("git", "--git-dir", mirrorDir(t, dir), "cat-file", "-e", commit).Run() == nil
	}
	if !inMirror(second) || inMirror(first) {
		t.Errorf("the mirror has the last commit: %v, the one before: %v", inMirror(second), inMirror(first))
	}
	third := r.Commit(t, map[string]string{"a": "3"}, "Third")
	if got := content(t, snapshot(t, m, repo, resolve(t, m, repo, "main")), "a"); got != "3" {
		t.Errorf("content of %s = %q", third, got)
	}
	for commit, want := range map[string]string{first: "1", second: "2"} {
		if got := content(t, snapshot(t, m, repo, commit), "a"); got != want {
			t.Errorf("content of %s, asked for by its id = %q", commit, got)
		}
	}
}

func TestWhatRewrittenHistoryLeftIsKeptForAWhile(t *testing.T) {
	at := &clock{now: time.Now()}
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo, dir := source.Repository{URL: r.URL()}, t.TempDir()
	m := open(t, source.Options{Dir: dir, Now: at.Now, KeepRewritten: 48 * time.Hour})
	old := resolve(t, m, repo, "HEAD")
	content(t, snapshot(t, m, repo, old), "a")
	// Packs and objects look older than they may become.
	at.advance(30 * 24 * time.Hour)
	r.Must(t, gitserver.Change{Orphan: true, Files: map[string]string{"a": "2"}, Message: "Forced"})
	forced := resolve(t, m, repo, "HEAD")
	inMirror := func() bool {
		return exec.Command("git", "--git-dir", mirrorDir(t, dir), "cat-file", "-e", old).Run() == nil
	}
	must(t, m.Maintain(t.Context()))
	at.advance(47 * time.Hour)
	must(t, m.Maintain(t.Context()))
	if !inMirror() {
		t.Error("a commit that was left lately is gone")
	}
	at.advance(48 * time.Hour)
	must(t, m.Maintain(t.Context()))
	if inMirror() {
		t.Error("a commit that was left long ago is still there")
	}
	if got := content(t, snapshot(t, m, repo, forced), "a"); got != "2" {
		t.Errorf("content = %q", got)
	}
	if got := content(t, snapshot(t, m, repo, old), "a"); got != "1" {
		t.Errorf("content of the old commit, fetched by its id = %q", got)
	}
}

func TestTagsMayMoveAndAbbreviationsBeAmbiguous(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	repo := source.Repository{URL: r.URL()}
	m := open(t, source.Options{})
	first := r.Git(t, "rev-parse", "main")
	r.Tag(t, "v1.0.0", first, "")
	r.Tag(t, "v1.1.0-rc.1", first, "")
	second := r.Commit(t, map[string]string{"a": "2"}, "Second")
	for _, step := range []struct{ at, message string }{{first, ""}, {second, "annotated"}, {first, "annotated anew"}, {second, ""}} {
		r.Tag(t, "v1.0.0", step.at, step.message)
		for _, revision := range []string{"v1.0.0", "1.x", ">=1.0.0 <1.1.0", "refs/tags/v1.0.0"} {
			if got := resolve(t, m, repo, revision); got != step.at {
				t.Errorf("Resolve(%s) = %s, want %s", revision, got, step.at)
			}
		}
	}
	r.Git(t, "tag", "--annotate", "--message", "of a tag", "outer", "v1.1.0-rc.1")
	r.Tag(t, "v1.2.0-beta", first, "pre-release")
	for revision, want := range map[string]string{
		"*": second, "1.*": second, ">=1.0.0-0": first, "~1.1.0-0": first, ">1.0.0-0": first, "outer": first, "^1.2.0-alpha": first,
	} {
		if got := resolve(t, m, repo, revision); got != want {
			t.Errorf("Resolve(%s) = %s, want %s", revision, got, want)
		}
	}
	r.Git(t, "tag", "folder", "main^{tree}")
	r.Git(t, "tag", "--annotate", "--message", "of a folder", "annotated-folder", "main^{tree}")
	for revision, why := range map[string]string{"folder": "tree", "annotated-folder": "tree", "~1.1.0": "constraint", "^2": "constraint"} {
		if _, err := m.Resolve(t.Context(), repo, revision, 0); !errors.Is(err, source.ErrRevisionNotFound) || !strings.Contains(err.Error(), why) {
			t.Errorf("Resolve(%s) = %v", revision, err)
		}
	}

	var in strings.Builder
	in.WriteString("reset refs/heads/many\n\n")
	for i := range 1500 {
		fmt.Fprintf(&in, "commit refs/heads/many\ncommitter A <a@example.com> %d +0000\ndata 1\nx\n\n", 1_700_000_000+i)
	}
	cmd := exec.Command("git", "--git-dir", r.Dir(), "fast-import", "--quiet", "--force")
	cmd.Stdin = strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seen := map[string]string{}
	for commit := range strings.FieldsSeq(r.Git(t, "rev-list", "many")) {
		short := commit[:4]
		if other, ok := seen[short]; ok && other != commit {
			_, err := m.Resolve(t.Context(), repo, short, 0)
			if !errors.Is(err, source.ErrRevisionNotFound) || !strings.Contains(err.Error(), "ambiguous") {
				t.Errorf("Resolve(%s) = %v", short, err)
			}
			if got := resolve(t, m, repo, commit[:12]); got != commit {
				t.Errorf("Resolve(%s) = %s", commit[:12], got)
			}
			return
		}
		seen[short] = commit
	}
	t.Skip("no two of the commits begin with the same four digits")
}

func TestASlowServerIsWaitedForAsLongAsItSendsSomething(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	server.SetFault(gitserver.Fault{Delay: 100 * time.Millisecond})
	m := open(t, source.Options{PollTimeout: 10 * time.Second})
	repo := source.Repository{URL: r.URL()}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if _, err := m.Resolve(t.Context(), repo, "HEAD", time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
