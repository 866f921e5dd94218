package sops

import (
	"context"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// redactorKey is where Decrypt finds the Redactor of a rendering.
type redactorKey struct{}

// Guard makes a Renderer whose errors and warnings have nothing in them of what [Decrypt] decrypted on the way, whatever
// the library that the text is from. Put it around everything that is given Decrypt.
func Guard(next render.Renderer) render.Renderer {
	return render.RendererFunc(func(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
		r := &Redactor{}
		result, err := next.Render(context.WithValue(ctx, redactorKey{}, r), in, req)
		if err != nil {
			return render.Result{}, r.Error(err)
		}
		for i := range result.Warnings {
			result.Warnings[i].Message = r.Text(result.Warnings[i].Message)
		}
		return result, nil
	})
}
