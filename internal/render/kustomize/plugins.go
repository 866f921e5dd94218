package kustomize

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// plugins rewrites generators, transformers and validators. What they are configured by may name files and URLs just as
// a kustomization may, so Kustomize gets it only after every document has been read here and written again.
func (r rewriter) plugins(k *types.Kustomization) error {
	for _, list := range []struct {
		field   string
		entries *[]string
	}{
		{"generators", &k.Generators}, {"transformers", &k.Transformers}, {"validators", &k.Validators},
	} {
		var rewritten []string
		for _, entry := range *list.entries {
			name, err := r.plugin(k, list.field, entry)
			if err != nil {
				return r.errorf(list.field, err)
			}
			if name != "" {
				rewritten = append(rewritten, name)
			}
		}
		*list.entries = rewritten
	}
	return nil
}

// plugin gives what stands in the place of an entry: a file of ours, or nothing when it had charts alone.
func (r rewriter) plugin(k *types.Kustomization, field, entry string) (string, error) {
	content, shown, err := r.configuration(field, entry)
	if err != nil {
		return "", err
	}
	documents, err := r.documents(shown, content)
	if err != nil {
		return "", err
	}
	var out []byte
	for _, d := range documents {
		chart, err := r.builtin(field, d)
		if err != nil {
			return "", fmt.Errorf("%s: %w", shown, err)
		}
		if chart != nil {
			if err := r.inflateOne(k, chart.HelmGlobals, chart.HelmChart); err != nil {
				return "", fmt.Errorf("%s: %w", shown, err)
			}
			continue
		}
		text, err := yaml.Marshal(d)
		if err != nil {
			return "", fmt.Errorf("%s: %w", shown, err)
		}
		out = append(append(out, "---\n"...), text...)
	}
	if out == nil {
		return "", nil
	}
	base := "inline.yaml"
	if !isInline(entry) {
		base = path.Base(entry)
	}
	virtual := r.number(r.mount, r.dir, base, shown, out)
	return r.at(virtual), nil
}

// configuration gives the documents of an entry: inline, of a file, or built from a kustomization of its own.
func (r rewriter) configuration(field, entry string) (content []byte, shown string, err error) {
	if isInline(entry) {
		return []byte(entry), "inline configuration", nil
	}
	t, err := r.resolve(entry, false)
	if err != nil {
		return nil, "", err
	}
	if t.file {
		content, err = r.fs.ReadFile(t.virtual)
		return content, r.fs.display(t.virtual), err
	}
	objects, err := r.build(t.virtual)
	if err != nil {
		return nil, "", fmt.Errorf("%s: building the configuration of %s: %w", entry, field, err)
	}
	content, err = objects.AsYaml()
	return content, r.fs.display(t.virtual), err
}

// documents reads objects as Kustomize does; shown names the text for errors.
func (r rewriter) documents(shown string, content []byte) ([]map[string]any, error) {
	if err := render.CheckFileAliases(shown, content); err != nil {
		return nil, err
	}
	nodes, err := kio.FromBytes(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown, &buildError{err.Error()})
	}
	var all []map[string]any
	for _, n := range nodes {
		if n.IsNilOrEmpty() {
			continue
		}
		d, err := n.Map()
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", shown, render.ErrInvalidManifest, err)
		}
		all = append(all, d)
	}
	return all, nil
}

// legacyChart is the configuration of the plugin that inflates a chart.
type legacyChart struct {
	types.HelmGlobals
	types.HelmChart
}

// builtin rewrites the files that the configuration of a built-in plugin names. Of a chart it gives what to inflate.
func (r rewriter) builtin(field string, d map[string]any) (*legacyChart, error) {
	kind, _ := d["kind"].(string)
	if apiVersion, _ := d["apiVersion"].(string); apiVersion != konfig.BuiltinPluginApiVersion {
		return nil, fmt.Errorf("%w: %s %s is a plugin that runs a program or a container; "+
			"use a built-in plugin, or a config management plugin for the whole source", render.ErrUnsupported, apiVersion, kind)
	}
	switch kind {
	case "HelmChartInflationGenerator":
		var chart legacyChart
		text, err := yaml.Marshal(d)
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text, &chart); err != nil {
			return nil, fmt.Errorf("%w: %w", render.ErrInvalidManifest, err)
		}
		return &chart, nil
	case "ConfigMapGenerator", "SecretGenerator":
		return nil, r.generator(field, d)
	case "PatchTransformer", "PatchJson6902Transformer":
		return nil, r.eachString(d, []string{"path"}, field)
	case "PatchStrategicMergeTransformer":
		return nil, r.eachString(d, []string{"paths"}, field)
	case "ReplacementTransformer":
		for key, value := range d {
			list, ok := value.([]any)
			if !ok || !strings.EqualFold(key, "replacements") {
				continue
			}
			for _, item := range list {
				if item, ok := item.(map[string]any); ok {
					if err := r.eachString(item, []string{"path"}, field); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	return nil, nil
}

// eachString rewrites the strings, or lists of strings, that stand under some keys. JSON's decoder takes keys whatever
// their case, so this does too.
func (r rewriter) eachString(d map[string]any, keys []string, field string) error {
	for key, value := range d {
		if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
			continue
		}
		switch value := value.(type) {
		case string:
			if err := r.optional(field, &value); err != nil {
				return err
			}
			d[key] = value
		case []any:
			for i, item := range value {
				text, ok := item.(string)
				if !ok || isInline(text) {
					continue
				}
				rewritten, err := r.one(field, text)
				if err != nil {
					return err
				}
				value[i] = rewritten
			}
		}
	}
	return nil
}

// generator rewrites the files of a generator's configuration.
func (r rewriter) generator(field string, d map[string]any) error {
	if err := r.eachString(d, []string{"env", "envs"}, field); err != nil {
		return err
	}
	for key, value := range d {
		list, ok := value.([]any)
		if !ok || !strings.EqualFold(key, "files") {
			continue
		}
		sources := types.KvPairSources{}
		for _, item := range list {
			text, ok := item.(string)
			if !ok {
				return fmt.Errorf("%w: files of a generator must be strings", render.ErrInvalidManifest)
			}
			sources.FileSources = append(sources.FileSources, text)
		}
		if err := r.sources(field, &sources); err != nil {
			return err
		}
		for i, text := range sources.FileSources {
			list[i] = text
		}
	}
	return nil
}
