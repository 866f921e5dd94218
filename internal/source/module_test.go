package source_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// gitmodules is a .gitmodules file: folder, URL, folder, URL and so on.
func gitmodules(pairs ...string) string {
	var text strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&text, "[submodule %q]\n\tpath = %s\n\turl = %s\n", pairs[i], pairs[i], pairs[i+1])
	}
	return text.String()
}

func identity(t *testing.T, fsys fs.FS, name string) string {
	t.Helper()
	info, err := fs.Stat(fsys, name)
	must(t, err)
	return info.Sys().(interface{ Identity() string }).Identity()
}

func TestASubmoduleShowsTheFilesOfTheRecordedCommit(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	inner := server.Repository(t, "lib/inner.git", map[string]string{"deep": "inner"})
	module := server.Repository(t, "lib/module.git", nil)
	recorded := module.Must(t, gitserver.Change{
		Files:   map[string]string{"chart/values.yaml": "v1", gitmodulesFile: gitmodules("vendor/inner", "../inner.git")},
		Links:   map[string]string{"up": "../outside", "far": "vendor/inner/deep"},
		Modules: map[string]string{"vendor/inner": inner.Git(t, "rev-parse", "main")},
	})
	module.Commit(t, map[string]string{"chart/values.yaml": "v2"}, "Later")
	r := server.Repository(t, "org/demo.git", nil)
	sha := r.Must(t, gitserver.Change{
		Files: map[string]string{"outside": "o", gitmodulesFile: gitmodules("mod", "../../lib/module.git", "gone", server.URL()+"/nothing.git")},
		Links: map[string]string{"values": "mod/chart/values.yaml", "through": "mod/chart"},
		Modules: map[string]string{
			"mod": recorded, "gone": strings.Repeat("1", 40), "unnamed": strings.Repeat("2", 40),
		},
	})
	m := open(t, source.Options{})
	repo := source.Repository{URL: r.URL()}
	server.Forget()
	s := snapshot(t, m, repo, sha)
	if _, err := s.ReadDir("."); err != nil {
		t.Error(err)
	}
	if info, err := s.Stat("mod"); err != nil || !info.IsDir() {
		t.Errorf("Stat = %v, %v", info, err)
	}
	for _, one := range server.Requests() {
		if !strings.HasPrefix(one.Path, "/org/demo.git/") {
			t.Errorf("%s was asked for before anybody read it", one.Path)
		}
	}

	for name, want := range map[string]string{
		"mod/chart/values.yaml": "v1", "values": "v1", "through/values.yaml": "v1", "mod/up": "o", "mod/far": "inner",
		"mod/vendor/inner/deep": "inner", "outside": "o",
	} {
		if got := content(t, s, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	sub, err := fs.Sub(s, "mod")
	must(t, err)
	if err := fstest.TestFS(sub, "chart/values.yaml", "vendor/inner/deep"); err != nil {
		t.Error(err)
	}
	info, err := s.Stat("mod")
	must(t, err)
	if id, ok := info.Sys().(source.ModuleID); !ok || id.Commit.String() != recorded || id.URL != "../../lib/module.git" {
		t.Errorf("Sys = %v", info.Sys())
	}
	if got := objectOf(t, s, "mod/chart"); got.String() != module.Git(t, "rev-parse", recorded+":chart") {
		t.Errorf("Sys of a folder in the submodule = %s", got)
	}
	entries, err := s.ReadDir("mod/vendor")
	must(t, err)
	if nested, err := entries[0].Info(); err != nil || nested.Sys().(source.ModuleID).URL != "../inner.git" {
		t.Errorf("Info of a nested submodule = %v, %v", nested, err)
	}

	t.Run("with another URL it is another one", func(t *testing.T) {
		moved := r.Commit(t, map[string]string{gitmodulesFile: gitmodules("mod", module.URL())}, "Another URL")
		other := snapshot(t, m, repo, moved)
		if identity(t, s, "mod") == identity(t, other, "mod") {
			t.Error("the identities are the same")
		}
		if got := content(t, other, "mod/chart/values.yaml"); got != "v1" {
			t.Errorf("content = %q", got)
		}
	})
	t.Run("one that cannot be had is an error for who reads it", func(t *testing.T) {
		if _, err := s.ReadDir("gone"); !errors.Is(err, source.ErrSubmodule) || !errors.Is(err, source.ErrRepositoryNotFound) {
			t.Errorf("ReadDir = %v", err)
		}
		if _, err := s.ReadFile("unnamed/x"); !errors.Is(err, source.ErrSubmodule) || !strings.Contains(err.Error(), "no URL") {
			t.Errorf("ReadFile = %v", err)
		}
		if _, err := s.Stat("mod/nothing"); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, source.ErrSubmodule) {
			t.Errorf("Stat = %v", err)
		}
	})
	t.Run("and it recovers", func(t *testing.T) {
		fresh := open(t, source.Options{RetryAfter: time.Nanosecond})
		s := snapshot(t, fresh, repo, sha)
		server.SetFault(gitserver.Fault{Status: 500})
		if _, err := s.ReadFile("values"); !errors.Is(err, source.ErrUnreachable) || !errors.Is(err, source.ErrSubmodule) {
			t.Errorf("ReadFile = %v", err)
		}
		server.SetFault(gitserver.Fault{})
		if got := content(t, s, "values"); got != "v1" {
			t.Errorf("content = %q", got)
		}
	})
	t.Run("switched off it is empty", func(t *testing.T) {
		off := snapshot(t, open(t, source.Options{WithoutSubmodules: true}), repo, sha)
		if got, err := off.ReadDir("mod"); err != nil || len(got) != 0 {
			t.Errorf("ReadDir = %v, %v", got, err)
		}
		if _, err := off.ReadFile("values"); !errors.Is(err, source.ErrSubmodule) {
			t.Errorf("ReadFile = %v", err)
		}
		if identity(t, off, ".") == identity(t, s, ".") {
			t.Error("what is shown differs, and the identities do not")
		}
	})
}

const gitmodulesFile = ".gitmodules"

func TestASubmoduleIsReadWithItsOwnCredentials(t *testing.T) {
	open1 := gitserver.Start(t, gitserver.Options{Username: "parent", Password: "parent's"})
	secret := gitserver.Start(t, gitserver.Options{Username: "module", Password: "module's"})
	module := secret.Repository(t, "module.git", map[string]string{"a": "secret"})
	sibling := open1.Repository(t, "sibling.git", map[string]string{"a": "sibling"})
	r := open1.Repository(t, "demo.git", nil)
	sha := r.Must(t, gitserver.Change{
		Files: map[string]string{gitmodulesFile: gitmodules("mod", module.URL(), "sibling", "../sibling.git")},
		Modules: map[string]string{
			"mod": module.Git(t, "rev-parse", "main"), "sibling": sibling.Git(t, "rev-parse", "main"),
		},
	})
	repo := source.Repository{URL: r.URL(), Username: "parent", Password: "parent's", Project: "team"}

	var asked []string
	m := open(t, source.Options{Credentials: func(_ context.Context, parent source.Repository, url string) (source.Repository, error) {
		asked = append(asked, parent.Project+" "+url)
		found := source.Repository{URL: url, Project: parent.Project}
		if url == module.URL() {
			found.Username, found.Password = "module", "module's"
		}
		return found, nil
	}})
	s := snapshot(t, m, repo, sha)
	if got := content(t, s, "mod/a"); got != "secret" {
		t.Errorf("content = %q", got)
	}
	if _, err := s.ReadFile("sibling/a"); !errors.Is(err, source.ErrAuthentication) {
		t.Errorf("the parent's credentials were lent: %v", err)
	}
	if want := "team " + module.URL() + ",team " + sibling.URL(); strings.Join(asked, ",") != want {
		t.Errorf("asked for %q, want %s", asked, want)
	}
	without := snapshot(t, open(t, source.Options{}), repo, sha)
	if _, err := without.ReadFile("mod/a"); !errors.Is(err, source.ErrAuthentication) {
		t.Errorf("without a lookup: %v", err)
	}
	refusing := snapshot(t, open(t, source.Options{
		Credentials: func(context.Context, source.Repository, string) (source.Repository, error) {
			return source.Repository{}, errors.New("the project may not use it")
		},
	}), repo, sha)
	if _, err := refusing.ReadFile("mod/a"); err == nil || !strings.Contains(err.Error(), "the project may not use it") {
		t.Errorf("a lookup that refuses: %v", err)
	}
}

func TestURLsOfSubmodulesThatLeadAstrayAreRefused(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	other := server.Repository(t, "other.git", map[string]string{"a": "1"})
	commit := other.Git(t, "rev-parse", "main")
	r := server.Repository(t, "demo.git", nil)
	m := open(t, source.Options{})
	for name, url := range map[string]string{
		"a file":                   other.FileURL(),
		"a path":                   other.Dir(),
		"a transport helper":       "ext::sh -c id",
		"an option":                "--upload-pack=id",
		"an option as host":        "ssh://-oProxyCommand=id/x",
		"an unknown scheme":        "ftp://git.example.com/x",
		"a registry":               "oci://git.example.com/x",
		"out of the server":        "../../../other.git",
		"back and forth":           "../x/../other.git",
		"nothing but the way back": "../..",
	} {
		t.Run(name, func(t *testing.T) {
			sha := r.Must(t, gitserver.Change{
				Orphan: true, Files: map[string]string{gitmodulesFile: gitmodules("mod", `"`+url+`"`)}, Modules: map[string]string{"mod": commit},
			})
			_, err := snapshot(t, m, source.Repository{URL: r.URL()}, sha).ReadFile("mod/a")
			if !errors.Is(err, source.ErrSubmodule) || errors.Is(err, source.ErrUnreachable) {
				t.Errorf("ReadFile = %v", err)
			}
		})
	}
	t.Run("but a file's may be a file", func(t *testing.T) {
		for _, url := range []string{"../other.git", other.Dir(), other.FileURL()} {
			sha := r.Must(t, gitserver.Change{
				Files: map[string]string{gitmodulesFile: gitmodules("mod", url)}, Modules: map[string]string{"mod": commit},
			})
			if got := content(t, snapshot(t, m, source.Repository{URL: r.FileURL()}, sha), "mod/a"); got != "1" {
				t.Errorf("content by %s = %q", url, got)
			}
		}
	})
	t.Run("and nesting is bounded", func(t *testing.T) {
		below := commit
		for range 12 {
			below = r.Must(t, gitserver.Change{
				Orphan: true, Files: map[string]string{gitmodulesFile: gitmodules("m", r.URL()), "a": "x"}, Modules: map[string]string{"m": below},
			})
		}
		s := snapshot(t, m, source.Repository{URL: r.URL()}, below)
		if got := content(t, s, strings.Repeat("m/", 10)+"a"); got != "x" {
			t.Errorf("content = %q", got)
		}
		if _, err := s.ReadFile(strings.Repeat("m/", 11) + "a"); !errors.Is(err, source.ErrSubmodule) {
			t.Errorf("ReadFile = %v", err)
		}
	})
}
