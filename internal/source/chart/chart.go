package chart

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/content"
)

// Chart is a chart that was found.
type Chart struct {
	// Name and Version of the chart; the version as the repository writes it.
	Name, Version string
	// Digest of the archive: sha256 in hexadecimal. Equal digests, equal charts.
	Digest string
	// Archive reads the chart's .tgz, from disk, or from the server when it is asked for the first time. The bytes must
	// not be changed.
	Archive func(ctx context.Context) ([]byte, error)
}

// Resolve says which version of a chart a range names: exact versions are returned as they are and ask nobody, empty
// means the newest that is no pre-release, and anything else is a range as Helm has them. The answer is at most maxAge
// old; zero asks the server in any case. The error is a *source.Error.
func (s *Store) Resolve(ctx context.Context, repo source.Repository, name, version string, maxAge time.Duration) (string, error) {
	r, want, err := s.wanted(repo, name, version)
	if err != nil || isExact(want) {
		return want, err
	}
	return s.resolve(ctx, r, name, want, maxAge)
}

// Get finds a chart. A version or a range that has been found before with the same credentials is answered without any
// server, unless fresh. The error is a *source.Error.
func (s *Store) Get(ctx context.Context, repo source.Repository, name, version string, fresh bool) (Chart, error) {
	r, want, err := s.wanted(repo, name, version)
	if err != nil {
		return Chart{}, err
	}
	age := anyAge
	if fresh {
		age = 0
	}
	if !isExact(want) {
		if want, err = s.resolve(ctx, r, name, want, age); err != nil {
			return Chart{}, err
		}
		if fresh {
			age = firstAge // the index has just been asked for
		}
	}
	at, err := s.locate(ctx, r, name, want, age)
	if err != nil {
		return Chart{}, err
	}
	return Chart{
		Name: name, Version: at.Version, Digest: at.Digest,
		Archive: func(ctx context.Context) ([]byte, error) { return s.archive(ctx, r, name, want, at.Digest) },
	}, nil
}

// Versions lists the versions of a chart, newest first, at most maxAge old.
func (s *Store) Versions(ctx context.Context, repo source.Repository, name string, maxAge time.Duration) ([]Version, error) {
	r, _, err := s.wanted(repo, name, "")
	if err != nil {
		return nil, err
	}
	found, _, err := r.remote.versions(ctx, name, maxAge)
	return found, err
}

// Names lists the charts of a Helm repository, at most maxAge old. A registry does not list its charts.
func (s *Store) Names(ctx context.Context, repo source.Repository, maxAge time.Duration) ([]string, error) {
	r, err := s.repository(repo)
	if err != nil {
		return nil, err
	}
	return r.remote.names(ctx, maxAge)
}

// Test finds out whether a repository's URL and credentials work.
func (s *Store) Test(ctx context.Context, repo source.Repository) error {
	r, err := s.repository(repo)
	if err != nil {
		return err
	}
	return r.remote.test(ctx)
}

// firstAge is how old an index may be when a range that nobody has asked for before is looked up in it.
const firstAge = time.Minute

// justNow is how old an index may be that says that a version is missing: one may have been published a moment ago, by
// whoever asks for it now.
const justNow = time.Second

// wanted checks what a caller asks for.
func (s *Store) wanted(repo source.Repository, name, version string) (*repository, string, error) {
	r, err := s.repository(repo)
	if err != nil {
		return nil, "", err
	}
	if name == "" && scheme(r.repo.URL) != "oci" || len(name) > 256 || strings.ContainsAny(name, "\x00\r\n\\") {
		return nil, "", r.repo.Failure(source.ErrRevisionNotFound, nil, "%q is not a name that a chart can have", name)
	}
	return r, strings.TrimSpace(version), nil
}

func (s *Store) resolve(ctx context.Context, r *repository, name, want string, maxAge time.Duration) (string, error) {
	record := s.kept.Name("range", r.id, name, want)
	if known, ok := content.Recall[pin](s.kept, record); ok && maxAge > 0 && s.o.Now().Sub(known.At) <= maxAge {
		return known.Version, nil
	}
	if maxAge >= anyAge {
		maxAge = firstAge
	}
	sorted, asked, err := r.remote.versions(ctx, name, maxAge)
	if err != nil {
		return "", err
	}
	version, err := choose(r.repo, name, want, sorted)
	if err != nil {
		return "", err
	}
	content.Keep(s.kept, record, pin{Version: version, At: asked})
	return version, nil
}

