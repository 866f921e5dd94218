package repo

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// resolved is a source at one revision.
type resolved struct {
	// revision is a commit id, a chart version or a digest.
	revision string
	files    fs.FS
}

// refs are the files of the sources that others refer to, by name.
type refs = map[string]fs.FS

// refsOf makes room for the references of sources, if they have any.
func refsOf(sources v1alpha1.ApplicationSources) refs {
	for _, s := range sources {
		if s.Ref != "" {
			return refs{}
		}
	}
	return nil
}

// resolve finds the revision of a source as of the last poll, and its files.
func (l *Local) resolve(ctx context.Context, req Request, i int) (resolved, error) {
	src := req.Sources[i]
	switch {
	case src.Chart != "":
		return l.resolveChart(ctx, req, i)
	case src.IsOCI():
		repo := l.repository(src.RepoURL, req.Project)
		digest, err := l.Artifacts.Resolve(ctx, repo, req.revisionOf(i), req.maxAge(i))
		if err != nil {
			return resolved{}, err
		}
		files, err := l.Artifacts.Snapshot(ctx, repo, digest)
		return resolved{revision: digest, files: files}, err
	}
	if l.Checkout != nil {
		if files, revision, ok := l.Checkout(src.RepoURL); ok {
			return resolved{revision: revision, files: files}, nil
		}
	}
	repo := l.repository(src.RepoURL, req.Project)
	commit, err := l.Git.ResolveTag(ctx, repo, req.revisionOf(i), src.TagPrefix, req.maxAge(i))
	if err != nil {
		return resolved{}, err
	}
	files, err := l.Git.Snapshot(ctx, repo, commit)
	return resolved{revision: commit, files: files}, err
}

func (l *Local) resolveChart(ctx context.Context, req Request, i int) (resolved, error) {
	src := req.Sources[i]
	repo := l.chartRepository(src.RepoURL, req.Project, src.Helm != nil && src.Helm.PassCredentials)
	version, err := l.Charts.Resolve(ctx, repo, src.Chart, req.revisionOf(i), req.maxAge(i))
	if err != nil {
		return resolved{}, err
	}
	found, err := l.Charts.Get(ctx, repo, src.Chart, version, req.NoCache)
	if err != nil {
		return resolved{}, err
	}
	files, err := l.unpacked.files(ctx, found)
	if err != nil {
		return resolved{}, fmt.Errorf("chart %s %s of %s: %w", src.Chart, version, src.RepoURL, err)
	}
	return resolved{revision: found.Version, files: files}, nil
}

func isVersion(s string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	return err == nil
}

func isDigest(s string) bool { return strings.HasPrefix(s, "sha256:") }

// generatePaths reads the annotation argocd.argoproj.io/manifest-generate-paths: paths separated by semicolons, from
// the root of the repository when they begin with a slash, else from the source's path.
func generatePaths(annotation, sourcePath string) []string {
	var paths []string
	for p := range strings.SplitSeq(annotation, ";") {
		p = strings.TrimSpace(p)
		switch {
		case p == "":
		case path.IsAbs(p):
			paths = append(paths, path.Clean(p)[1:])
		default:
			paths = append(paths, path.Join(sourcePath, p))
		}
	}
	return paths
}
