package source

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Commit is what a commit says about itself.
type Commit struct {
	// SHA is the full id.
	SHA string
	// Author and Email of the person who wrote the change.
	Author, Email string
	// Date when it was written.
	Date time.Time
	// Message is the whole message.
	Message string
	// Tags are the short names of the tags that point to the commit, sorted.
	Tags []string

	tree ObjectID
}

// Commit gives the metadata of a commit, named by its full id. A commit that the mirror lacks is fetched. The error is
// an *Error.
func (m *Mirrors) Commit(ctx context.Context, repo Repository, commit string) (Commit, error) {
	r, _, c, err := m.findCommit(ctx, repo, commit)
	if err != nil {
		return Commit{}, err
	}
	r.mu.Lock()
	found := r.refs
	r.mu.Unlock()
	if found != nil {
		c.Tags = slices.Clone(found.tagged()[c.SHA])
	}
	return c, nil
}

func (m *Mirrors) findCommit(ctx context.Context, repo Repository, commit string) (*mirror, Repository, Commit, error) {
	r, repo, err := m.mirror(repo)
	if err != nil {
		return nil, repo, Commit{}, err
	}
	id, err := ParseObjectID(commit)
	if err != nil {
		return nil, repo, Commit{}, repo.fail(ErrRevisionNotFound, err, "%v", err)
	}
	// An hour, because the commit is what counts and not how old the list of references is.
	if _, err := r.commit(ctx, repo, id.String(), time.Hour); err != nil {
		return nil, repo, Commit{}, err
	}
	key := objectKey{mirror: r, id: id}
	if kept, ok := m.cache.get(key); ok && kept.commit != nil {
		return r, repo, *kept.commit, nil
	}
	raw, err := r.loadObject(ctx, repo, id, kindCommit, maxCommit)
	if err != nil {
		return nil, repo, Commit{}, repo.fail(ErrDamaged, err, "reading commit %s: %v", commit, err)
	}
	c, err := parseCommit(string(raw))
	if err != nil {
		return nil, repo, Commit{}, repo.fail(ErrDamaged, err, "reading commit %s: %v", commit, err)
	}
	c.SHA = id.String()
	m.cache.put(key, cached{commit: &c})
	return r, repo, c, nil
}

// parseCommit reads the content of a commit object. What does not concern us, signatures for one, is passed over.
func parseCommit(raw string) (Commit, error) {
	var c Commit
	header, message, _ := strings.Cut(raw, "\n\n")
	c.Message = strings.TrimRight(message, "\n")
	seen := false
	for line := range strings.Lines(header) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var err error
		switch key {
		case "tree":
			c.tree, err = ParseObjectID(value)
			seen = true
		case "author":
			c.Author, c.Email, c.Date = parseAuthor(value)
		}
		if err != nil {
			return c, fmt.Errorf("reading commit: %w", err)
		}
	}
	if !seen {
		return c, fmt.Errorf("reading commit: it has no tree")
	}
	return c, nil
}

// parseAuthor reads "Name <mail> seconds zone"; what is not there stays empty.
func parseAuthor(line string) (name, email string, date time.Time) {
	name, rest, _ := strings.Cut(line, "<")
	email, when, _ := strings.Cut(rest, ">")
	fields := strings.Fields(when)
	if len(fields) > 0 {
		if seconds, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
			date = time.Unix(seconds, 0).UTC()
		}
	}
	if len(fields) > 1 {
		if zone, err := time.Parse("-0700", fields[1]); err == nil {
			date = date.In(zone.Location())
		}
	}
	return strings.TrimSpace(name), strings.TrimSpace(email), date
}
