package kustomize

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
)

// buildOptions are what the operator's flags of kustomize build say.
type buildOptions struct {
	restrictions types.LoadRestrictions
	reorder      krusty.ReorderOption
	managedBy    bool
	helm         bool
	kubeVersion  string
	apiVersions  []string
}

// parseFlags reads kustomize.buildOptions, or those of a version. Flags of kustomize build that concern its output, or plugins, are accepted
// without effect.
func parseFlags(text string) (buildOptions, error) {
	o := buildOptions{}
	set := pflag.NewFlagSet("kustomize.buildOptions", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	set.SortFlags = false
	restrictor := set.String("load-restrictor", types.LoadRestrictionsRootOnly.String(), "")
	reorder := set.String("reorder", string(krusty.ReorderOptionUnspecified), "")
	set.BoolVar(&o.managedBy, "enable-managedby-label", false, "")
	set.BoolVar(&o.helm, "enable-helm", false, "")
	set.StringVar(&o.kubeVersion, "helm-kube-version", "", "")
	set.StringArrayVar(&o.apiVersions, "helm-api-versions", nil, "")
	// Without effect: foreign programs are not run, and a kustomization that wants one is refused. An installation that
	// has these flags keeps what does not need them.
	set.Bool("enable-alpha-plugins", false, "")
	set.Bool("enable-exec", false, "")
	set.Bool("enable-star", false, "")
	// Without effect: charts are rendered in process.
	set.String("helm-command", "", "")
	set.Bool("helm-debug", false, "")
	// Without effect: there is no file to write.
	set.StringP("output", "o", "", "")
	// Without effect: these speak of functions in containers, and a kustomization that has one is refused.
	set.Bool("network", false, "")
	set.String("network-name", "", "")
	set.StringArray("mount", nil, "")
	set.StringArrayP("env", "e", nil, "")
	set.Bool("as-current-user", false, "")
	// Without effect: nothing is written to standard error.
	set.Bool("stack-trace", false, "")

	if err := set.Parse(strings.Fields(text)); err != nil {
		return o, err
	}
	if set.NArg() > 0 {
		return o, fmt.Errorf("%q is not a flag", set.Arg(0))
	}
	switch *restrictor {
	case types.LoadRestrictionsRootOnly.String(), "":
		o.restrictions = types.LoadRestrictionsRootOnly
	case types.LoadRestrictionsNone.String():
		o.restrictions = types.LoadRestrictionsNone
	default:
		return o, fmt.Errorf("--load-restrictor %s: must be %s or %s",
			*restrictor, types.LoadRestrictionsRootOnly, types.LoadRestrictionsNone)
	}
	o.reorder = krusty.ReorderOption(*reorder)
	switch o.reorder {
	case krusty.ReorderOptionLegacy, krusty.ReorderOptionNone, krusty.ReorderOptionUnspecified:
	default:
		return o, fmt.Errorf("--reorder %s: must be %s or %s",
			*reorder, krusty.ReorderOptionLegacy, krusty.ReorderOptionNone)
	}
	return o, nil
}
