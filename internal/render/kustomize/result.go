package kustomize

import (
	"errors"
	"fmt"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// result makes objects out of what Kustomize built.
func (p *preparer) result(objects resmap.ResMap, root *mount, dir string) (render.Result, error) {
	all := objects.Resources()
	if len(all) > maxObjects {
		return render.Result{}, fmt.Errorf("%w: the kustomization gives more than %d objects", render.ErrTooLarge, maxObjects)
	}
	places := p.fs.trace.of(all)
	result := render.Result{Objects: make([]render.Object, 0, len(all))}
	size := 0
	for i, r := range all {
		if p.ctx.Err() != nil {
			return render.Result{}, p.ctx.Err()
		}
		text, err := r.MarshalJSON()
		if err != nil {
			return render.Result{}, fmt.Errorf("%w: %s %s: %w", render.ErrInvalidManifest, r.GetKind(), r.GetName(), err)
		}
		if size += len(text); size > maxOutput {
			return render.Result{}, fmt.Errorf("%w: the kustomization gives more than %d bytes", render.ErrTooLarge, maxOutput)
		}
		at := places[i]
		if at.file == "" {
			at = place{file: p.own}
		}
		// Kustomize's output is JSON in a YAML dress.
		found, _, err := render.ParseManifests("object.json", text)
		var failure *render.ManifestError
		if errors.As(err, &failure) {
			return render.Result{}, fmt.Errorf("%s: %w: %s", at.file, render.ErrInvalidManifest, failure.Problem)
		}
		if err != nil {
			return render.Result{}, fmt.Errorf("%s: %w", at.file, err)
		}
		for _, o := range found {
			o.File, o.Line = at.file, at.line
			p.restoreOrigins(o.Object, root, dir)
			if p.options.managedBy {
				label(o.Object)
			}
			result.Objects = append(result.Objects, o)
		}
	}
	return result, nil
}

// Version is that of the kustomize program which gives the same results.
const Version = "v5.8.2"

// label says that Kustomize manages an object. The library would put down the version of whichever program it is
// part of.
func label(content map[string]any) {
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return
	}
	labels, ok := metadata["labels"].(map[string]any)
	if !ok {
		labels = map[string]any{}
		metadata["labels"] = labels
	}
	labels[konfig.ManagedbyLabelKey] = "kustomize-" + Version
}
