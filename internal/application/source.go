package application

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

// desired is what the sources of an Application render to.
type desired struct {
	sources []renderedSource
	result  *render.Result
	// stale says why this is what was rendered last, if it is.
	stale error
}

// renderedSource is one source with what its revision resolved to.
type renderedSource struct {
	source   v1alpha1.ApplicationSource
	revision string
	kind     v1alpha1.ApplicationSourceType
}

// sourcesAt are the sources to render, each with the revision to take instead
// of its targetRevision where one is given.
type sourcesAt struct {
	sources   v1alpha1.ApplicationSources
	revisions []string
}

// repoRetry is when to look again while the repo component cannot be reached.
const repoRetry = 10 * time.Second

// findDesired renders what the specification asks for. While a repository
// cannot be reached, what it held last stays desired and a condition says why.
func (r *reconciliation) findDesired(ctx context.Context) error {
	sources := r.app.Spec.GetSources()
	if len(sources) == 0 {
		return invalid("the Application states no source; set spec.source.repoURL and spec.source.path")
	}
	var polls []poll
	for _, src := range sources {
		if origin, ok := repo.OriginOf(src, r.app.Spec.GetProject()); ok {
			polls = append(polls, poll{key: r.originKey(origin), origin: origin})
		}
	}
	r.repositories.use(r.key, polls...)
	if r.refresh != "" {
		for _, one := range polls {
			changed, err := r.Repo.Poll(ctx, one.origin)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.repositories.record(one.key, changed, err)
		}
	}
	found, err := r.renderAll(ctx, sourcesAt{sources: sources})
	found, err = r.withPin(ctx, found, err)
	if err != nil {
		return err
	}
	for _, one := range polls {
		if err := r.repositories.lastError(one.key); err != nil {
			r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionComparisonError,
				fmt.Sprintf("compared with what the repository held last, because it cannot be reached: %v", err)))
		}
	}
	if found.stale != nil {
		r.again = repoRetry
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionComparisonError,
			fmt.Sprintf("compared with what was rendered last: %v", found.stale)))
	}
	for _, warning := range found.result.Warnings {
		if warning.Reason == render.WarningRepeated {
			r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionRepeatedResourceWarning, warning.Message))
		}
	}
	r.desired = found
	return nil
}

// originKey tells apart what is polled separately: equal keys mean the same
// thing asked with the same credentials, whatever the project.
func (r *reconciliation) originKey(origin repo.Origin) string {
	repository := repo.ToSource(r.Settings.Repository(origin.URL, origin.Project), origin.Project)
	return strings.Join([]string{repository.Key(), origin.Chart, origin.Range}, "\x00")
}

// renderAll renders sources, and joins what they give.
func (r *reconciliation) renderAll(ctx context.Context, at sourcesAt) (*desired, error) {
	version, apis := r.destination.Live.Version()
	found, err := r.Repo.Render(ctx, repo.Request{
		Name: r.app.Name, Namespace: r.app.Namespace, Project: r.app.Spec.GetProject(),
		DestinationNamespace: r.app.Spec.Destination.Namespace,
		Sources:              at.sources, Revisions: at.revisions,
		KubeVersion: version, APIVersions: apis,
		GeneratePaths: r.app.Annotations[v1alpha1.AnnotationManifestGeneratePaths],
		NoCache:       r.anew, RetryErrors: r.refresh != "",
	})
	if err != nil {
		return nil, r.renderError(ctx, at, err)
	}
	out := &desired{result: found.Result, stale: found.Stale, sources: make([]renderedSource, len(at.sources))}
	for i, src := range at.sources {
		out.sources[i] = renderedSource{source: src, revision: found.Sources[i].Revision, kind: found.Sources[i].Type}
	}
	return out, nil
}

// renderError tells the end of our own process from a fault of the source.
func (r *reconciliation) renderError(ctx context.Context, at sourcesAt, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if errors.Is(err, repo.ErrUnavailable) {
		r.again = repoRetry
	}
	var blamed *repo.SourceError
	if errors.As(err, &blamed) && repo.IsUnreachable(err) {
		if origin, ok := repo.OriginOf(at.sources[blamed.Index], r.app.Spec.GetProject()); ok {
			r.repositories.record(r.originKey(origin), false, blamed.Err)
		}
	}
	return incomparable(err)
}

func (d *desired) revisions() []string {
	revisions := make([]string, len(d.sources))
	for i, s := range d.sources {
		revisions[i] = s.revision
	}
	return revisions
}

func (d *desired) plainSources() v1alpha1.ApplicationSources {
	sources := make(v1alpha1.ApplicationSources, len(d.sources))
	for i, s := range d.sources {
		sources[i] = s.source
	}
	return sources
}
