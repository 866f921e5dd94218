package kustomize

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// edit works the settings of an Application into its kustomization, as the commands of `kustomize edit` do.
type edit struct {
	settings v1alpha1.ApplicationSourceKustomize
	// expand replaces variables of the build environment in a text.
	expand func(ctx context.Context, text string) (string, error)
	// files and folder of the kustomization.
	files  fs.FS
	folder string
}

func (e edit) apply(ctx context.Context, k *types.Kustomization) error {
	if e.settings.NamePrefix != "" {
		k.NamePrefix = e.settings.NamePrefix
	}
	if e.settings.NameSuffix != "" {
		k.NameSuffix = e.settings.NameSuffix
	}
	for _, step := range []struct {
		field string
		do    func(context.Context, *types.Kustomization) error
	}{
		{"images", e.images},
		{"replicas", e.replicas},
		{"commonLabels", e.labels},
		{"commonAnnotations", e.annotations},
		{"namespace", e.namespace},
		{"patches", e.patches},
		{"components", e.components},
	} {
		if err := step.do(ctx, k); err != nil {
			return fmt.Errorf("%w: kustomize.%s: %w", render.ErrInvalidSource, step.field, err)
		}
	}
	return nil
}

func (e edit) replicas(_ context.Context, k *types.Kustomization) error {
	if len(e.settings.Replicas) == 0 {
		return nil
	}
	counts := map[string]types.Replica{}
	for _, r := range e.settings.Replicas {
		count := int64(r.Count.IntVal)
		if r.Count.Type == intstr.String {
			var err error
			if count, err = strconv.ParseInt(r.Count.StrVal, 10, 64); err != nil {
				return fmt.Errorf("%s: count %q is not a number", r.Name, r.Count.StrVal)
			}
		}
		if r.Name == "" || strings.Contains(r.Name, "=") {
			return fmt.Errorf("%q is not the name of a workload", r.Name)
		}
		counts[r.Name] = types.Replica{Name: r.Name, Count: count}
	}
	for _, r := range k.Replicas {
		if _, ok := counts[r.Name]; !ok {
			counts[r.Name] = r
		}
	}
	k.Replicas = k.Replicas[:0:0]
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		k.Replicas = append(k.Replicas, counts[name])
	}
	return nil
}

//nolint:staticcheck // deprecated fields are what people have in their kustomizations
func (e edit) labels(ctx context.Context, k *types.Kustomization) error {
	if len(e.settings.CommonLabels) == 0 {
		return nil
	}
	if e.settings.LabelIncludeTemplates && !e.settings.LabelWithoutSelector {
		return fmt.Errorf("labelIncludeTemplates needs labelWithoutSelector, which is not set")
	}
	labels := make(map[string]string, len(e.settings.CommonLabels))
	for name, value := range e.settings.CommonLabels {
		var err error
		if labels[name], err = e.expand(ctx, value); err != nil {
			return err
		}
	}
	target := &k.CommonLabels
	if e.settings.LabelWithoutSelector {
		at := slices.IndexFunc(k.Labels, func(l types.Label) bool {
			return !l.IncludeSelectors && l.IncludeTemplates == e.settings.LabelIncludeTemplates
		})
		if at < 0 {
			k.Labels = append(k.Labels, types.Label{IncludeTemplates: e.settings.LabelIncludeTemplates})
			at = len(k.Labels) - 1
		}
		target = &k.Labels[at].Pairs
	}
	return addAll(target, labels, "label", e.settings.ForceCommonLabels, "forceCommonLabels")
}

func (e edit) annotations(ctx context.Context, k *types.Kustomization) error {
	if len(e.settings.CommonAnnotations) == 0 {
		return nil
	}
	annotations := maps.Clone(e.settings.CommonAnnotations)
	if e.settings.CommonAnnotationsEnvsubst {
		for name, value := range annotations {
			var err error
			if annotations[name], err = e.expand(ctx, value); err != nil {
				return err
			}
		}
	}
	return addAll(&k.CommonAnnotations, annotations, "annotation", e.settings.ForceCommonAnnotations, "forceCommonAnnotations")
}

// addAll adds to a map what is not there yet, or replaces it by force.
func addAll(to *map[string]string, add map[string]string, kind string, force bool, setting string) error {
	if *to == nil {
		*to = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(add)) {
		if _, there := (*to)[name]; there && !force {
			return fmt.Errorf("%s %s is already in the kustomization; set kustomize.%s to replace it", kind, name, setting)
		}
		(*to)[name] = unquote(add[name])
	}
	return nil
}

// unquote removes one pair of double quotes around a value, as `kustomize edit add` does.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

func (e edit) namespace(_ context.Context, k *types.Kustomization) error {
	if e.settings.Namespace == "" {
		return nil
	}
	if problems := validation.IsDNS1123Label(e.settings.Namespace); len(problems) > 0 {
		return fmt.Errorf("%q is not a valid namespace name: %s", e.settings.Namespace, strings.Join(problems, "; "))
	}
	k.Namespace = e.settings.Namespace
	return nil
}

func (e edit) patches(_ context.Context, k *types.Kustomization) error {
	for i, p := range e.settings.Patches {
		patch := types.Patch{Path: p.Path, Patch: p.Patch}
		if t := p.Target; t != nil {
			patch.Target = &types.Selector{
				ResId: resid.ResId{
					Gvk:  resid.Gvk{Group: t.Group, Version: t.Version, Kind: t.Kind},
					Name: t.Name, Namespace: t.Namespace,
				},
				AnnotationSelector: t.AnnotationSelector, LabelSelector: t.LabelSelector,
			}
		}
		for option, on := range p.Options {
			if patch.Options == nil {
				patch.Options = &types.PatchArgs{}
			}
			switch option {
			case "allowNameChange":
				patch.Options.AllowNameChange = on
			case "allowKindChange":
				patch.Options.AllowKindChange = on
			default:
				return fmt.Errorf("patch %d: there is no option %q, only allowNameChange and allowKindChange", i+1, option)
			}
		}
		k.Patches = append(k.Patches, patch)
	}
	return nil
}

// components may be patterns. Those of other repositories are added as they are.
func (e edit) components(_ context.Context, k *types.Kustomization) error {
	for _, c := range e.settings.Components {
		found := []string{c}
		if _, remote, _ := parseGit(c); !remote {
			var err error
			if found, err = e.glob(c); err != nil {
				return err
			}
		}
		if len(found) == 0 && !e.settings.IgnoreMissingComponents {
			return fmt.Errorf("%s: there is no such folder; correct it, or set kustomize.ignoreMissingComponents", c)
		}
		for _, name := range found {
			if !slices.Contains(k.Components, name) {
				k.Components = append(k.Components, name)
			}
		}
	}
	return nil
}

func (e edit) glob(pattern string) ([]string, error) {
	joined := path.Join(e.folder, pattern)
	if path.IsAbs(pattern) || !fs.ValidPath(joined) {
		return nil, fmt.Errorf("%s: the component lies outside of the repository", pattern)
	}
	if !strings.ContainsAny(pattern, `*?[\`) {
		if _, err := fs.Stat(e.files, joined); err != nil {
			return nil, ignoreMissing(err)
		}
		return []string{pattern}, nil
	}
	matches, err := fs.Glob(e.files, joined)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	for i, m := range matches {
		matches[i] = relative(e.folder, m)
	}
	return matches, nil
}
