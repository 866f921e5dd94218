package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// Renderer renders sources of the type Plugin.
type Renderer struct{}

var _ render.Renderer = Renderer{}

// Render implements render.Renderer.
func (Renderer) Render(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
	p := req.Source.Plugin
	env, err := environment(render.Environment(ctx, in, req), p)
	if err != nil {
		return render.Result{}, err
	}
	call := render.PluginCall{Path: req.Source.Path, Env: env}
	name := "the plugin"
	if p != nil {
		call.Name = p.Name
		if call.Parameters, err = json.Marshal(p.Parameters); err != nil {
			return render.Result{}, fmt.Errorf("encoding the plugin's parameters: %w", err)
		}
		if p.Name != "" {
			name = "plugin " + p.Name
		}
	}
	external := in.External
	if external == nil {
		external = render.NoExternal{}
	}
	out, err := external.Generate(ctx, call)
	if err != nil {
		return render.Result{}, err
	}
	objects, err := parse("output of "+name, out)
	if err != nil {
		return render.Result{}, err
	}
	return render.Result{Objects: objects, SourceType: v1alpha1.ApplicationSourceTypePlugin}, nil
}

// parse reads what a plugin has printed. Unlike a file of a repository it has to be manifests and nothing else.
func parse(what string, out []byte) ([]render.Object, error) {
	objects, ignored, err := render.ParseManifests(what, documents(out))
	if err == nil && ignored != "" {
		err = fmt.Errorf("%w: %s has something in it that is no manifest: %s; a plugin has to print manifests alone, and anything else to its standard error output",
			render.ErrInvalidManifest, what, ignored)
	}
	return objects, err
}

// documents makes YAML documents of an output that is one JSON value after another. Others it leaves as they are.
func documents(out []byte) []byte {
	if trimmed := bytes.TrimSpace(out); len(trimmed) == 0 || trimmed[0] != '{' {
		return out
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	var separated bytes.Buffer
	for {
		var one json.RawMessage
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return separated.Bytes()
		}
		if err != nil {
			return out
		}
		if separated.Len() > 0 {
			separated.WriteString("\n---\n")
		}
		if json.Compact(&separated, one) != nil { // indented with tabs, which YAML does not allow
			return out
		}
	}
}
