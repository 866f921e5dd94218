package gitserver

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Branch is the default branch of repositories made by this package.
const Branch = "main"

// Repo is one bare repository of a Server.
type Repo struct {
	// Name of the repository below the server's directory, e.g. "demo.git".
	Name string
	s    *Server
}

// CreateRepository makes the bare repository name, and when tree is not nil a first commit of all files in it. It fails
// when the repository exists.
func (s *Server) CreateRepository(ctx context.Context, name string, tree fs.FS) (*Repo, error) {
	r := &Repo{Name: name, s: s}
	if _, err := os.Stat(r.Dir()); err == nil {
		return nil, fmt.Errorf("creating repository %s: it exists", name)
	}
	if _, err := s.git(ctx, nil, "init", "--quiet", "--bare", "--initial-branch="+Branch, r.Dir()); err != nil {
		return nil, fmt.Errorf("creating repository %s: %w", name, err)
	}
	if tree == nil {
		return r, nil
	}
	change := Change{Message: "First commit", Files: map[string]string{}}
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := fs.ReadFile(tree, path)
		change.Files[path] = string(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("creating repository %s: %w", name, err)
	}
	if _, err := r.Apply(ctx, change); err != nil {
		return nil, fmt.Errorf("creating repository %s: %w", name, err)
	}
	return r, nil
}

// OpenRepository returns the repository name, which must exist.
func (s *Server) OpenRepository(name string) (*Repo, error) {
	r := &Repo{Name: name, s: s}
	if _, err := os.Stat(filepath.Join(r.Dir(), "HEAD")); err != nil {
		return nil, fmt.Errorf("opening repository %s: %w", name, err)
	}
	return r, nil
}

// Repository makes a repository with one commit of the given files (path to content), or an empty one when there are
// none.
func (s *Server) Repository(t testing.TB, name string, files map[string]string) *Repo {
	t.Helper()
	r, err := s.CreateRepository(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) > 0 {
		r.Commit(t, files, "First commit")
	}
	return r
}

// URL is where the repository is cloned from.
func (r *Repo) URL() string { return r.s.url + "/" + r.Name }

// FileURL is the same repository by the file system.
func (r *Repo) FileURL() string { return "file://" + r.Dir() }

// Dir is the bare repository's directory.
func (r *Repo) Dir() string { return filepath.Join(r.s.o.Dir, filepath.FromSlash(r.Name)) }

// Git runs git with the given arguments in the repository and returns its trimmed output.
func (r *Repo) Git(t testing.TB, args ...string) string {
	t.Helper()
	out, err := r.s.git(t.Context(), nil, append([]string{"--git-dir", r.Dir()}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Commit adds a commit to the default branch that writes the given files (path to content) on top of what is there. A
// path that begins with "-" removes the file or folder named after it. It returns the commit's id.
func (r *Repo) Commit(t testing.TB, files map[string]string, message string) string {
	t.Helper()
	change := Change{Message: message, Files: map[string]string{}}
	for path, content := range files {
		if removed, ok := strings.CutPrefix(path, "-"); ok {
			change.Remove = append(change.Remove, removed)
			continue
		}
		change.Files[path] = content
	}
	return r.Must(t, change)
}

// Must is Apply that fails the test on errors.
func (r *Repo) Must(t testing.TB, c Change) string {
	t.Helper()
	sha, err := r.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// Tag points the tag name at commit; a message makes it an annotated tag.
func (r *Repo) Tag(t testing.TB, name, commit, message string) {
	t.Helper()
	args := []string{"tag", "--force", name, commit}
	if message != "" {
		args = []string{"tag", "--force", "--annotate", "--message", message, name, commit}
	}
	r.Git(t, args...)
}

// Remove deletes the whole repository.
func (r *Repo) Remove(t testing.TB) {
	t.Helper()
	if err := os.RemoveAll(r.Dir()); err != nil {
		t.Fatal(err)
	}
}

// environment is what git programs of this package run with: nothing of the user's configuration.
func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Author", "GIT_AUTHOR_EMAIL=author@example.com",
		"GIT_COMMITTER_NAME=Author", "GIT_COMMITTER_EMAIL=author@example.com",
	}
}

func (s *Server) git(ctx context.Context, input []byte, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.o.Git, args...)
	cmd.Env = environment()
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		verb := args[0]
		if i := slices.Index(args, "--git-dir"); i >= 0 && len(args) > i+2 {
			verb = args[i+2]
		}
		return "", fmt.Errorf("git %s: %w: %s", verb, err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
