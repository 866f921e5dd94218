package gitserver

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Change is one commit to be made.
type Change struct {
	// Branch that gets the commit, default Branch.
	Branch string
	// Message of the commit.
	Message string
	// Files to write: path to content. A content that begins with "#!" makes the file executable.
	Files map[string]string
	// Links are symbolic links to write: path to target.
	Links map[string]string
	// Modules are submodule entries to write: path to commit id.
	Modules map[string]string
	// Remove names files and folders to delete.
	Remove []string
	// Parent is the commit or branch to build on, default Branch itself when it exists. Giving it replaces what Branch
	// points at, as a forced push does.
	Parent string
	// Orphan starts a history of its own without a parent.
	Orphan bool
}

// Apply makes the commit in the bare repository and returns its id. It works without a work tree and without the HTTP
// server, as if somebody had pushed.
func (r *Repo) Apply(ctx context.Context, c Change) (string, error) {
	if c.Branch == "" {
		c.Branch = Branch
	}
	ref := "refs/heads/" + c.Branch
	parent := c.Parent
	if parent == "" && !c.Orphan {
		// fails when the branch does not exist yet, and then the commit is the first one
		parent, _ = r.s.git(ctx, nil, "--git-dir", r.Dir(), "rev-parse", "--quiet", "--verify", ref)
	}

	var in bytes.Buffer
	fmt.Fprintf(&in, "reset %s\n\n", ref) // forget what the branch was; the parent says all
	fmt.Fprintf(&in, "commit %s\nmark :1\ncommitter Author <author@example.com> %d +0000\n", ref, r.s.o.Now().Unix())
	data(&in, c.Message)
	if parent != "" {
		fmt.Fprintf(&in, "from %s\n", parent)
	}
	for _, path := range c.Remove {
		fmt.Fprintf(&in, "D %s\n", strconv.Quote(path))
	}
	for _, path := range slices.Sorted(maps.Keys(c.Files)) {
		mode := "100644"
		if bytes.HasPrefix([]byte(c.Files[path]), []byte("#!")) {
			mode = "100755"
		}
		fmt.Fprintf(&in, "M %s inline %s\n", mode, strconv.Quote(path))
		data(&in, c.Files[path])
	}
	for _, path := range slices.Sorted(maps.Keys(c.Links)) {
		fmt.Fprintf(&in, "M 120000 inline %s\n", strconv.Quote(path))
		data(&in, c.Links[path])
	}
	for _, path := range slices.Sorted(maps.Keys(c.Modules)) {
		fmt.Fprintf(&in, "M 160000 %s %s\n", c.Modules[path], strconv.Quote(path))
	}
	in.WriteString("\nget-mark :1\ndone\n")
	sha, err := r.s.git(ctx, in.Bytes(), "--git-dir", r.Dir(), "fast-import", "--quiet", "--force", "--done")
	if err != nil {
		return "", fmt.Errorf("committing to %s: %w", r.Name, err)
	}
	return sha, nil
}

func data(b *bytes.Buffer, content string) {
	fmt.Fprintf(b, "data %d\n%s\n", len(content), content)
}
