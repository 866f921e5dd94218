package source_test

import (
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// BenchmarkPollWithoutChanges compares the three ways to find out that nothing has changed. The server's own processes
// count into neither number: children of the server are not children of the poll, but share the machine.
func BenchmarkPollWithoutChanges(b *testing.B) {
	server := gitserver.Start(b, gitserver.Options{})
	r := server.Repository(b, "demo.git", map[string]string{"a": "1"})
	for i := range 500 {
		r.Git(b, "update-ref", "refs/heads/branch-"+string(rune('a'+i%26))+time.Duration(i).String(), "main")
	}
	m := open(b, source.Options{})
	repo := source.Repository{URL: r.URL()}
	resolve(b, m, repo, "HEAD")
	clone := b.TempDir()
	git := func(b *testing.B, args ...string) {
		b.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = clone
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("git %v: %v: %s", args, err, out)
		}
		b.ReportMetric(float64(childTime(cmd)), "child-cpu-ns/op") // of the last one
	}
	git(b, "clone", "--quiet", "--mirror", r.URL(), ".")
	b.Run("in process", func(b *testing.B) {
		for b.Loop() {
			if changed, err := m.Fetch(b.Context(), repo); err != nil || changed {
				b.Fatal(changed, err)
			}
		}
	})
	b.Run("git ls-remote", func(b *testing.B) {
		for b.Loop() {
			git(b, "ls-remote", "--quiet", r.URL())
		}
	})
	b.Run("git fetch", func(b *testing.B) {
		for b.Loop() {
			git(b, "fetch", "--quiet", "--prune")
		}
	})
}

func childTime(cmd *exec.Cmd) time.Duration {
	usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkResolveAndSnapshot measures what each application does at each reconciliation, polls apart.
func BenchmarkResolveAndSnapshot(b *testing.B) {
	server := gitserver.Start(b, gitserver.Options{})
	r := server.Repository(b, "demo.git", map[string]string{"a/b.yaml": "1"})
	m := open(b, source.Options{})
	repo := source.Repository{URL: r.URL(), Username: "user", Password: "password"}
	resolve(b, m, repo, "HEAD")
	for b.Loop() {
		commit, err := m.Resolve(b.Context(), repo, "main", time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Snapshot(b.Context(), repo, commit); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFetchOneCommit measures the time from a push until the commit's files can be read.
func BenchmarkFetchOneCommit(b *testing.B) {
	server := gitserver.Start(b, gitserver.Options{})
	files := map[string]string{}
	for i := range 1000 {
		files["apps/app-"+strconv.Itoa(i)+"/a.yaml"] = "kind: x"
	}
	r := server.Repository(b, "demo.git", files)
	m := open(b, source.Options{Logger: slog.New(slog.DiscardHandler)})
	repo := source.Repository{URL: r.URL()}
	resolve(b, m, repo, "HEAD")
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		r.Commit(b, map[string]string{"apps/app-7/a.yaml": strconv.Itoa(i)}, "Next")
		b.StartTimer()
		content(b, snapshot(b, m, repo, resolve(b, m, repo, "HEAD")), "apps/app-7/a.yaml")
	}
}
