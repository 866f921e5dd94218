package webhook

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Event is what a call tells. One without addresses tells nothing of interest.
type Event struct {
	// URLs are addresses of one repository or artifact: of its page or to fetch it from.
	URLs []string
	// Changes are what moved in it.
	Changes []Change
}

// Change is a branch or a tag that moved.
type Change struct {
	// Revision is its short name; branches and tags of one name are not told apart.
	Revision string
	// Head says that it is, or may be, the default branch.
	Head bool
}

// Keys are the repositories that the event is about, see [settings.RepositoryKey].
func (e Event) Keys() []string {
	var keys []string
	for _, url := range e.URLs {
		if key := settings.RepositoryKey(url); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Concerns says whether the change may be one of what a source asks for in the repository. It says yes in doubt: a source
// that has not changed costs next to nothing.
func (c Change) Concerns(source v1alpha1.ApplicationSource) bool {
	target := shortName(source.TargetRevision)
	if target == "" || target == "HEAD" {
		return c.Head || source.Chart != "" || source.IsOCI()
	}
	if target == c.Revision || source.TargetRevision == c.Revision {
		return true
	}
	if _, err := semver.StrictNewVersion(strings.TrimPrefix(target, "v")); err == nil {
		return false // one version, and another
	}
	tag := c.Revision
	if source.TagPrefix != "" {
		var ok bool
		if tag, ok = strings.CutPrefix(tag, source.TagPrefix); !ok {
			return false
		}
	}
	version, err := semver.NewVersion(tag)
	if err != nil {
		return false
	}
	allowed, err := semver.NewConstraint(target)
	return err == nil && allowed.Check(version)
}

// concern says whether one of the changes concerns a source of the Application that is read from the repository.
func concern(changes map[Change]struct{}, key string, app *v1alpha1.Application) bool {
	for _, source := range app.Spec.GetSources() {
		if !slices.Contains(settings.RepositoryKeys(source.RepoURL, source.Chart), key) {
			continue
		}
		for change := range changes {
			if change.Concerns(source) {
				return true
			}
		}
	}
	return false
}

// shortName takes refs/heads/ and refs/tags/ off a reference.
func shortName(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			return name
		}
	}
	return ref
}
