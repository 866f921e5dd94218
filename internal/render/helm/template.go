package helm

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	chartv2util "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// Release is what a chart is rendered for.
type Release struct {
	// Name and Namespace of the release.
	Name, Namespace string
	// KubeVersion is .Capabilities.KubeVersion, such as 1.36.3; empty is the version of Helm's Kubernetes libraries.
	KubeVersion string
	// APIVersions replace those of the destination, if not nil. Helm's built-in ones are always there.
	APIVersions []string
	// IncludeCRDs gives what lies in the folders crds too.
	IncludeCRDs bool
	// SkipTests leaves out test hooks, SkipHooks all hooks.
	SkipTests, SkipHooks bool
	// SkipSchemaValidation renders without a look at values.schema.json.
	SkipSchemaValidation bool
}

// Manifest is one rendered document, or one file of a folder crds.
type Manifest struct {
	// File within the chart: templates/a.yaml, or charts/sub/templates/a.yaml for a dependency, wherever it comes from.
	File string
	// Content is YAML; of a CRD file it may be several documents, or JSON by the file's extension.
	Content string
	// CRD says that it is a file of a folder crds.
	CRD bool
	// Hook says that it has the annotation helm.sh/hook.
	Hook bool
}

// Template renders a chart as `helm template` does: CRDs, then objects in the order of installation, then hooks.
// Dependencies that are not vendored in charts/ are got from where the chart says. Values are not changed.
func (e *Engine) Template(ctx context.Context, in render.Inputs, c Chart, values map[string]any, release Release) ([]Manifest, error) {
	manifests, err := e.template(ctx, in, c, values, release, e.templates.execute)
	if errors.Is(err, ErrTemplate) && ctx.Err() == nil {
		// What fails is Helm's to describe. Templates may have changed what they were given, so all of it is made anew.
		return e.template(ctx, in, c, values, release, func(root *chartv2.Chart, scope common.Values) (map[string]string, error) {
			return engine.Engine{}.RenderWithContext(ctx, root, scope)
		})
	}
	return manifests, err
}

// executor gives the text of each template of a chart under its full name.
type executor func(root *chartv2.Chart, scope common.Values) (map[string]string, error)

func (e *Engine) template(ctx context.Context, in render.Inputs, c Chart, values map[string]any, release Release, execute executor) ([]Manifest, error) {
	if err := chartv2util.ValidateReleaseName(release.Name); err != nil {
		return nil, fmt.Errorf("%w: release name %q: %w", render.ErrInvalidSource, release.Name, err)
	}
	r := resolver{engine: e, from: external(in), schemas: map[*byte]*schema{}}
	root, err := r.assemble(ctx, c.parsed, c.home, 0)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", c.Name(), err)
	}
	if kind := root.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("%w: chart %s: %s charts are not installable", render.ErrInvalidSource, c.Name(), kind)
	}
	scope, err := r.scope(ctx, root, values, release)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", c.Name(), err)
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	files, err := execute(root, scope)
	if err != nil {
		return nil, templateError(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return e.collect(root, files, release)
}

// scope makes the values that templates see: processed dependencies, merged and validated values, .Capabilities.
func (r *resolver) scope(ctx context.Context, root *chartv2.Chart, values map[string]any, release Release) (common.Values, error) {
	if err := chartv2util.ProcessDependencies(root, values); err != nil {
		return nil, fmt.Errorf("%w: processing dependencies: %w", render.ErrInvalidSource, err)
	}
	capabilities, err := newCapabilities(ctx, r.from, release, r.listsAPIs || mentionsAPIs(values))
	if err != nil {
		return nil, err
	}
	wanted := root.Metadata.KubeVersion
	if wanted != "" && !chartv2util.IsCompatibleRange(wanted, capabilities.KubeVersion.String()) {
		return nil, fmt.Errorf("%w: chart requires kubeVersion: %s which is incompatible with Kubernetes %s",
			render.ErrInvalidSource, wanted, capabilities.KubeVersion.Version)
	}
	options := common.ReleaseOptions{Name: release.Name, Namespace: release.Namespace, Revision: 1, IsInstall: true}
	scope, err := chartutil.ToRenderValuesWithSchemaValidation(root, values, options, capabilities.Capabilities, true)
	if err != nil {
		return nil, fmt.Errorf("%w: merging values: %w", render.ErrInvalidSource, err)
	}
	scope["Capabilities"] = capabilities
	if release.SkipSchemaValidation {
		return scope, nil
	}
	merged, err := scope.Table("Values")
	if err != nil {
		return nil, fmt.Errorf("merging values: %w", err)
	}
	return scope, r.validate(root, merged)
}

const notesName = "NOTES.txt"

// collect puts what the templates gave into the order of `helm template`.
func (e *Engine) collect(root *chartv2.Chart, files map[string]string, release Release) ([]Manifest, error) {
	var out []Manifest
	left := e.o.MaxOutputBytes
	within := func(name string) string {
		_, inner, _ := strings.Cut(name, "/")
		return inner
	}
	if release.IncludeCRDs {
		for _, crd := range root.CRDObjects() {
			left -= int64(len(crd.File.Data))
			out = append(out, Manifest{File: within(crd.Filename), Content: string(crd.File.Data), CRD: true})
		}
	}
	for name, content := range files {
		if left -= int64(len(content)); strings.HasSuffix(name, notesName) || strings.HasPrefix(path.Base(name), "_") {
			delete(files, name)
		}
	}
	if left < 0 {
		return nil, fmt.Errorf("%w: chart %s gives more than %d bytes", render.ErrTooLarge, root.Name(), e.o.MaxOutputBytes)
	}
	documents, hooks, err := sortDocuments(files)
	if err != nil {
		return nil, err
	}
	for _, d := range documents {
		out = append(out, Manifest{File: within(d.file), Content: d.text})
	}
	for _, d := range hooks {
		if !release.SkipHooks && !(release.SkipTests && d.isTest) {
			out = append(out, Manifest{File: within(d.file), Content: d.text, Hook: true})
		}
	}
	return out, nil
}
