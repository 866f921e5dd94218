package repo

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/source"
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
	repo := l.repository(src.RepoURL, req.Project)
	commit, err := l.Git.ResolveTag(ctx, repo, req.revisionOf(i), src.TagPrefix, req.maxAge(i))
	if err != nil {
		return resolved{}, err
	}
	snapshot, err := l.Git.Snapshot(ctx, repo, commit)
	if err != nil {
		return resolved{}, err
	}
	return resolved{revision: commit, files: snapshot}, nil
}

// repository is how a repository is reached for a project.
func (l *Local) repository(url, project string) source.Repository {
	return ToSource(l.Settings.Repository(url, project), project)
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
