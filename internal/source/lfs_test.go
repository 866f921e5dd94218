package source_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

func TestObjectsOfLFSAreShownInThePlaceOfPointers(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{TLS: true, Username: "u", Password: "open sesame"})
	r := server.Repository(t, "demo.git", nil)
	lfs := server.LFS(r)
	big := strings.Repeat("large content\n", 1000)
	pointer := lfs.Put(big)
	sha := r.Must(t, gitserver.Change{Files: map[string]string{
		"big.bin": pointer, "plain": "text", "missing": strings.Replace(lfs.Put("x"), "size 1", "size 2", 1),
		"too-big": lfs.Put(strings.Repeat("x", 20_001)),
	}})
	plain := source.Repository{URL: r.URL(), Username: "u", Password: "open sesame", CAData: server.CA()}
	repo := plain
	repo.EnableLFS = true
	dir := t.TempDir()
	m := open(t, source.Options{Dir: dir, MaxFileSize: 20_000})
	s := snapshot(t, m, repo, sha)
	if got := content(t, s, "big.bin"); got != big {
		t.Errorf("content has %d bytes", len(got))
	}
	f, err := s.Open("big.bin")
	must(t, err)
	if info, err := f.Stat(); err != nil || info.Size() != int64(len(big)) {
		t.Errorf("Stat = %v, %v", info, err)
	}
	if got := content(t, s, "plain"); got != "text" {
		t.Errorf("content = %q", got)
	}
	if _, err := s.ReadFile("missing"); !errors.Is(err, source.ErrLFS) || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("an object that the server lacks: %v", err)
	}
	if _, err := s.ReadFile("too-big"); !errors.Is(err, source.ErrTooLarge) {
		t.Errorf("an object above the limit: %v", err)
	}

	t.Run("but not where it is off", func(t *testing.T) {
		off := snapshot(t, m, plain, sha)
		if got := content(t, off, "big.bin"); got != pointer {
			t.Errorf("content = %q", got)
		}
		if identity(t, off, "big.bin") == identity(t, s, "big.bin") || identity(t, off, ".") == identity(t, s, ".") {
			t.Error("what is shown differs, and the identities do not")
		}
	})
	t.Run("once fetched they stay, also over a restart", func(t *testing.T) {
		m.Close()
		server.SetFault(gitserver.Fault{Status: 500})
		defer server.SetFault(gitserver.Fault{})
		before := lfs.Downloads()
		again := open(t, source.Options{Dir: dir})
		if got := content(t, snapshot(t, again, repo, sha), "big.bin"); got != big || lfs.Downloads() != before {
			t.Errorf("%d bytes after %d downloads more", len(got), lfs.Downloads()-before)
		}
		again.Close()
		kept, err := filepath.Glob(filepath.Join(dir, "lfs", "*", "*", "*"))
		if err != nil || len(kept) != 1 {
			t.Fatalf("kept objects = %q, %v", kept, err)
		}
		must(t, os.WriteFile(kept[0], []byte("damaged"), 0o600))
		repaired := open(t, source.Options{Dir: dir})
		if got := content(t, snapshot(t, repaired, repo, sha), "big.bin"); got != big || lfs.Downloads() != before+1 {
			t.Errorf("%d bytes after damage, %d downloads more", len(got), lfs.Downloads()-before)
		}
		repaired.Close()
		later := open(t, source.Options{Dir: dir, Now: func() time.Time { return time.Now().Add(8 * 24 * time.Hour) }})
		later.Close()
		if _, err := os.Stat(kept[0]); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an object that nobody used for long is there: %v", err)
		}
	})
	t.Run("what is not what was promised is refused", func(t *testing.T) {
		lfs.Damage(true)
		defer lfs.Damage(false)
		s := snapshot(t, open(t, source.Options{}), repo, sha)
		if _, err := s.ReadFile("big.bin"); !errors.Is(err, source.ErrLFS) || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("ReadFile = %v", err)
		}
	})
	t.Run("and nobody reads them with other credentials", func(t *testing.T) {
		s := snapshot(t, open(t, source.Options{}), repo, sha)
		server.Accept("u", "changed")
		defer server.Accept("u", "open sesame")
		if _, err := s.ReadFile("big.bin"); !errors.Is(err, source.ErrAuthentication) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("ReadFile = %v", err)
		}
	})
	t.Run("a store beside the server gets no credentials", func(t *testing.T) {
		lfs.ServeObjects(gitserver.Start(t, gitserver.Options{}))
		s := snapshot(t, open(t, source.Options{}), repo, sha)
		if _, err := s.ReadFile("big.bin"); !errors.Is(err, source.ErrLFS) || !strings.Contains(err.Error(), "without encryption") {
			t.Errorf("a store without TLS: %v", err)
		}
		open1 := gitserver.Start(t, gitserver.Options{Username: "u", Password: "open sesame"})
		r := open1.Repository(t, "demo.git", nil)
		lfs := open1.LFS(r)
		sha := r.Commit(t, map[string]string{"big.bin": lfs.Put(big)}, "LFS")
		lfs.ServeObjects(gitserver.Start(t, gitserver.Options{}))
		repo := source.Repository{URL: r.URL(), Username: "u", Password: "open sesame", EnableLFS: true}
		if got := content(t, snapshot(t, open(t, source.Options{}), repo, sha), "big.bin"); got != big {
			t.Errorf("content has %d bytes", len(got))
		}
	})
}

