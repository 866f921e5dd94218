package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/internal/source/download"
	"github.com/fairlead-cd/fairlead/internal/source/oci"
)

// forever is the age that makes any poll recent enough.
const forever = time.Duration(math.MaxInt64)

// Renderer renders and remembers; [render.Memo] implements it.
type Renderer interface {
	Render(ctx context.Context, in render.Inputs, req render.Request, o render.CallOptions) (*render.Result, error)
}

// Settings are the settings of the installation; [settings.Store] implements it.
type Settings interface {
	Get() *settings.Settings
	// Repository gives what is needed to reach a repository for a project.
	Repository(url, project string) settings.Repository
}

// Options are what a Local works with. Settings, Git and Memo are required.
type Options struct {
	Settings Settings
	// Git keeps the mirrors.
	Git *source.Mirrors
	// Charts keeps Helm charts.
	Charts *chart.Store
	// Artifacts keeps OCI artifacts.
	Artifacts *oci.Store
	// Downloads reads files by URL; nil: there are none.
	Downloads *download.Store
	// Plugins asks config management plugins; nil: there are none.
	Plugins Plugins
	// Checkout gives the files of repositories that are at hand outside of the mirrors, such as a working copy, and the
	// revision to call them; ok is false for all others. nil: there are none.
	Checkout func(url string) (files fs.FS, revision string, ok bool)
	// Memo renders.
	Memo Renderer
	// MaxManifestBytes bounds the manifest files of one directory source together; zero: no limit.
	MaxManifestBytes int64
}

// Local is the Service that works in this process.
type Local struct {
	Options
	unpacked unpacked
	recent   recentAnswers
}

var _ Service = (*Local)(nil)

// NewLocal makes a Local. The caller closes what the options hold after the last call.
func NewLocal(o Options) *Local { return &Local{Options: o, unpacked: newUnpacked()} }

// Close lets go of what is kept.
func (l *Local) Close() { l.unpacked.close() }

// Poll implements Service.
func (l *Local) Poll(ctx context.Context, origin Origin) (changed bool, err error) {
	l.recent.forget()
	defer l.recent.forget()
	var resolve func(maxAge time.Duration) (string, error)
	switch {
	case origin.Chart != "":
		repo := l.chartRepository(origin.URL, origin.Project, origin.PassCredentials)
		resolve = func(maxAge time.Duration) (string, error) {
			return l.Charts.Resolve(ctx, repo, origin.Chart, origin.Range, maxAge)
		}
	case strings.HasPrefix(origin.URL, "oci://"):
		repo := l.repository(origin.URL, origin.Project)
		resolve = func(maxAge time.Duration) (string, error) {
			return l.Artifacts.Resolve(ctx, repo, origin.Range, maxAge)
		}
	default:
		return l.Git.Fetch(ctx, l.repository(origin.URL, origin.Project))
	}
	before, unknown := resolve(forever)
	now, err := resolve(0)
	return err == nil && (unknown != nil || now != before), err
}

// Render implements Service.
func (l *Local) Render(ctx context.Context, req Request) (*Response, error) {
	if len(req.Sources) == 0 {
		return nil, errors.New("rendering an Application: it states no source")
	}
	found := make([]resolved, len(req.Sources))
	refs := refsOf(req.Sources)
	for i := range req.Sources {
		var err error
		if found[i], err = l.resolve(ctx, req, i); err != nil {
			return nil, &SourceError{Index: i, URL: req.Sources[i].RepoURL, Err: err}
		}
		if ref := req.Sources[i].Ref; ref != "" {
			refs[ref] = found[i].files
		}
	}
	out := &Response{Sources: make([]Source, len(found))}
	results := make([]*render.Result, 0, len(found))
	for i, src := range req.Sources {
		out.Sources[i].Revision = found[i].revision
		if src.IsRefOnly() {
			continue
		}
		result, err := l.renderOne(ctx, req, i, found[i], refs)
		if err != nil {
			return nil, &SourceError{Index: i, URL: src.RepoURL, Revision: shorten(found[i].revision), Err: err}
		}
		out.Sources[i].Type = result.SourceType
		results = append(results, result)
	}
	out.Result = join(results)
	return out, nil
}

func (l *Local) renderOne(ctx context.Context, req Request, i int, at resolved, refs refs) (*render.Result, error) {
	src := req.Sources[i]
	in := render.Inputs{Files: at.files, Refs: refs, External: &external{
		local: l, req: &req, source: &req.Sources[i], at: at,
	}}
	return l.Memo.Render(ctx, in, render.Request{
		AppName: req.Name, AppNamespace: req.Namespace, Project: req.Project,
		Namespace: req.DestinationNamespace, Source: src, KubeVersion: req.KubeVersion, Settings: l.settings(),
	}, render.CallOptions{
		NoCache: req.NoCache, RetryErrors: req.RetryErrors, Paths: generatePaths(req.GeneratePaths, src.Path),
	})
}

// settings are what the operator decides about rendering.
func (l *Local) settings() render.Settings {
	s := l.Settings.Get().Rendering
	return render.Settings{
		MaxManifestBytes:      l.MaxManifestBytes,
		KustomizeBuildOptions: s.KustomizeBuildOptions, KustomizeVersionOptions: s.KustomizeVersionOptions,
		ValuesFileSchemes: s.ValuesFileSchemes, DisabledTypes: s.DisabledTypes,
	}
}

// join makes one result of those of several sources. The result of a single one is passed on as it is.
func join(results []*render.Result) *render.Result {
	switch len(results) {
	case 0:
		return &render.Result{}
	case 1:
		return results[0]
	}
	out := &render.Result{}
	digest := sha256.New()
	for _, r := range results {
		out.Objects = append(out.Objects, r.Objects...)
		out.Warnings = append(out.Warnings, r.Warnings...)
		digest.Write([]byte(r.Digest))
	}
	out.Digest = hex.EncodeToString(digest.Sum(nil))
	return out
}

// shorten cuts a commit id to what people read; versions stay whole.
func shorten(revision string) string {
	if _, err := source.ParseObjectID(revision); err == nil {
		return revision[:7]
	}
	return revision
}

// revisionOf is the revision that a request asks of a source.
func (r *Request) revisionOf(i int) string {
	if i < len(r.Revisions) && r.Revisions[i] != "" {
		return r.Revisions[i]
	}
	return r.Sources[i].TargetRevision
}

// maxAge is how old the last poll of a source's origin may be.
func (r *Request) maxAge(i int) time.Duration {
	if i < len(r.MaxAge) && r.MaxAge[i] > 0 {
		return r.MaxAge[i]
	}
	return forever
}

// IsUnreachable reports whether an error says that a remote, or the repo component, cannot be asked, rather than that
// something is wrong with what it gave.
func IsUnreachable(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, source.ErrUnreachable) || errors.Is(err, source.ErrAuthentication) ||
		errors.Is(err, source.ErrRepositoryNotFound)
}

// unpolledAge is how old an answer about something may be that nobody polls.
func (l *Local) unpolledAge() time.Duration {
	if interval := l.Settings.Get().Reconciliation; interval > 0 {
		return interval
	}
	return forever
}
