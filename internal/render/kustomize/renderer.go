package kustomize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// WarningVersion means that the Application asks for a version of Kustomize that the installation would have to bring.
const WarningVersion render.WarningReason = "KustomizeVersion"

// Renderer renders sources of the type Kustomize.
type Renderer struct {
	// Charts inflates Helm charts where the operator allows it. nil: charts are refused.
	Charts *helm.Engine
	// Decrypt gives what stands in a file that may be encrypted. It is called with every file that Kustomize reads but
	// kustomizations; name is relative to the root of in.Files, which is the repository that the file is of, and the URL
	// of a file that was downloaded. nil: files are as they are.
	Decrypt func(ctx context.Context, in render.Inputs, name string, content []byte) ([]byte, error)
}

var _ render.Renderer = Renderer{}

// Render implements render.Renderer. The source's path must be a valid path of the files.
func (r Renderer) Render(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
	var settings v1alpha1.ApplicationSourceKustomize
	if req.Source.Kustomize != nil {
		settings = *req.Source.Kustomize
	}
	key, flags := "kustomize.buildOptions", req.Settings.KustomizeBuildOptions
	if own, ok := req.Settings.KustomizeVersionOptions[settings.Version]; ok {
		key, flags = key+"."+settings.Version, own
	}
	options, err := parseFlags(flags)
	if err != nil {
		return render.Result{}, fmt.Errorf("%w: %s in argocd-cm: %w", render.ErrInvalidSource, key, err)
	}
	options.helm = options.helm && r.Charts != nil
	options.kubeVersion = cmp.Or(settings.KubeVersion, req.KubeVersion, options.kubeVersion)
	if in.External == nil {
		in.External = render.NoExternal{}
	}
	p := &preparer{
		ctx: ctx, fs: newFilesystem(ctx, in, r.Decrypt), external: in.External, options: options,
		charts: chartRenderer{engine: r.Charts, given: settings.APIVersions, more: options.apiVersions},
		ready:  map[string]bool{}, downloads: map[string]string{},
	}
	result, err := p.render(in, req, settings)
	if err != nil {
		return render.Result{}, err
	}
	if _, known := req.Settings.KustomizeVersionOptions[settings.Version]; settings.Version != "" && !known {
		result.Warnings = append(result.Warnings, render.Warning{
			Reason: WarningVersion,
			Message: fmt.Sprintf("kustomize.version %s is ignored: there is one version of Kustomize, and it is built in; remove the field",
				settings.Version),
		})
	}
	return result, nil
}

// render prepares, builds and traces.
func (p *preparer) render(in render.Inputs, req render.Request, settings v1alpha1.ApplicationSourceKustomize) (render.Result, error) {
	root := p.fs.add(mount{fsys: in.Files})
	dir, _, err := follow(in.Files, req.Source.Path)
	if err != nil {
		return render.Result{}, fmt.Errorf("looking for the kustomization: %w", err)
	}
	environment := render.Environment(p.ctx, in, req)
	e := edit{
		settings: settings, files: in.Files, folder: dir,
		expand: func(_ context.Context, text string) (string, error) { return environment.Expand(text) },
	}
	err = p.folder(root, dir, func(k *types.Kustomization) error {
		k.BuildMetadata = slices.DeleteFunc(k.BuildMetadata, func(option string) bool {
			p.options.managedBy = p.options.managedBy || option == types.ManagedByLabelOption
			return option == types.ManagedByLabelOption
		})
		return e.apply(p.ctx, k)
	})
	if err != nil {
		return render.Result{}, p.explain(err)
	}
	objects, err := p.build(root.virtual(dir))
	if err != nil {
		return render.Result{}, p.explain(err)
	}
	return p.result(objects, root, dir)
}

// explain prefers what went wrong in reading to what Kustomize made of it, and brings messages into the user's terms.
func (p *preparer) explain(err error) error {
	if p.fs.failure != nil {
		err = p.fs.failure
	}
	if own := (*buildError)(nil); errors.As(err, &own) {
		own.message = p.shorten(own.message)
	}
	return err
}
