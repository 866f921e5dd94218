package worker_test

import (
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/renderers"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
)

// BenchmarkPool renders a folder of five manifests, in this process and in a worker: about eight questions.
func BenchmarkPool(b *testing.B) {
	for name, r := range map[string]render.Renderer{"in process": renderers.New(), "worker": newPool(b, worker.Options{})} {
		b.Run(name, func(b *testing.B) {
			in := render.Inputs{Files: five()}
			for b.Loop() {
				if _, err := r.Render(b.Context(), in, app("web")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
