package source

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Fetch brings the mirror up to date and reports whether a reference changed since the last time. Callers at the same
// time share the work. The error is an *Error.
func (m *Mirrors) Fetch(ctx context.Context, repo Repository) (changed bool, err error) {
	r, repo, err := m.mirror(repo)
	if err != nil {
		return false, err
	}
	return r.refresh(ctx, repo, m.o.Now())
}

// Resolve gives the id of the commit that a revision names: a branch, a tag, a full or shortened commit id, a full
// reference such as refs/pull/7/head, a semantic version constraint over tags ("1.2.*", ">=1.0 <2"); empty means HEAD.
//
// The answer is from a poll at most maxAge ago; zero asks the remote in any case. A full commit id that the mirror has
// needs no poll. The error is an *Error.
func (m *Mirrors) Resolve(ctx context.Context, repo Repository, revision string, maxAge time.Duration) (commit string, err error) {
	return m.ResolveTag(ctx, repo, revision, "", maxAge)
}

// ResolveTag is Resolve where version constraints look only at tags that begin with prefix, compared without it.
func (m *Mirrors) ResolveTag(ctx context.Context, repo Repository, revision, prefix string, maxAge time.Duration) (commit string, err error) {
	r, repo, err := m.mirror(repo)
	if err != nil {
		return "", err
	}
	revision = strings.TrimSpace(revision)
	if len(revision) == 40 && isHex(revision) {
		return r.commit(ctx, repo, strings.ToLower(revision), maxAge)
	}
	if strings.HasPrefix(revision, "refs/") && !wantedRef(revision) {
		if !validRef(revision) {
			return "", repo.fail(ErrRevisionNotFound, nil, "%q is not a valid reference name", revision)
		}
		if err := r.want(ctx, repo, revision, maxAge); err != nil {
			return "", err
		}
	}
	found, err := r.fresh(ctx, repo, maxAge)
	if err != nil {
		return "", err
	}
	if found.empty() {
		return "", repo.fail(ErrEmptyRepository, nil, "push a commit first")
	}
	id, ok, why := found.find(revision, prefix)
	switch {
	case ok:
		return r.peel(ctx, repo, revision, id)
	case len(revision) >= 4 && len(revision) < 40 && isHex(revision):
		return r.abbreviated(ctx, repo, revision)
	case why != "":
		return "", repo.fail(ErrRevisionNotFound, nil, "%q: %s", revision, why)
	}
	return "", repo.fail(ErrRevisionNotFound, nil, "there is no branch, tag or commit %q", revision)
}

// commit makes sure that the mirror has a commit.
func (m *mirror) commit(ctx context.Context, repo Repository, id string, maxAge time.Duration) (string, error) {
	if m.has(ctx, id) {
		return id, nil
	}
	if _, err := m.fresh(ctx, repo, maxAge); err != nil {
		return "", err
	}
	if m.has(ctx, id) {
		return id, nil
	}
	if err := m.want(ctx, repo, id, maxAge); err != nil {
		return "", err
	}
	if m.has(ctx, id) {
		return id, nil
	}
	return "", repo.fail(ErrRevisionNotFound, nil, "there is no commit %s", id)
}

// peel follows annotated tags to their commit.
func (m *mirror) peel(ctx context.Context, repo Repository, revision, id string) (string, error) {
	if m.objects.knownCommit(id) {
		return id, nil
	}
	o, err := m.objects.info(ctx, id+"^{commit}")
	if isMissing(err) {
		if there, problem := m.objects.info(ctx, id+"^{}"); problem == nil && there.kind != kindCommit {
			return "", repo.fail(ErrRevisionNotFound, nil, "%q does not lead to a commit but to a %s", revision, there.kind)
		}
		if healed := m.heal(ctx, repo); healed == nil {
			o, err = m.objects.info(ctx, id+"^{commit}")
		}
	}
	if err != nil {
		return "", repo.fail(ErrRevisionNotFound, err, "%q does not lead to a commit: %v", revision, err)
	}
	if o.id.String() == id {
		m.objects.rememberCommit(id)
	}
	return o.id.String(), nil
}

func (m *mirror) abbreviated(ctx context.Context, repo Repository, revision string) (string, error) {
	o, err := m.objects.info(ctx, strings.ToLower(revision)+"^{commit}")
	if err == nil {
		return o.id.String(), nil
	}
	if _, err := m.objects.info(ctx, strings.ToLower(revision)); errors.Is(err, errAmbiguous) {
		return "", repo.fail(ErrRevisionNotFound, nil, "%q is ambiguous: several commits have an id that begins so; state more of it", revision)
	}
	return "", repo.fail(ErrRevisionNotFound, nil, "there is no branch or tag %q, and no commit whose id begins so", revision)
}

// Refs are the names of branches and tags, sorted.
type Refs struct{ Branches, Tags []string }

// Refs lists branches and tags, at most maxAge old.
func (m *Mirrors) Refs(ctx context.Context, repo Repository, maxAge time.Duration) (Refs, error) {
	r, repo, err := m.mirror(repo)
	if err != nil {
		return Refs{}, err
	}
	found, err := r.fresh(ctx, repo, maxAge)
	if err != nil {
		return Refs{}, err
	}
	return Refs{Branches: found.names("refs/heads/"), Tags: found.names("refs/tags/")}, nil
}

// Test asks the remote for its references, to find out whether URL and credentials work. Nothing is fetched or kept.
func (m *Mirrors) Test(ctx context.Context, repo Repository) error {
	normal, err := repo.normalize()
	if err == nil {
		err = normal.git()
	}
	if err != nil {
		return repo.invalid(err)
	}
	once := newMirror(m, "test")
	defer once.close()
	return m.withToken(ctx, normal, func(repo Repository) error {
		_, err := once.list(ctx, repo, nil)
		return err
	})
}

// validRef follows the rules of git check-ref-format closely enough to be safe in a refspec.
func validRef(name string) bool {
	if strings.ContainsAny(name, " ~^:?*[\\\x7f") || strings.Contains(name, "..") || strings.Contains(name, "@{") ||
		strings.Contains(name, "//") || strings.HasSuffix(name, "/") || strings.HasSuffix(name, ".") ||
		strings.HasSuffix(name, ".lock") || strings.Contains(name, "/.") || strings.HasPrefix(name, ownPrefix) {
		return false
	}
	for _, c := range []byte(name) {
		if c < ' ' {
			return false
		}
	}
	return true
}
