package source_test

import (
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

func TestSnapshotIsAFileSystem(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", nil)
	sha := r.Must(t, gitserver.Change{
		Files: map[string]string{
			"a/b/c.yaml": "c", "a/run.sh": "#!/bin/sh\n", "top": "t", "a.b": "", "a-b/x": "x", "empty": "",
			"with space/ü": "u", "a/b/d": "d",
		},
		Links: map[string]string{
			"link": "a/b/c.yaml", "a/dir": "b", "a/up": "../top", "a/b/far": "../../a-b/./x", "chain": "link",
			"a/rootlink": "..",
		},
	})
	m := open(t, source.Options{})
	s := snapshot(t, m, source.Repository{URL: r.URL()}, sha)
	if err := fstest.TestFS(s, "a/b/c.yaml", "a/run.sh", "top", "a.b", "a-b/x", "with space/ü", "a/up"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"link": "c", "a/dir/c.yaml": "c", "a/up": "t", "a/b/far": "x", "chain": "c", "a/rootlink/a/dir/d": "d", "empty": "",
	} {
		if got := content(t, s, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	info, err := s.Stat("a/run.sh")
	if err != nil || info.Mode() != 0o755 || info.Size() != 10 {
		t.Errorf("Stat = %v, %v", info, err)
	}
	id, ok := info.Sys().(source.ObjectID)
	if want := r.Git(t, "rev-parse", sha+":a/run.sh"); !ok || id.String() != want {
		t.Errorf("Sys = %v, want %s", info.Sys(), want)
	}
	if info, err = s.Stat("a/dir"); err != nil || !info.IsDir() || info.Sys() != objectOf(t, s, "a/b") {
		t.Errorf("Stat of a linked folder = %v, %v", info, err)
	}
	if info, err = s.Lstat("a/dir"); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("Lstat = %v, %v", info, err)
	}
	if got, err := s.ReadLink("a/dir"); err != nil || got != "b" {
		t.Errorf("ReadLink = %q, %v", got, err)
	}
	if want := r.Git(t, "rev-parse", sha+"^{tree}"); s.Root().String() != want {
		t.Errorf("Root = %s, want %s", s.Root(), want)
	}
	data, _ := s.ReadFile("top")
	data[0] = 'X'
	if got := content(t, s, "top"); got != "t" {
		t.Errorf("a changed result changed the content to %q", got)
	}
}

func TestSnapshotRefusesWhatLeadsAstray(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", nil)
	sha := r.Must(t, gitserver.Change{
		Files: map[string]string{"a/file": "x", "big": strings.Repeat("x", 2000)},
		Links: map[string]string{
			"abs": "/etc/passwd", "out": "../x", "a/out": "../../etc", "a/out2": "b/../../../x", "loop": "loop2",
			"loop2": "loop", "nowhere": "nothing", "through": "a/file/x", "long": strings.Repeat("a/", 4000),
			"self": "self/x",
		},
		Modules: map[string]string{"module": strings.Repeat("1", 40)},
	})
	m := open(t, source.Options{MaxFileSize: 1999, WithoutSubmodules: true})
	s := snapshot(t, m, source.Repository{URL: r.URL()}, sha)
	for name, want := range map[string]error{
		"../x": fs.ErrInvalid, "/etc/passwd": fs.ErrInvalid, "a/../a/file": fs.ErrInvalid, "": fs.ErrInvalid,
		"a//file": fs.ErrInvalid, "a/": fs.ErrInvalid, "abs": source.ErrLinkOutside, "out": source.ErrLinkOutside,
		"a/out": source.ErrLinkOutside, "a/out/passwd": source.ErrLinkOutside, "a/out2": fs.ErrNotExist,
		"loop": source.ErrLinkLoop, "self": source.ErrLinkLoop, "nowhere": source.ErrPathNotFound, "through": fs.ErrNotExist,
		"long": source.ErrTooLarge, "a/file/x": fs.ErrNotExist, "module/x": source.ErrSubmodule, "A/file": fs.ErrNotExist,
		"big": source.ErrTooLarge,
	} {
		if _, err := s.ReadFile(name); !errors.Is(err, want) {
			t.Errorf("ReadFile(%q) = %v, want %v", name, err, want)
		}
		f, err := s.Open(name)
		if err == nil {
			_, err = f.Read(make([]byte, 1))
		}
		if !errors.Is(err, want) {
			t.Errorf("Open(%q) = %v, want %v", name, err, want)
		}
	}
	if got, err := s.ReadDir("module"); err != nil || len(got) != 0 {
		t.Errorf("submodule = %v, %v", got, err)
	}
	if info, err := s.Stat("big"); err != nil || info.Size() != 2000 {
		t.Errorf("size of the big file = %v, %v", info, err)
	}
	if got := content(t, s, "a/file"); got != "x" {
		t.Errorf("content after all the errors = %q", got)
	}
}

func TestSnapshotsAreReadAtOnce(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"f": "0"})
	repo := source.Repository{URL: r.URL()}
	m := open(t, source.Options{CacheSize: 4096})
	var commits []string
	for i := range 8 {
		commits = append(commits, r.Commit(t, map[string]string{"f": strings.Repeat("x", 1000*i)}, "Next"))
	}
	var all sync.WaitGroup
	for i, sha := range commits {
		for range 4 {
			all.Go(func() {
				s, err := m.Snapshot(t.Context(), repo, sha)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := s.ReadFile("f"); err != nil || len(got) != 1000*i {
					t.Errorf("%d bytes, %v, want %d", len(got), err, 1000*i)
				}
			})
		}
	}
	all.Wait()
}

// objectOf is the id of what a path leads to.
func objectOf(t *testing.T, s fs.StatFS, name string) source.ObjectID {
	t.Helper()
	info, err := s.Stat(name)
	must(t, err)
	return info.Sys().(source.ObjectID)
}

func TestFilesCanBeReadInOneStep(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", nil)
	sha := r.Must(t, gitserver.Change{
		Files: map[string]string{"d/a": "a", "d/b": "b\n", "d/same": "a", "d/empty": "", "d/deep/c": "c", "other": "o", "large": strings.Repeat("x", 2000)},
		Links: map[string]string{"d/link": "../other"},
	})
	m := open(t, source.Options{MaxFileSize: 1000})
	s := snapshot(t, m, source.Repository{URL: r.URL()}, sha)
	s.Prefetch([]string{"d/a", "d/none", "d/deep", "d/b", "d/same", "d/empty", "d/link", "../x"})
	for name, want := range map[string]string{"d/a": "a", "d/b": "b\n", "d/same": "a", "d/empty": "", "d/link": "o"} {
		if !s.IsKept(name) {
			t.Errorf("%s was not read", name)
		}
		if got := content(t, s, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	s.Prefetch([]string{"d/deep/c", "large"})
	if s.IsKept("large") {
		t.Error("a file above the limit was kept")
	}
	if got := content(t, s, "d/deep/c"); got != "c" {
		t.Errorf("after a large file: %q", got)
	}
}