// locate finds a version: in what is kept, when any age will do, or by asking.
func (s *Store) locate(ctx context.Context, r *repository, name, version string, maxAge time.Duration) (location, error) {
	record := s.kept.Name("chart", r.id, name, version)
	if known, ok := content.Recall[location](s.kept, record); ok && maxAge == anyAge {
		return known, nil
	}
	return s.locations.Do(ctx, record, maxAge == anyAge, func(ctx context.Context) (location, error) {
		found, err := r.remote.locate(ctx, name, version, maxAge)
		if maxAge == anyAge && errors.Is(err, source.ErrRevisionNotFound) {
			// A version that is in an older index need not be looked for in a newer one; this one must.
			found, err = r.remote.locate(ctx, name, version, justNow)
		}
		if err != nil {
			return found, err
		}
		known, ok := content.Recall[location](s.kept, record)
		switch {
		case found.Digest == "":
			// The repository does not say; the archive itself does.
			data, err := s.download(ctx, r, name, found)
			if err != nil {
				return found, err
			}
			found.Digest, found.Downloaded = s.kept.Put(data), true
		case ok && known.Digest == found.Digest:
			found.Downloaded = known.Downloaded
		}
		content.Keep(s.kept, record, found)
		return found, nil
	})
}

// archive reads the archive with a digest that was found before.
func (s *Store) archive(ctx context.Context, r *repository, name, version, digest string) ([]byte, error) {
	record := s.kept.Name("chart", r.id, name, version)
	if data := s.downloaded(record, digest); data != nil {
		return data, nil
	}
	return s.archives.Do(ctx, record+digest, true, func(ctx context.Context) ([]byte, error) {
		if data := s.downloaded(record, digest); data != nil {
			return data, nil // by a call that ended just before
		}
		at, ok := content.Recall[location](s.kept, record)
		var data []byte
		var err error
		if ok && at.Digest == digest {
			data, err = s.download(ctx, r, name, at)
		}
		if !ok || at.Digest != digest || errors.Is(err, source.ErrDamaged) ||
			errors.Is(err, source.ErrRevisionNotFound) || errors.Is(err, source.ErrRepositoryNotFound) {
			// What is kept about it no longer holds: it may have moved.
			if at, err = s.locate(ctx, r, name, version, 0); err != nil {
				return nil, err
			}
			if at.Digest != digest {
				return nil, r.repo.Failure(source.ErrDamaged, nil,
					"chart %s %s has been replaced by another under the same version; refresh the application", name, version)
			}
			data, err = s.download(ctx, r, name, at)
		}
		if err != nil {
			return nil, err
		}
		s.kept.Put(data)
		at.Downloaded = true
		content.Keep(s.kept, record, at)
		return data, nil
	})
}

// downloaded gives an archive that the same credentials have downloaded before, or nil.
func (s *Store) downloaded(record, digest string) []byte {
	at, ok := content.Recall[location](s.kept, record)
	if !ok || !at.Downloaded || at.Digest != digest {
		return nil
	}
	data, err := s.kept.Get(digest)
	if err != nil {
		return nil // removed or damaged
	}
	return data
}

// download fetches and verifies an archive.
func (s *Store) download(ctx context.Context, r *repository, name string, at location) ([]byte, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, r.repo.Failure(source.ErrUnreachable, context.Cause(ctx), "waiting for other downloads: %v", context.Cause(ctx))
	}
	data, err := r.remote.fetch(ctx, name, at)
	switch {
	case err != nil:
		return nil, err
	case !bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return nil, r.repo.Failure(source.ErrDamaged, nil,
			"what is served as chart %s %s is not a gzip archive; check the URL in the index", name, at.Version)
	case at.Digest != "" && content.Digest(data) != at.Digest:
		return nil, r.repo.Failure(source.ErrDamaged, nil,
			"the archive of chart %s %s has the digest %s, the repository says %s", name, at.Version, content.Digest(data), at.Digest)
	}
	return data, nil
}
