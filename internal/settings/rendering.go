package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Rendering are the settings that decide how sources become objects.
type Rendering struct {
	// KustomizeBuildOptions are flags of `kustomize build` (kustomize.buildOptions).
	KustomizeBuildOptions string
	// KustomizeVersionOptions are the same for sources that name a version (kustomize.buildOptions.<version>).
	KustomizeVersionOptions map[string]string
	// ValuesFileSchemes are the URL schemes that Helm value files may have (helm.valuesFileSchemes).
	ValuesFileSchemes []string
	// DisabledTypes are the source types that are switched off (helm.enable, kustomize.enable, jsonnet.enable).
	DisabledTypes []v1alpha1.ApplicationSourceType
	// Plugins run without a sidecar, if that is switched on (configManagementPlugins).
	Plugins []v1alpha1.ConfigManagementPlugin
}

func rendering(p *parser, last Rendering) Rendering {
	r := Rendering{
		KustomizeBuildOptions: strings.TrimSpace(p.data["kustomize.buildOptions"]),
		ValuesFileSchemes:     parsed(p, "helm.valuesFileSchemes", schemes, nil, last.ValuesFileSchemes),
		Plugins:               parsed(p, "configManagementPlugins", plugins, nil, last.Plugins),
	}
	for key, flags := range p.data {
		if version, ok := strings.CutPrefix(key, "kustomize.buildOptions."); ok && version != "" {
			if r.KustomizeVersionOptions == nil {
				r.KustomizeVersionOptions = map[string]string{}
			}
			r.KustomizeVersionOptions[version] = strings.TrimSpace(flags)
		}
	}
	for _, tool := range []struct {
		key  string
		kind v1alpha1.ApplicationSourceType
	}{
		{"helm.enable", v1alpha1.ApplicationSourceTypeHelm},
		{"kustomize.enable", v1alpha1.ApplicationSourceTypeKustomize},
		{"jsonnet.enable", v1alpha1.ApplicationSourceTypeDirectory},
	} {
		if !parsed(p, tool.key, strconv.ParseBool, true, true) {
			r.DisabledTypes = append(r.DisabledTypes, tool.kind)
		}
	}
	return r
}

// schemes reads a list of URL schemes separated by commas.
func schemes(text string) ([]string, error) {
	var list []string
	for scheme := range strings.SplitSeq(text, ",") {
		scheme = strings.ToLower(strings.TrimSpace(scheme))
		if scheme == "" {
			continue
		}
		if strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+.-") != "" {
			return nil, fmt.Errorf("%q is not a URL scheme", scheme)
		}
		list = append(list, scheme)
	}
	if len(list) == 0 {
		return nil, errors.New("no URL scheme is named")
	}
	return list, nil
}
