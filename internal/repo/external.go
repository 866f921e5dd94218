package repo

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// external is what one source of one request can reach outside of its files.
type external struct {
	render.NoExternal
	local  *Local
	req    *Request
	source *v1alpha1.ApplicationSource
	at     resolved
}

// Variable implements render.External.
func (e *external) Variable(_ context.Context, name string) (string, error) {
	switch name {
	case "ARGOCD_APP_REVISION":
		return e.at.revision, nil
	case "ARGOCD_APP_REVISION_SHORT":
		return e.at.revision[:min(7, len(e.at.revision))], nil
	case "ARGOCD_APP_REVISION_SHORT_8":
		return e.at.revision[:min(8, len(e.at.revision))], nil
	case "ARGOCD_APP_SOURCE_TARGET_REVISION":
		return e.source.TargetRevision, nil
	}
	return "", fmt.Errorf("there is no build variable %q", name)
}

// HasAPI implements render.External.
func (e *external) HasAPI(_ context.Context, version string) (bool, error) {
	_, found := slices.BinarySearch(e.req.APIVersions, version)
	return found, nil
}

// APIVersions implements render.External.
func (e *external) APIVersions(context.Context) ([]string, error) { return e.req.APIVersions, nil }

// Repository implements render.External. Only remotes are given: a path of this machine is none of a repository's
// business.
func (e *external) Repository(ctx context.Context, url, revision string) (fs.FS, error) {
	if strings.HasPrefix(strings.ToLower(url), "file:") && !strings.HasPrefix(strings.ToLower(e.source.RepoURL), "file:") {
		return nil, fmt.Errorf("%s: a file URL cannot be a remote base", url)
	}
	repo := e.local.repository(url, e.req.Project)
	commit, err := e.local.Git.Resolve(ctx, repo, revision, e.maxAge())
	if err != nil {
		return nil, err
	}
	return e.local.Git.Snapshot(ctx, repo, commit)
}

// maxAge is how old an answer may be about what nobody polls; a hard refresh asks in any case.
func (e *external) maxAge() time.Duration {
	if e.req.NoCache {
		return 0
	}
	return e.local.unpolledAge()
}

// Download implements render.External.
func (e *external) Download(ctx context.Context, url string) ([]byte, error) {
	if e.local.Downloads == nil {
		return e.NoExternal.Download(ctx, url)
	}
	return e.local.Downloads.Get(ctx, e.local.repository(url, e.req.Project), e.maxAge())
}
