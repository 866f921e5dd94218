package helm

import (
	"context"
	"fmt"
	"path"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// Renderer renders sources of the type Helm.
type Renderer struct {
	// Engine that renders charts.
	Engine *Engine
	// Decrypt is given every value file and every file of a file parameter, and returns it as it is meant; nil returns
	// all as they are. name is for errors.
	Decrypt func(ctx context.Context, in render.Inputs, name string, content []byte) ([]byte, error)
}

var _ render.Renderer = Renderer{}

// Render implements render.Renderer. The source's path must be a valid path of the files.
func (r Renderer) Render(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
	if in.External == nil {
		in.External = render.NoExternal{}
	}
	settings := v1alpha1.ApplicationSourceHelm{}
	if req.Source.Helm != nil {
		settings = *req.Source.Helm
	}
	if v := settings.Version; v != "" && v != "v3" {
		return render.Result{}, fmt.Errorf("%w: helm.version %q is not known; leave it out, or give v3", render.ErrInvalidSource, v)
	}
	s := source{
		renderer: r, ctx: ctx, in: in, dir: req.Source.Path, settings: settings,
		env: render.Environment(ctx, in, req), schemes: req.Settings.ValuesFileSchemes,
	}
	chart, err := r.Engine.Folder(in.Files, s.dir)
	if err != nil {
		return render.Result{}, err
	}
	values, err := s.values()
	if err != nil {
		return render.Result{}, err
	}
	manifests, err := r.Engine.Template(ctx, in, chart, values, releaseOf(settings, req))
	if err != nil {
		return render.Result{}, err
	}
	var result render.Result
	for _, m := range manifests {
		objects, err := m.Objects(s.dir)
		if err != nil {
			return render.Result{}, err
		}
		result.Objects = append(result.Objects, objects...)
	}
	return result, nil
}

// releaseOf says what to render for.
func releaseOf(settings v1alpha1.ApplicationSourceHelm, req render.Request) Release {
	release := Release{
		Name: settings.ReleaseName, Namespace: settings.Namespace, KubeVersion: settings.KubeVersion,
		IncludeCRDs: !settings.SkipCrds, SkipTests: settings.SkipTests, SkipSchemaValidation: settings.SkipSchemaValidation,
	}
	if release.Name == "" {
		release.Name = req.AppName
	}
	if release.Namespace == "" {
		release.Namespace = req.Namespace
	}
	if release.KubeVersion == "" {
		release.KubeVersion = req.KubeVersion
	}
	if len(settings.APIVersions) > 0 {
		release.APIVersions = settings.APIVersions
	}
	return release
}

// Objects parses the manifest. dir is the chart's folder in its repository, so that objects name their file there.
func (m Manifest) Objects(dir string) ([]render.Object, error) {
	file := path.Join(dir, m.File)
	if !m.CRD {
		return render.ParseRendered(file, []byte(m.Content))
	}
	objects, ignored, err := render.ParseManifests(file, []byte(m.Content))
	if ignored != "" {
		return nil, &render.ManifestError{File: file, Line: 1, Problem: ignored}
	}
	return objects, err
}