func TestAnLFSServerIsNamedOnTheSameHostOnly(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", nil)
	other := server.Repository(t, "other.git", nil)
	lfs := server.LFS(other)
	m := open(t, source.Options{})
	repo := source.Repository{URL: r.URL(), EnableLFS: true}
	config := func(url string) string { return "[lfs]\n\turl = \"" + url + "\"\n" }
	sha := r.Commit(t, map[string]string{"f": lfs.Put("theirs"), ".lfsconfig": config(other.URL() + "/info/lfs")}, "Same host")
	if got := content(t, snapshot(t, m, repo, sha), "f"); got != "theirs" {
		t.Errorf("content = %q", got)
	}
	for _, url := range []string{"https://lfs.example.com/x", strings.Replace(r.URL(), "http:", "ssh:", 1), "file:///srv", "x"} {
		sha := r.Commit(t, map[string]string{"f": lfs.Put("of " + url), ".lfsconfig": config(url)}, "Elsewhere")
		if _, err := snapshot(t, m, repo, sha).ReadFile("f"); !errors.Is(err, source.ErrLFS) || !strings.Contains(err.Error(), "another host") {
			t.Errorf("%s: %v", url, err)
		}
	}
	sha = r.Commit(t, map[string]string{"f": lfs.Put("none"), "-.lfsconfig": ""}, "Nowhere")
	if _, err := snapshot(t, m, repo, sha).ReadFile("f"); !errors.Is(err, source.ErrLFS) || !strings.Contains(err.Error(), "404") {
		t.Errorf("a server without LFS: %v", err)
	}
}

func TestObjectsOfLFSAreFoundOverSSHAndInFolders(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{Username: "u", Password: "unknown to ssh"})
	r := server.Repository(t, "demo.git", nil)
	lfs := server.LFS(r)
	sha := r.Commit(t, map[string]string{"f": lfs.Put("content"), "g": lfs.Put("more"), "h": lfs.Put("in a folder")}, "LFS")

	t.Run("SSH", func(t *testing.T) {
		needSSH(t)
		public, private := gitserver.SSHKey(t)
		host := server.SSH(t, public)
		grants := 0
		host.LFS = func(path string) []byte {
			if path != r.Dir() {
				return []byte(fmt.Sprintf("%q is no repository", path))
			}
			grants++
			return lfs.Grant(r)
		}
		m := open(t, source.Options{})
		s := snapshot(t, m, source.Repository{
			URL: host.URL(r), SSHPrivateKey: private, SSHKnownHosts: []byte(host.KnownHosts), EnableLFS: true,
		}, sha)
		if got := content(t, s, "f") + content(t, s, "g"); got != "contentmore" || grants != 1 {
			t.Errorf("content = %q, %d grants", got, grants)
		}
	})
	t.Run("folder", func(t *testing.T) {
		sum := strings.TrimPrefix(strings.Fields(lfs.Put("in a folder"))[3], "sha256:")
		dir := filepath.Join(r.Dir(), "lfs", "objects", sum[:2], sum[2:4])
		must(t, os.MkdirAll(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, sum), []byte("in a folder"), 0o644))
		s := snapshot(t, open(t, source.Options{}), source.Repository{URL: r.FileURL(), EnableLFS: true}, sha)
		if got := content(t, s, "h"); got != "in a folder" {
			t.Errorf("content = %q", got)
		}
		if _, err := s.ReadFile("f"); !errors.Is(err, source.ErrLFS) {
			t.Errorf("ReadFile = %v", err)
		}
	})
}
