package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Dispatcher checks the path of a source, finds its type and passes it on to the Renderer of that type. The path that
// those see is a valid path of the files, "." for the root.
type Dispatcher map[v1alpha1.ApplicationSourceType]Renderer

// SourceTypeOverlay is where a Dispatcher has the Renderer of the overlay layout, a Claimer. To everybody else such a
// source is one of the type Plugin.
const SourceTypeOverlay v1alpha1.ApplicationSourceType = "Overlay"

// Claimer is a Renderer that knows itself which sources are for it. It is asked about those whose type nobody has stated,
// and those for plugins.
type Claimer interface {
	Renderer
	// Claims reports whether the source is for it. The source's path is a valid path of the files.
	Claims(in Inputs, req Request) (bool, error)
}

// Render implements Renderer.
func (d Dispatcher) Render(ctx context.Context, in Inputs, req Request) (Result, error) {
	if req.Source.Chart != "" {
		req.Source.Path = "."
	}
	var err error
	if req.Source.Path, err = findPath(in.Files, req.Source.Path); err != nil {
		return Result{}, err
	}
	if req.Source, err = overrideSource(in.Files, req); err != nil {
		return Result{}, err
	}
	kind, err := explicitType(&req.Source)
	if err != nil {
		return Result{}, err
	}
	if req.Settings.disabled(kind) {
		kind = ""
	}
	if claimer, ok := d[SourceTypeOverlay].(Claimer); ok && (kind == "" || kind == v1alpha1.ApplicationSourceTypePlugin) {
		claimed, err := claimer.Claims(in, req)
		if err != nil {
			return Result{}, err
		}
		if claimed {
			result, err := claimer.Render(ctx, in, req)
			result.SourceType = v1alpha1.ApplicationSourceTypePlugin
			return result, err
		}
	}
	if kind == "" {
		if kind, err = d.discover(ctx, in, req); err != nil {
			return Result{}, err
		}
	}
	r := d[kind]
	if r == nil {
		return Result{}, &UnsupportedError{What: describe(kind), SourceType: kind}
	}
	result, err := r.Render(ctx, in, req)
	if err != nil {
		return Result{}, err
	}
	result.SourceType = kind
	return result, nil
}

// discover finds the type of a source that does not state it: a plugin's, when the rule of one takes the source, and
// else what the files are, without the types that are switched off.
func (d Dispatcher) discover(ctx context.Context, in Inputs, req Request) (v1alpha1.ApplicationSourceType, error) {
	if d[v1alpha1.ApplicationSourceTypePlugin] != nil {
		name, err := in.external().Discover(ctx, req.Source.Path)
		if err != nil {
			return "", fmt.Errorf("asking plugins whether they take the source: %w", err)
		}
		if name != "" {
			return v1alpha1.ApplicationSourceTypePlugin, nil
		}
	}
	if req.Source.Chart != "" && !req.Settings.disabled(v1alpha1.ApplicationSourceTypeHelm) {
		return v1alpha1.ApplicationSourceTypeHelm, nil
	}
	return detectType(in.Files, req.Source.Path, req.Settings)
}

func describe(kind v1alpha1.ApplicationSourceType) string {
	switch kind {
	case v1alpha1.ApplicationSourceTypeHelm:
		return "Helm charts"
	case v1alpha1.ApplicationSourceTypeKustomize:
		return "Kustomize folders"
	case v1alpha1.ApplicationSourceTypePlugin:
		return "by plugins"
	}
	return fmt.Sprintf("%s sources", kind)
}

// explicitType is the type that the source's own fields say, or empty.
func explicitType(s *v1alpha1.ApplicationSource) (v1alpha1.ApplicationSourceType, error) {
	var given []string
	for _, c := range []struct {
		is   bool
		kind v1alpha1.ApplicationSourceType
	}{
		{s.Kustomize != nil, v1alpha1.ApplicationSourceTypeKustomize},
		{s.Helm != nil, v1alpha1.ApplicationSourceTypeHelm},
		{s.Directory != nil, v1alpha1.ApplicationSourceTypeDirectory},
		{s.Plugin != nil, v1alpha1.ApplicationSourceTypePlugin},
	} {
		if c.is {
			given = append(given, string(c.kind))
		}
	}
	switch {
	case len(given) > 1:
		return "", fmt.Errorf("%w: multiple application sources defined: %s; keep one of these fields",
			ErrInvalidSource, strings.Join(given, ","))
	case len(given) == 1:
		return v1alpha1.ApplicationSourceType(given[0]), nil
	}
	return "", nil
}

// findPath checks that the source's path is a folder and brings it into the form that io/fs wants.
func findPath(fsys fs.FS, name string) (string, error) {
	if path.IsAbs(name) {
		return "", fmt.Errorf("%w: %s: app path is absolute; give it relative to the root of the repository", ErrInvalidSource, name)
	}
	clean := path.Clean(name) // an empty path is the root
	if !fs.ValidPath(clean) {
		return "", fmt.Errorf("%w: %s: app path outside root", ErrInvalidSource, name)
	}
	info, err := fs.Stat(fsys, clean)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: %w; check spec.source.path and targetRevision", name, ErrPathNotFound)
	case err != nil:
		return "", fmt.Errorf("looking for app path: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("%w: %s: app path is not a directory", ErrInvalidSource, name)
	}
	return clean, nil
}

// kustomizations are the file names that make a folder one for Kustomize.
func kustomizations() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// detectType looks at the files of the folder itself. Where a chart and a kustomization lie side by side the latter
// counts.
func detectType(fsys fs.FS, dir string, settings Settings) (v1alpha1.ApplicationSourceType, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return "", fmt.Errorf("finding the type of the source: %w", err)
	}
	kind := v1alpha1.ApplicationSourceTypeDirectory
	for _, e := range entries {
		switch {
		case e.IsDir():
		case slices.Contains(kustomizations(), e.Name()) && !settings.disabled(v1alpha1.ApplicationSourceTypeKustomize):
			return v1alpha1.ApplicationSourceTypeKustomize, nil
		case e.Name() == "Chart.yaml" && !settings.disabled(v1alpha1.ApplicationSourceTypeHelm):
			kind = v1alpha1.ApplicationSourceTypeHelm
		}
	}
	return kind, nil
}
