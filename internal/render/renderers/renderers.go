package renderers

import (
	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// New gives the renderer of all types.
func New() render.Renderer {
	return render.Dispatcher{v1alpha1.ApplicationSourceTypeDirectory: render.Directory{}}
}
