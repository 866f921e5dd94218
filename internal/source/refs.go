package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
)

// refs are the references of a repository at one time. They do not change once a mirror holds them.
type refs struct {
	head   string            // the branch that HEAD names, or empty when HEAD is detached or unknown
	ids    map[string]string // full name to the id of a commit or of an annotated tag; "HEAD" too when it has one
	peeled map[string]string // full name of an annotated tag to the commit it points to

	resolved sync.Map // revision to full name or id, see find
	tagged   func() map[string][]string
}

func newRefs() *refs {
	r := &refs{ids: map[string]string{}, peeled: map[string]string{}}
	r.tagged = sync.OnceValue(r.byCommit)
	return r
}

func (r *refs) add(name, id string) { r.ids[name] = id }

// same reports whether both stand for the same references; what tags peel to follows from them.
func (r *refs) same(o *refs) bool { return r.head == o.head && maps.Equal(r.ids, o.ids) }

func (r *refs) empty() bool { return len(r.ids) == 0 }

// names returns the short names below a prefix such as refs/tags/, sorted.
func (r *refs) names(prefix string) []string {
	var names []string
	for name := range r.ids {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			names = append(names, short)
		}
	}
	slices.Sort(names)
	return names
}

// byCommit is the short names of the tags of each commit.
func (r *refs) byCommit() map[string][]string {
	tags := map[string][]string{}
	for _, short := range r.names("refs/tags/") {
		commit := r.commitOf("refs/tags/" + short)
		tags[commit] = append(tags[commit], short)
	}
	return tags
}

// commitOf is the id a reference points to, after an annotated tag.
func (r *refs) commitOf(name string) string {
	if commit, ok := r.peeled[name]; ok {
		return commit
	}
	return r.ids[name]
}

// find gives the id that a revision names: HEAD or nothing, a full reference name, a branch, a tag, or the highest tag
// that meets a version constraint. A branch goes before a tag of its name. tagPrefix limits constraints to tags that
// begin with it, and is left out when versions are compared. ok is false when nothing fits; why then says so when there
// is more to say than that.
func (r *refs) find(revision, tagPrefix string) (id string, ok bool, why string) {
	key := [2]string{revision, tagPrefix}
	if name, ok := r.resolved.Load(key); ok {
		return r.commitOf(name.(string)), true, ""
	}
	name, why := r.lookUp(revision, tagPrefix)
	if name == "" {
		return "", false, why
	}
	r.resolved.Store(key, name)
	return r.commitOf(name), true, ""
}

func (r *refs) lookUp(revision, tagPrefix string) (name, why string) {
	if revision == "" || revision == "HEAD" {
		if _, ok := r.ids["HEAD"]; ok {
			return "HEAD", ""
		}
		if _, ok := r.ids[r.head]; ok {
			return r.head, ""
		}
		if r.head != "" {
			return "", fmt.Sprintf("the default branch %s does not exist", strings.TrimPrefix(r.head, "refs/heads/"))
		}
		return "", "the repository has no default branch"
	}
	if tag, why, is := r.highest(revision, tagPrefix); is {
		if tag != "" {
			return "refs/tags/" + tag, ""
		}
		// A branch may have a name that reads as a constraint, such as "1.x".
		if _, ok := r.ids["refs/heads/"+revision]; !ok {
			return "", why
		}
	}
	for _, prefix := range []string{"", "refs/heads/", "refs/tags/", "refs/"} {
		if _, ok := r.ids[prefix+revision]; ok {
			return prefix + revision, ""
		}
	}
	return "", ""
}

// highest finds the tag with the highest version that meets the constraint; is reports whether the revision is a
// constraint at all, and not just one version.
func (r *refs) highest(revision, tagPrefix string) (tag, why string, is bool) {
	if _, err := semver.NewVersion(revision); err == nil {
		return "", "", false
	}
	constraint, err := semver.NewConstraint(revision)
	if err != nil {
		return "", "", false
	}
	var best *semver.Version
	tags := r.names("refs/tags/")
	for _, name := range tags {
		short, ok := strings.CutPrefix(name, tagPrefix)
		if !ok {
			continue
		}
		v, err := semver.NewVersion(short)
		if err != nil || !constraint.Check(v) {
			continue
		}
		if best == nil || v.GreaterThan(best) {
			best, tag = v, name
		}
	}
	return tag, fmt.Sprintf("none of the %d tags meets the constraint", len(tags)), true
}
