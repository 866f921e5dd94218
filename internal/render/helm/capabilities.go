package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// capabilities are .Capabilities as templates see them.
type capabilities struct {
	*common.Capabilities
	// APIVersions hides the field of the same name. It is apis, or a common.VersionSet when a template wants the list.
	APIVersions any
}

// apis answers .Capabilities.APIVersions.Has by asking about that version alone, and with an empty version gives all.
// It is a function because templates copy what they get with deepCopy, which loses the fields of a struct.
type apis func(version string) (has bool, all []string, err error)

// Has reports whether the destination serves a version, or a kind of a version.
func (a apis) Has(version string) (bool, error) {
	if common.DefaultVersionSet.Has(version) {
		return true, nil
	}
	has, _, err := a(version)
	return has, err
}

// MarshalJSON gives the list to templates that print everything they know.
func (a apis) MarshalJSON() ([]byte, error) {
	_, all, err := a("")
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// newAPIs asks the External, or what is given in its place if that is not nil.
func newAPIs(ctx context.Context, from render.External, given []string) apis {
	return func(version string) (bool, []string, error) {
		switch {
		case version == "":
			all := given
			if given == nil {
				var err error
				if all, err = from.APIVersions(ctx); err != nil {
					return false, nil, fmt.Errorf("asking for the API versions of the destination: %w", err)
				}
			}
			return false, append(slices.Clip(slices.Clone(common.DefaultVersionSet)), all...), nil
		case given != nil:
			return slices.Contains(given, version), nil, nil
		}
		has, err := from.HasAPI(ctx, version)
		if err != nil {
			return false, nil, fmt.Errorf("asking whether the destination serves %s: %w", version, err)
		}
		return has, nil, nil
	}
}

// newCapabilities makes .Capabilities. The whole list of API versions is asked for only when a template wants it.
func newCapabilities(ctx context.Context, from render.External, release Release, list bool) (*capabilities, error) {
	c := &capabilities{Capabilities: common.DefaultCapabilities.Copy()}
	if release.KubeVersion != "" {
		version, err := common.ParseKubeVersion(strings.TrimSuffix(release.KubeVersion, "+"))
		if err != nil {
			return nil, fmt.Errorf("%w: Kubernetes version %q cannot be read: %w", render.ErrInvalidSource, release.KubeVersion, err)
		}
		c.KubeVersion = *version
	}
	ask := newAPIs(ctx, from, release.APIVersions)
	if !list {
		c.APIVersions = ask
		return c, nil
	}
	_, all, err := ask("")
	c.APIVersions = common.VersionSet(all)
	return c, err
}
