package jsonnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/google/go-jsonnet"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// ErrEvaluation means that a Jsonnet file cannot be evaluated.
var ErrEvaluation = errors.New("evaluating Jsonnet")

// Limits of one evaluation. Time and memory are bounded from outside.
const (
	maxStack   = 500
	maxOutput  = 64 << 20
	maxImports = 10_000
	maxImport  = 16 << 20
)

// Evaluator evaluates files. It keeps nothing between calls.
type Evaluator struct {
	// Decrypt gives the plain content of an encrypted file that is imported, and any other content as it is; nil does so
	// always.
	Decrypt func(ctx context.Context, in render.Inputs, name string, content []byte) ([]byte, error)
}

// Evaluate gives the JSON that a file evaluates to. It is what render.Directory wants to be told.
func (e Evaluator) Evaluate(ctx context.Context, in render.Inputs, req render.Request, name string) ([]byte, error) {
	settings := v1alpha1.ApplicationSourceJsonnet{}
	if req.Source.Directory != nil {
		settings = req.Source.Directory.Jsonnet
	}
	imports := &importer{ctx: ctx, in: in, decrypt: e.Decrypt, known: map[string]*imported{}}
	if err := imports.search(req.Source.Path, settings.Libs); err != nil {
		return nil, err
	}
	vm := jsonnet.MakeVM()
	vm.MaxStack = maxStack
	vm.SetTraceOut(io.Discard)
	vm.Importer(imports)
	vm.ErrorFormatter.SetMaxStackTraceSize(4)
	environment := render.Environment(ctx, in, req)
	for _, v := range settings.ExtVars {
		text, err := environment.Expand(v.Value)
		if err != nil {
			return nil, err
		}
		if v.Code {
			vm.ExtCode(v.Name, text)
		} else {
			vm.ExtVar(v.Name, text)
		}
	}
	for _, v := range settings.TLAs {
		text, err := environment.Expand(v.Value)
		if err != nil {
			return nil, err
		}
		if v.Code {
			vm.TLACode(v.Name, text)
		} else {
			vm.TLAVar(v.Name, text)
		}
	}
	// The path as from the root of the repository: it is no import, so that nothing is searched for.
	out, err := vm.EvaluateFile("/" + name)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case imports.failure != nil:
		return nil, fmt.Errorf("%s: %w", name, imports.failure)
	case err != nil && imports.secret:
		return nil, fmt.Errorf("%w: %s fails; why is not shown, because it works with decrypted files", ErrEvaluation, name)
	case err != nil:
		return nil, fmt.Errorf("%w: %s", ErrEvaluation, oneLine(err.Error()))
	case len(out) > maxOutput:
		return nil, fmt.Errorf("%s: %w: it evaluates to more than %d bytes", name, render.ErrTooLarge, maxOutput)
	}
	return []byte(out), nil
}

// oneLine puts Jsonnet's message and stack trace into one line, with paths as they are in the repository.
func oneLine(message string) string {
	var parts []string
	for line := range strings.Lines(message) {
		line = strings.Join(strings.Fields(line), " ")
		line = strings.TrimPrefix(line, "RUNTIME ERROR: ")
		if line == "" {
			continue
		}
		parts = append(parts, strings.ReplaceAll(strings.TrimPrefix(line, "/"), " /", " "))
	}
	const most = 2000
	text := strings.Join(parts, " at ")
	return text[:min(len(text), most)]
}

// inRoot brings a path into the form of io/fs, if it stays inside of the repository.
func inRoot(name string) (string, error) {
	clean := path.Clean(name)
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("%w: %s leads out of the repository", render.ErrInvalidSource, name)
	}
	return clean, nil
}
