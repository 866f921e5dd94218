package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/gobwas/glob"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// skipMarker anywhere in a file leaves the file out.
const skipMarker = "+argocd:skip-file-rendering"

// Directory renders folders of plain manifests: YAML, JSON and Jsonnet.
type Directory struct {
	// Decrypt gives the plain content of an encrypted file, and any other content as it is; nil does so always. Its
	// errors must not contain what it decrypted.
	Decrypt func(ctx context.Context, in Inputs, name string, content []byte) ([]byte, error)
	// Jsonnet evaluates a Jsonnet file of the source to JSON; nil where there is no Jsonnet.
	Jsonnet func(ctx context.Context, in Inputs, req Request, name string) ([]byte, error)
}

// Render implements Renderer. The source's path must be a valid path of the files.
func (d Directory) Render(ctx context.Context, in Inputs, req Request) (Result, error) {
	settings := v1alpha1.ApplicationSourceDirectory{}
	if req.Source.Directory != nil {
		settings = *req.Source.Directory
	}
	w := walk{ctx: ctx, fsys: in.Files, root: req.Source.Path, settings: settings, limit: req.Settings.MaxManifestBytes,
		noJsonnet: req.Settings.disabled(v1alpha1.ApplicationSourceTypeDirectory)}
	w.decrypt = func(name string, content []byte) ([]byte, error) {
		if d.Decrypt == nil {
			return content, nil
		}
		return d.Decrypt(ctx, in, name, content)
	}
	w.jsonnet = func(name string) ([]byte, error) {
		if d.Jsonnet == nil {
			return nil, fmt.Errorf("%s: %w", name, &UnsupportedError{What: "Jsonnet", SourceType: v1alpha1.ApplicationSourceTypeDirectory})
		}
		return d.Jsonnet(ctx, in, req, name)
	}
	var err error
	if w.include, err = compile("include", settings.Include); err != nil {
		return Result{}, err
	}
	if w.exclude, err = compile("exclude", settings.Exclude); err != nil {
		return Result{}, err
	}
	if err := fs.WalkDir(in.Files, w.root, w.visit); err != nil {
		return Result{}, err
	}
	return w.result, nil
}

// compile reads a pattern. An empty one gives nil.
func compile(field, pattern string) (func(string) bool, error) {
	if pattern == "" {
		return nil, nil
	}
	g, err := glob.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("%w: directory.%s: pattern %q cannot be read: %w", ErrInvalidSource, field, pattern, err)
	}
	return g.Match, nil
}

// walk is one rendering of a folder.
type walk struct {
	ctx              context.Context
	fsys             fs.FS
	root             string
	settings         v1alpha1.ApplicationSourceDirectory
	include, exclude func(string) bool
	limit, size      int64
	decrypt          func(name string, content []byte) ([]byte, error)
	jsonnet          func(name string) ([]byte, error)
	noJsonnet        bool // the operator has switched it off
	result           Result
}

func (w *walk) visit(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return fmt.Errorf("listing manifests: %w", err)
	}
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	if d.IsDir() {
		if name != w.root && !w.settings.Recurse {
			return fs.SkipDir
		}
		return nil
	}
	if !w.settings.DisableExtensionFilter && !isManifestName(name) || path.Ext(name) == ".libsonnet" {
		return nil
	}
	// Patterns see the path below the source's folder, and their asterisks match slashes too.
	relative := name
	if w.root != "." {
		relative = strings.TrimPrefix(name, w.root+"/")
	}
	if w.exclude != nil && w.exclude(relative) || w.include != nil && !w.include(relative) {
		return nil
	}
	if d.Type()&fs.ModeSymlink != 0 {
		if file, err := w.follow(name); err != nil || !file {
			return err
		}
	}
	return w.add(name)
}

func isManifestName(name string) bool {
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json", ".jsonnet":
		return true
	}
	return false
}

// follow reports whether a symbolic link leads to a file. Other links are left out with a warning, as long as they stay
// inside the repository.
func (w *walk) follow(name string) (bool, error) {
	info, err := fs.Stat(w.fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.ignore(name, "the destination of the symbolic link is missing")
		return false, nil
	case err != nil:
		return false, fmt.Errorf("following symbolic link: %w", err)
	case !info.Mode().IsRegular():
		w.ignore(name, "the symbolic link does not lead to a file")
		return false, nil
	}
	return true, nil
}

func (w *walk) ignore(name, why string) {
	w.result.Warnings = append(w.result.Warnings, Warning{
		Reason: WarningIgnored, File: name, Message: fmt.Sprintf("%s is ignored: %s", name, why),
	})
}

func (w *walk) add(name string) error {
	content, err := fs.ReadFile(w.fsys, name)
	if err != nil {
		return fmt.Errorf("reading manifest: %w", err)
	}
	if bytes.Contains(content, []byte(skipMarker)) {
		return nil
	}
	w.size += int64(len(content))
	if w.limit > 0 && w.size > w.limit {
		return fmt.Errorf("%w: exceeded max combined manifest file size of %d bytes at %s; "+
			"split the application, or raise reposerver.max.combined.directory.manifests.size", ErrTooLarge, w.limit, name)
	}
	if path.Ext(name) == ".jsonnet" {
		if w.noJsonnet {
			w.ignore(name, "Jsonnet is switched off in this installation (jsonnet.enable)")
			return nil
		}
		return w.evaluate(name)
	}
	plain, err := w.decrypt(name, content)
	if err != nil {
		return err
	}
	objects, ignored, err := ParseManifests(name, plain)
	if err != nil {
		if !bytes.Equal(plain, content) {
			return hideProblem(name, err)
		}
		return err
	}
	w.result.Objects = append(w.result.Objects, objects...)
	if ignored != "" {
		w.ignore(name, ignored)
	}
	return nil
}

// hideProblem takes everything out of an error about a decrypted file that could be from its content.
func hideProblem(name string, err error) error {
	at := &ManifestError{File: name, Line: 1}
	if found, ok := errors.AsType[*ManifestError](err); ok {
		at.Line, at.Document = found.Line, found.Document
	}
	at.Problem = "what it decrypts to is not a valid manifest; look at it with `sops decrypt`"
	return at
}

// evaluate adds what a Jsonnet file gives: an object, or an array of objects.
func (w *walk) evaluate(name string) error {
	content, err := w.jsonnet(name)
	if err != nil {
		return err
	}
	objects, ignored, err := parseJSON(name, content)
	if found, ok := errors.AsType[*ManifestError](err); ok {
		found.Line = 1 // of the file; lines of the result mean nothing to anybody
	}
	if err == nil && ignored != "" {
		err = &ManifestError{File: name, Line: 1, Problem: "the result must be an object or an array of objects: " + ignored}
	}
	if err != nil {
		return err
	}
	w.result.Objects = append(w.result.Objects, objects...)
	return nil
}
