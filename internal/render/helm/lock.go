package helm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/Masterminds/semver/v3"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// checkLock refuses a lock file that was made for other dependencies than the chart states, as `helm dependency build`
// does. The digest of a lock file stands for both lists, not for any archive.
func checkLock(p *parsed) error {
	if p.lock == nil {
		return nil
	}
	lock, source := "Chart.lock", "Chart.yaml"
	if p.metadata.APIVersion == chartv2.APIVersionV1 {
		lock, source = "requirements.lock", "requirements.yaml"
		if p.lock.Digest == digestOf(map[string][]*chartv2.Dependency{"dependencies": p.metadata.Dependencies}) {
			return nil // written by Helm 2
		}
	}
	wanted := cloneDependencies(p.metadata.Dependencies)
	for i, d := range wanted {
		// Helm puts the URL in the place of a repository's name before it computes the digest.
		if i < len(p.lock.Dependencies) && isNamed(d.Repository) && p.lock.Dependencies[i] != nil {
			d.Repository = p.lock.Dependencies[i].Repository
		}
	}
	if p.lock.Digest == digestOf([2][]*chartv2.Dependency{wanted, p.lock.Dependencies}) {
		return nil
	}
	return fmt.Errorf("%w: the lock file (%s) is out of sync with the dependencies file (%s); run helm dependency update, and commit %s",
		render.ErrInvalidSource, lock, source, lock)
}

func digestOf(lists any) string {
	text, err := json.Marshal(lists)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// isNamed reports whether a repository is given by the name that it is registered under.
func isNamed(repository string) bool {
	return len(repository) > 0 && repository[0] == '@' || len(repository) > 6 && repository[:6] == "alias:"
}

// lockedVersion is the version of a dependency that the lock file states, or else the range that the chart states.
func lockedVersion(lock *chartv2.Lock, d *chartv2.Dependency) (string, error) {
	constraint, err := semver.NewConstraint(d.Version)
	if err != nil {
		return "", fmt.Errorf("%w: dependency %s: version %q is no version and no range: %w",
			render.ErrInvalidSource, d.Name, d.Version, err)
	}
	if lock == nil {
		return d.Version, nil
	}
	for _, l := range lock.Dependencies {
		if l == nil || l.Name != d.Name || l.Repository != d.Repository && !isNamed(d.Repository) {
			continue
		}
		if v, err := semver.NewVersion(l.Version); err == nil && constraint.Check(v) {
			return l.Version, nil
		}
	}
	return d.Version, nil
}
