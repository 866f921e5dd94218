package chart

import (
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// Version is one version of a chart as a repository lists it.
type Version struct {
	// Version of the chart.
	Version string
	// AppVersion of what the chart installs; empty for registries, which do not list it.
	AppVersion string
	// Created is when it was published, or zero.
	Created time.Time
	// Deprecated charts are still found.
	Deprecated bool
	// Digest of the archive, sha256 in hexadecimal, or empty when the repository does not say.
	Digest string
}

// isExact reports whether a text names one version, or one digest of a registry, and no range.
func isExact(want string) bool {
	if strings.HasPrefix(want, "sha256:") {
		return true
	}
	_, err := semver.StrictNewVersion(strings.TrimPrefix(want, "v"))
	return err == nil
}

// newestFirst sorts versions and leaves out what is no semantic version.
func newestFirst(found []Version) []Version {
	type pair struct {
		Version
		semver *semver.Version
	}
	pairs := make([]pair, 0, len(found))
	for _, v := range found {
		if parsed, err := semver.NewVersion(v.Version); err == nil {
			pairs = append(pairs, pair{v, parsed})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return b.semver.Compare(a.semver) })
	sorted := make([]Version, len(pairs))
	for i, p := range pairs {
		sorted[i] = p.Version
	}
	return sorted
}

// choose gives the newest version that meets a range. As Helm has it, an empty range means any version, and pre-releases
// count only for a range that has one itself.
func choose(repo source.Repository, name, want string, sorted []Version) (string, error) {
	for _, v := range sorted {
		if v.Version == want {
			return v.Version, nil
		}
	}
	limits := want
	if limits == "" {
		limits = "*"
	}
	constraint, err := semver.NewConstraint(limits)
	if err != nil {
		return "", repo.Failure(source.ErrRevisionNotFound, nil,
			"chart %s: %q is neither a version nor a range of versions, such as 1.2.3, 1.2.*, ^1.2 or >=1.0 <2", name, want)
	}
	for _, v := range sorted {
		if parsed, err := semver.NewVersion(v.Version); err == nil && constraint.Check(parsed) {
			return v.Version, nil
		}
	}
	switch {
	case len(sorted) == 0:
		return "", repo.Failure(source.ErrRevisionNotFound, nil, "there is no chart %s", name)
	case want == "":
		return "", repo.Failure(source.ErrRevisionNotFound, nil,
			"chart %s has pre-releases only, the newest is %s; name a version, or the range >0.0.0-0", name, sorted[0].Version)
	}
	return "", repo.Failure(source.ErrRevisionNotFound, nil,
		"no version of chart %s meets %q; the newest of %d is %s", name, want, len(sorted), sorted[0].Version)
}

func scheme(url string) string {
	before, _, _ := strings.Cut(url, "://")
	return before
}
