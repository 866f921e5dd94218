package renderers

import (
	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
	"github.com/fairlead-cd/fairlead/internal/render/jsonnet"
	"github.com/fairlead-cd/fairlead/internal/render/kustomize"
	"github.com/fairlead-cd/fairlead/internal/render/overlay"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/render/sops"
)

// New gives the renderer of all types. Charts that were read are kept by their content, and shared by all that render
// charts.
func New() render.Renderer {
	engine := helm.New(helm.Options{})
	return sops.Guard(render.Dispatcher{
		v1alpha1.ApplicationSourceTypeDirectory: render.Directory{
			Decrypt: sops.Decrypt, Jsonnet: jsonnet.Evaluator{Decrypt: sops.Decrypt}.Evaluate,
		},
		v1alpha1.ApplicationSourceTypeHelm:      helm.Renderer{Engine: engine, Decrypt: sops.Decrypt},
		v1alpha1.ApplicationSourceTypeKustomize: kustomize.Renderer{Charts: engine, Decrypt: sops.Decrypt},
		v1alpha1.ApplicationSourceTypePlugin:    plugin.Renderer{},
		render.SourceTypeOverlay:                overlay.Renderer{Engine: engine, Decrypt: sops.Decrypt},
	})
}
