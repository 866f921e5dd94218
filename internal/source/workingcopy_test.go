package source_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

func workingCopy(t *testing.T, dir string, limit int64) *source.WorkingCopy {
	t.Helper()
	w, err := source.OpenWorkingCopy(dir, limit)
	must(t, err)
	t.Cleanup(func() { w.Close() })
	return w
}

func TestAWorkingCopyIsWhatItsCommitIs(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", nil)
	sha := r.Must(t, gitserver.Change{
		Files: map[string]string{
			"a/b/c.yaml": "c", "a/run.sh": "#!/bin/sh\n", "top": "t", "a.b": "", "a-b/x": "x", "with space/ü": "u", "a/b/d": "d",
		},
		Links: map[string]string{"link": "a/b/c.yaml", "a/dir": "b", "a/b/far": "../../a-b/./x", "nowhere": "nothing"},
	})
	dir := filepath.Join(t.TempDir(), "work")
	if out, err := exec.Command("git", "clone", "--quiet", r.Dir(), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w := workingCopy(t, dir, 0)
	if err := fstest.TestFS(w, "a/b/c.yaml", "a/run.sh", "top", "a.b", "a-b/x", "with space/ü"); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("TestFS = %v; want it to complain about the broken link alone", err)
	}
	s := snapshot(t, open(t, source.Options{}), source.Repository{URL: r.URL()}, sha)
	for _, name := range []string{".", "a", "a/b", "a/dir", "a/run.sh", "top", "a.b", "link", "a/b/far", "with space/ü"} {
		got, err := w.Stat(name)
		must(t, err)
		want, err := s.Stat(name)
		must(t, err)
		linked := func(i fs.FileInfo) bool { return i.(interface{ Linked() bool }).Linked() }
		if got.Sys() != want.Sys() || got.Mode() != want.Mode() || got.Size() != want.Size() || linked(got) != linked(want) {
			t.Errorf("%s: %v %v, want %v %v", name, got, got.Sys(), want, want.Sys())
		}
		if !got.IsDir() && content(t, w, name) != content(t, s, name) {
			t.Errorf("the content of %s differs", name)
		}
	}
	link, err := w.Lstat("a/dir")
	if target, problem := w.ReadLink("a/dir"); err != nil || problem != nil || target != "b" || link.Mode().Type() != fs.ModeSymlink {
		t.Errorf("Lstat = %v, %v, ReadLink = %q, %v", link, err, target, problem)
	}

	must(t, os.WriteFile(filepath.Join(dir, "a", "b", "d"), []byte("changed"), 0o644))
	changed := workingCopy(t, dir, 0)
	for name, same := range map[string]bool{".": false, "a": false, "a/b/d": false, "a/b/c.yaml": true, "a-b": true} {
		if got := objectOf(t, changed, name) == objectOf(t, s, name); got != same {
			t.Errorf("%s is the same after a change: %v", name, got)
		}
	}
}

func TestAWorkingCopyRefusesWhatLeadsAstray(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600))
	dir := filepath.Join(t.TempDir(), "work")
	must(t, os.MkdirAll(filepath.Join(dir, "a", ".git"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "a", ".git", "config"), []byte("c"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "big"), []byte(strings.Repeat("x", 2000)), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o644))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	for name, target := range map[string]string{
		"abs": outside, "out": "../../" + filepath.Base(outside), "a/out": "../../x", "loop": "loop2", "loop2": "loop", "git": "a/.git",
	} {
		must(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	w := workingCopy(t, dir, 1999)
	for name, want := range map[string]error{
		"../x": fs.ErrInvalid, "/etc/passwd": fs.ErrInvalid, "abs": source.ErrLinkOutside, "abs/secret": source.ErrLinkOutside,
		"out": source.ErrLinkOutside, "out/secret": source.ErrLinkOutside, "a/out": source.ErrLinkOutside, "loop": source.ErrLinkLoop,
		"a/.git/config": fs.ErrNotExist, "a/.GIT/config": fs.ErrNotExist, "git/config": fs.ErrNotExist, "file/x": fs.ErrNotExist,
		"nothing": fs.ErrNotExist, "big": source.ErrTooLarge, "pipe": fs.ErrInvalid,
	} {
		if _, err := w.ReadFile(name); !errors.Is(err, want) {
			t.Errorf("ReadFile(%q) = %v, want %v", name, err, want)
		}
		f, err := w.Open(name)
		if err == nil {
			_, err = f.Read(make([]byte, 1))
		}
		if !errors.Is(err, want) || strings.Contains(err.Error(), dir) {
			t.Errorf("Open(%q) = %v, want %v", name, err, want)
		}
	}
	var names []string
	entries, err := w.ReadDir(".")
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"a", "abs", "big", "file", "git", "loop", "loop2", "out"}; !slices.Equal(names, want) {
		t.Errorf("ReadDir = %q, want %q", names, want)
	}
}

func TestChangedPathsAreFoundInTheTrees(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", nil)
	first := r.Must(t, gitserver.Change{
		Files: map[string]string{
			"same/a": "1", "changed": "1", "mode": "#!x", "gone/a": "1", "gone/b/c": "1", "becomes-folder": "1", "becomes-file/x": "1", "a/b": "1", "a.b": "1",
		},
		Links:   map[string]string{"link": "changed"},
		Modules: map[string]string{"module": strings.Repeat("1", 40)},
	})
	second := r.Must(t, gitserver.Change{
		Remove: []string{"gone", "becomes-folder", "becomes-file"},
		Files: map[string]string{
			"changed": "2", "new/x/y": "1", "becomes-folder/x": "1", "becomes-file": "1", "a/b": "2", "link": "changed",
		},
		Modules: map[string]string{"module": strings.Repeat("2", 40)},
	})
	m := open(t, source.Options{})
	repo := source.Repository{URL: r.URL()}
	got, err := m.ChangedPaths(t.Context(), repo, first, second)
	must(t, err)
	want := strings.Fields(r.Git(t, "diff-tree", "-r", "--name-only", "--no-renames", first, second))
	slices.Sort(want)
	if want = slices.Compact(want); !slices.Equal(got, want) || len(want) < 9 {
		t.Errorf("ChangedPaths = %q, want what git says, %q", got, want)
	}
	if back, err := m.ChangedPaths(t.Context(), repo, second, first); err != nil || !slices.Equal(back, want) {
		t.Errorf("ChangedPaths the other way = %q, %v", back, err)
	}
	if none, err := m.ChangedPaths(t.Context(), repo, first, first); err != nil || len(none) != 0 {
		t.Errorf("ChangedPaths of one commit = %q, %v", none, err)
	}
	if _, err := m.ChangedPaths(t.Context(), repo, first, strings.Repeat("0", 40)); !errors.Is(err, source.ErrRevisionNotFound) {
		t.Errorf("ChangedPaths to nowhere = %v", err)
	}
}
