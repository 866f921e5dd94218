package application

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// forever is the age that makes any fetch recent enough.
const forever = time.Duration(math.MaxInt64)

// desired is what the sources of an Application render to.
type desired struct {
	sources []renderedSource
	result  render.Result
}

// renderedSource is one source with what its revision resolved to.
type renderedSource struct {
	source v1alpha1.ApplicationSource
	commit string
	kind   v1alpha1.ApplicationSourceType
}

// sourcesAt are the sources to render, each with the revision to take instead
// of its targetRevision where one is given.
type sourcesAt struct {
	sources   v1alpha1.ApplicationSources
	revisions []string
}

func (s sourcesAt) revision(i int) string {
	if i < len(s.revisions) && s.revisions[i] != "" {
		return s.revisions[i]
	}
	return s.sources[i].TargetRevision
}

// findDesired renders what the specification asks for. While a repository
// cannot be reached, what it held last stays desired and a condition says why.
func (r *reconciliation) findDesired(ctx context.Context) error {
	sources := r.app.Spec.GetSources()
	if len(sources) == 0 {
		return invalid("the Application states no source; set spec.source.repoURL and spec.source.path")
	}
	repos := make([]source.Repository, 0, len(sources))
	for _, src := range sources {
		if src.Chart != "" {
			return invalid("the source %s is the Helm chart %q; charts from repositories are not supported yet", src.RepoURL, src.Chart)
		}
		repos = append(repos, r.repository(src.RepoURL))
	}
	r.repositories.use(r.key, repos...)
	if r.refresh != "" {
		for _, repo := range repos {
			changed, err := r.Sources.Fetch(ctx, repo)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.repositories.record(repo, changed, err)
		}
	}
	found, err := r.renderAll(ctx, sourcesAt{sources: sources})
	if err != nil {
		return err
	}
	for _, repo := range repos {
		if err := r.repositories.lastError(repo); err != nil {
			r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionComparisonError,
				fmt.Sprintf("compared with what the repository held last, because it cannot be reached: %v", err)))
		}
	}
	for _, warning := range found.result.Warnings {
		if warning.Reason == render.WarningRepeated {
			r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionRepeatedResourceWarning, warning.Message))
		}
	}
	r.desired = found
	return nil
}

// repository returns a repository with the credentials that the project of the
// Application may use.
func (r *reconciliation) repository(url string) source.Repository {
	project := r.app.Spec.GetProject()
	found := r.Settings.Repository(url, project)
	return source.Repository{
		URL: url, Project: project,
		Username: found.Username, Password: found.Password, BearerToken: found.BearerToken,
		SSHPrivateKey: []byte(found.SSHPrivateKey), SSHKnownHosts: []byte(found.KnownHosts),
		TLSClientCert: []byte(found.TLSClientCert), TLSClientKey: []byte(found.TLSClientKey), CAData: found.CAData,
		Insecure: found.Insecure, Proxy: found.Proxy, NoProxy: found.NoProxy,
	}
}

// renderAll renders sources, and joins what they give.
func (r *reconciliation) renderAll(ctx context.Context, at sourcesAt) (*desired, error) {
	out := &desired{}
	digest := sha256.New()
	for i, src := range at.sources {
		rendered, result, err := r.renderOne(ctx, src, at.revision(i))
		if err != nil {
			return nil, err
		}
		out.sources = append(out.sources, rendered)
		if len(at.sources) == 1 {
			out.result = *result
			return out, nil
		}
		out.result.Objects = append(out.result.Objects, result.Objects...)
		out.result.Warnings = append(out.result.Warnings, result.Warnings...)
		digest.Write([]byte(result.Digest))
	}
	out.result.Digest = hex.EncodeToString(digest.Sum(nil))
	return out, nil
}

func (r *reconciliation) renderOne(ctx context.Context, src v1alpha1.ApplicationSource, revision string,
) (renderedSource, *render.Result, error) {
	repo := r.repository(src.RepoURL)
	commit, err := r.Sources.ResolveTag(ctx, repo, revision, src.TagPrefix, forever)
	if err != nil {
		if ctx.Err() != nil {
			return renderedSource{}, nil, err
		}
		if isUnreachable(err) {
			r.repositories.record(repo, false, err)
		}
		return renderedSource{}, nil, incomparable(err)
	}
	if src.IsRefOnly() {
		return renderedSource{source: src, commit: commit}, &render.Result{}, nil
	}
	snapshot, err := r.Sources.Snapshot(ctx, repo, commit)
	if err != nil {
		return renderedSource{}, nil, r.renderError(ctx, err)
	}
	defer snapshot.Close()
	version, _ := r.destination.Live.Version()
	result, err := r.Render.Render(ctx, render.Inputs{Files: snapshot}, render.Request{
		AppName: r.app.Name, AppNamespace: r.app.Namespace, Project: r.app.Spec.GetProject(),
		Namespace: r.app.Spec.Destination.Namespace, Source: src,
		KubeVersion: version,
	}, render.CallOptions{NoCache: r.anew})
	if err != nil {
		return renderedSource{}, nil, r.renderError(ctx, fmt.Errorf("%s at %.7s: %w", src.RepoURL, commit, err))
	}
	return renderedSource{source: src, commit: commit, kind: result.SourceType}, result, nil
}

// renderError tells the end of our own process from a fault of the source.
func (r *reconciliation) renderError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return incomparable(err)
}

func isUnreachable(err error) bool {
	return errors.Is(err, source.ErrUnreachable) || errors.Is(err, source.ErrAuthentication) || errors.Is(err, source.ErrRepositoryNotFound)
}

func (d *desired) commits() []string {
	commits := make([]string, len(d.sources))
	for i, s := range d.sources {
		commits[i] = s.commit
	}
	return commits
}

func (d *desired) plainSources() v1alpha1.ApplicationSources {
	sources := make(v1alpha1.ApplicationSources, len(d.sources))
	for i, s := range d.sources {
		sources[i] = s.source
	}
	return sources
}
