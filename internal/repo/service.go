package repo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// Service is the repo component as the others see it. It is safe for concurrent use.
type Service interface {
	// Poll asks the remote of an origin for news and reports whether there are any since the last time.
	Poll(ctx context.Context, origin Origin) (changed bool, err error)
	// Render turns sources into objects as of the last poll of their origins; what has never been polled is polled.
	// The result is shared and must not be changed. The error is a *SourceError when one source is to blame.
	Render(ctx context.Context, req Request) (*Response, error)
}

// Origin is what is polled for the sake of one source.
type Origin struct {
	// Project with whose credentials the remote is asked.
	Project string
	// URL of the Git repository, Helm repository or OCI artifact.
	URL string
	// Chart, and Range of its versions, in a Helm repository or registry; empty for others.
	Chart, Range string
	// PassCredentials as the source states it; it tells apart what is known with and without.
	PassCredentials bool
}

// OriginOf says what to poll for a source; ok is false when its revision can never mean anything else: a version of a
// chart, or the digest of an artifact.
func OriginOf(s v1alpha1.ApplicationSource, project string) (origin Origin, ok bool) {
	origin = Origin{Project: project, URL: s.RepoURL}
	switch {
	case s.IsOCI() && s.Chart == "":
		origin.Range = s.TargetRevision
		return origin, !isDigest(s.TargetRevision)
	case s.Chart != "":
		origin.Chart, origin.Range = s.Chart, s.TargetRevision
		origin.PassCredentials = s.Helm != nil && s.Helm.PassCredentials
		return origin, !isVersion(s.TargetRevision)
	}
	return origin, true
}

// Request asks for the objects of one Application.
type Request struct {
	// Name, Namespace and Project of the Application.
	Name, Namespace, Project string
	// DestinationNamespace is spec.destination.namespace.
	DestinationNamespace string
	// Sources to render.
	Sources v1alpha1.ApplicationSources
	// Revisions to take instead of the sources' own, by index; empty ones, and a shorter list, leave those in force.
	Revisions []string
	// KubeVersion of the destination, and the versions and kinds that it serves, sorted.
	KubeVersion string
	APIVersions []string
	// GeneratePaths is the annotation argocd.argoproj.io/manifest-generate-paths.
	GeneratePaths string
	// MaxAge is how old, by index of the source, the answer of an origin may be that is taken as its last poll; zero,
	// and a shorter list: as old as it may be. Callers that poll in one process and render in another set it.
	MaxAge []time.Duration
	// NoCache renders in any case and resolves the ranges of chart dependencies anew; RetryErrors gives no error from
	// memory.
	NoCache, RetryErrors bool
}

// Response is what the sources of an Application render to.
type Response struct {
	// Sources in the order of the request.
	Sources []Source
	// Result of all of them together. Its Digest tells whether anything changed.
	Result *render.Result
	// Stale says, when it is not nil, why this is what the same request gave last: the repo component cannot be
	// reached. It is ErrUnavailable.
	Stale error
}

// Source is one source as it was rendered.
type Source struct {
	// Revision that the source's target revision resolved to: a commit id, a chart version or a digest.
	Revision string
	// Type of the source; empty for one that is only referred to.
	Type v1alpha1.ApplicationSourceType
}

// ErrUnavailable means that the repo component runs in another process, which cannot be reached. Trying again helps.
var ErrUnavailable = errors.New("the repo component cannot be reached")

// SourceError blames one source of a request.
type SourceError struct {
	// Index of the source in the request.
	Index int
	// URL and Revision of the source, the latter shortened and empty when it could not be resolved.
	URL, Revision string
	// Err says what is wrong.
	Err error
}

func (e *SourceError) Error() string {
	if e.Revision == "" {
		return e.Err.Error()
	}
	return strings.TrimLeft(fmt.Sprintf("%s at %s: %v", e.URL, e.Revision, e.Err), " ") // a source may be at hand, without a URL
}

// Unwrap returns Err.
func (e *SourceError) Unwrap() error { return e.Err }
