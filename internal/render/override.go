package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// maxOverride bounds a file of overrides.
const maxOverride = 1 << 20

// overrideFiles are the files in a source's folder that change its parameters, the strongest last: for every application,
// and for the one of the request. Applications outside of the control plane's namespace have that in the name.
func overrideFiles(req Request) []string {
	names := []string{".argocd-source.yaml"}
	if isFilePart(req.AppName) {
		names = append(names, ".argocd-source-"+req.AppName+".yaml")
		if isFilePart(req.AppNamespace) {
			names = append(names, ".argocd-source-"+req.AppNamespace+"_"+req.AppName+".yaml")
		}
	}
	return names
}

// isFilePart reports whether a name of Kubernetes can be part of a file name.
func isFilePart(name string) bool {
	return name != "" && path.Base(name) == name && fs.ValidPath(name)
}

// overrideSource merges the files of overrides over the parameters of the source. They can change how it is rendered,
// and not what or from where.
func overrideSource(fsys fs.FS, req Request) (v1alpha1.ApplicationSource, error) {
	source := req.Source
	for _, base := range overrideFiles(req) {
		name := path.Join(source.Path, base)
		info, err := fs.Stat(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return source, fmt.Errorf("looking for overrides of the source: %w", err)
		}
		if info.Size() > maxOverride {
			return source, fmt.Errorf("%s: %w: it may have %d bytes", name, ErrTooLarge, maxOverride)
		}
		patch, err := fs.ReadFile(fsys, name)
		if err != nil {
			return source, fmt.Errorf("reading overrides of the source: %w", err)
		}
		if source, err = mergeSource(source, patch); err != nil {
			return source, fmt.Errorf("%s: %w", name, err)
		}
	}
	return source, nil
}

// mergeSource merges a JSON merge patch in YAML over the parameters of a source.
func mergeSource(source v1alpha1.ApplicationSource, text []byte) (v1alpha1.ApplicationSource, error) {
	if err := CheckAliases("overrides", text); err != nil {
		return source, err
	}
	patch, err := yaml.YAMLToJSON(text)
	if err != nil {
		return source, fmt.Errorf("%w: it is not valid YAML: %w", ErrInvalidSource, err)
	}
	if string(patch) == "null" {
		return source, nil // an empty file
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(patch, &fields); err != nil {
		return source, fmt.Errorf("%w: it is not a mapping of the source's fields", ErrInvalidSource)
	}
	allowed := map[string]json.RawMessage{}
	for _, key := range []string{"helm", "kustomize", "directory", "plugin"} {
		if value, ok := fields[key]; ok {
			allowed[key] = value
		}
	}
	before, err := json.Marshal(source)
	if err != nil {
		return source, fmt.Errorf("%w: %w", ErrInvalidSource, err)
	}
	if patch, err = json.Marshal(allowed); err != nil {
		return source, fmt.Errorf("%w: %w", ErrInvalidSource, err)
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return source, fmt.Errorf("%w: it cannot be merged over the source: %w", ErrInvalidSource, err)
	}
	var merged v1alpha1.ApplicationSource
	if err := json.Unmarshal(after, &merged); err != nil {
		return source, fmt.Errorf("%w: a field has a value of another type: %w", ErrInvalidSource, err)
	}
	return merged, nil
}
