package oci

import (
	"context"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/opencontainers/go-digest"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/content"
)

// pin is what a revision has been resolved to. It is kept on disk.
type pin struct {
	Digest string    `json:"digest"`
	At     time.Time `json:"at"`
}

// Resolve gives the digest of the manifest that a revision names: a tag, a range of semantic versions over the tags, or
// a digest, which is returned as it is. The answer is at most maxAge old; zero asks the registry in any case. The error
// is a *source.Error.
func (s *Store) Resolve(ctx context.Context, repo source.Repository, revision string, maxAge time.Duration) (string, error) {
	r, err := s.repository(repo)
	if err != nil {
		return "", err
	}
	revision = strings.TrimSpace(revision)
	switch {
	case revision == "":
		return "", r.repo.Failure(source.ErrRevisionNotFound, nil,
			"an artifact has no default revision; name a tag, a range of versions, or a digest")
	case strings.HasPrefix(revision, "sha256:"):
		if digest.Digest(revision).Validate() != nil {
			return "", r.repo.Failure(source.ErrRevisionNotFound, nil, "%q is not a digest", revision)
		}
		return revision, nil
	}
	record := s.kept.Name("revision", r.id, revision)
	if known, ok := content.Recall[pin](s.kept, record); ok && maxAge > 0 && s.o.Now().Sub(known.At) <= maxAge {
		return known.Digest, nil
	}
	found, err := s.digests.Do(ctx, record, maxAge > 0, reported(s, r, RequestResolve, func(ctx context.Context) (pin, error) {
		at := s.o.Now()
		tag, err := s.tag(ctx, r, revision)
		if err != nil {
			return pin{}, err
		}
		id, err := r.client.Digest(ctx, "", tag)
		if err != nil {
			return pin{}, err
		}
		found := pin{Digest: id, At: at}
		content.Keep(s.kept, record, found)
		return found, nil
	}))
	return found.Digest, err
}

// tag chooses the tag that a revision names.
func (s *Store) tag(ctx context.Context, r *repository, revision string) (string, error) {
	if _, err := semver.StrictNewVersion(strings.TrimPrefix(revision, "v")); err == nil {
		return strings.ReplaceAll(revision, "+", "_"), nil
	}
	constraint, err := semver.NewConstraint(revision)
	if err != nil {
		return revision, nil //nolint:nilerr // no range: a tag that is no version, such as latest
	}
	tags, err := r.client.Tags(ctx, "")
	if err != nil {
		return "", err
	}
	best, newest := "", (*semver.Version)(nil)
	for _, tag := range tags {
		if tag == revision {
			return tag, nil
		}
		v, err := semver.NewVersion(strings.ReplaceAll(tag, "_", "+"))
		if err == nil && constraint.Check(v) && (newest == nil || v.GreaterThan(newest)) {
			best, newest = tag, v
		}
	}
	if best == "" {
		return "", r.repo.Failure(source.ErrRevisionNotFound, nil, "none of %d tags meets %q", len(tags), revision)
	}
	return best, nil
}

// Tags lists the tags of an artifact in the order of the registry. Callers at the same time share the request.
func (s *Store) Tags(ctx context.Context, repo source.Repository) ([]string, error) {
	r, err := s.repository(repo)
	if err != nil {
		return nil, err
	}
	return s.tags.Do(ctx, r.id, true, reported(s, r, RequestTags, r.tags))
}

// Test finds out whether a repository's URL and credentials work.
func (s *Store) Test(ctx context.Context, repo source.Repository) error {
	r, err := s.repository(repo)
	if err != nil {
		return err
	}
	if !strings.Contains(strings.TrimPrefix(r.repo.URL, "oci://"), "/") {
		_, err = reported(s, r, RequestTest, func(ctx context.Context) (none struct{}, err error) { return none, r.client.Ping(ctx) })(ctx)
		return err // of a whole registry
	}
	_, err = s.tags.Do(ctx, r.id, false, reported(s, r, RequestTest, r.tags))
	return err
}

func (r *repository) tags(ctx context.Context) ([]string, error) { return r.client.Tags(ctx, "") }
