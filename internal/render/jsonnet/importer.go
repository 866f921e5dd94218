package jsonnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/google/go-jsonnet"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// importer finds imports in the files of a source. To Jsonnet all paths begin at the root of the repository, with a
// slash, so that a path says whether it has been resolved.
type importer struct {
	ctx     context.Context
	in      render.Inputs
	decrypt func(ctx context.Context, in render.Inputs, name string, content []byte) ([]byte, error)
	folders []string // that are searched after the folder of the importing file
	known   map[string]*imported
	// failure is an error that is no matter of the Jsonnet code.
	failure error
	// secret: a file was decrypted.
	secret bool
}

// imported is a file that was looked for; there is none when it has no content.
type imported struct {
	content jsonnet.Contents
	found   bool
}

// search sets where imports are looked for.
func (i *importer) search(dir string, libs []string) error {
	for n := len(libs) - 1; n >= 0; n-- {
		lib, err := inRoot(strings.TrimPrefix(libs[n], "/"))
		if err != nil {
			return fmt.Errorf("directory.jsonnet.libs: %w", err)
		}
		i.folders = append(i.folders, lib)
	}
	i.folders = append(i.folders, dir)
	return nil
}

// Import implements jsonnet.Importer.
func (i *importer) Import(from, name string) (jsonnet.Contents, string, error) {
	if from == "" && strings.HasPrefix(name, "/") { // the file that is evaluated
		return i.first(name[1:], name)
	}
	if strings.HasPrefix(name, "/") {
		return jsonnet.Contents{}, "", errors.New("an import cannot be absolute; give it relative to the file or to a library folder")
	}
	candidates := make([]string, 0, len(i.folders)+1)
	if from != "" {
		candidates = append(candidates, path.Dir(from[1:]))
	}
	candidates = append(candidates, i.folders...)
	outside := 0
	for _, folder := range candidates {
		file, err := inRoot(path.Join(folder, name))
		if err != nil {
			outside++
			continue
		}
		found, err := i.read(file)
		if err != nil {
			return jsonnet.Contents{}, "", err
		}
		if found.found {
			return found.content, "/" + file, nil
		}
	}
	if outside == len(candidates) {
		return jsonnet.Contents{}, "", fmt.Errorf("import %q leads out of the repository", name)
	}
	return jsonnet.Contents{}, "", fmt.Errorf("import %q is not found, neither beside the file nor in the library folders", name)
}

func (i *importer) first(file, name string) (jsonnet.Contents, string, error) {
	found, err := i.read(file)
	if err == nil && !found.found {
		err = fmt.Errorf("%s: %w", file, fs.ErrNotExist)
	}
	if err != nil {
		return jsonnet.Contents{}, "", err
	}
	return found.content, name, nil
}

// read gives a file, the same object each time, as Jsonnet wants it.
func (i *importer) read(file string) (*imported, error) {
	if known, ok := i.known[file]; ok {
		return known, nil
	}
	if err := i.ctx.Err(); err != nil {
		return nil, context.Cause(i.ctx)
	}
	if len(i.known) >= maxImports {
		return nil, i.fail(fmt.Errorf("%w: it imports more than %d files", render.ErrTooLarge, maxImports))
	}
	info, err := fs.Stat(i.in.Files, file)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir():
		i.known[file] = &imported{}
		return i.known[file], nil
	case err != nil:
		return nil, i.fail(fmt.Errorf("looking for an import: %w", err))
	case info.Size() > maxImport:
		return nil, i.fail(fmt.Errorf("%s: %w: an import may have %d bytes", file, render.ErrTooLarge, maxImport))
	}
	content, err := fs.ReadFile(i.in.Files, file)
	if err != nil {
		return nil, i.fail(fmt.Errorf("reading an import: %w", err))
	}
	if i.decrypt != nil {
		plain, err := i.decrypt(i.ctx, i.in, file, content)
		if err != nil {
			return nil, i.fail(err)
		}
		i.secret = i.secret || !bytes.Equal(plain, content)
		content = plain
	}
	i.known[file] = &imported{content: jsonnet.MakeContentsRaw(content), found: true}
	return i.known[file], nil
}

func (i *importer) fail(err error) error {
	if i.failure == nil {
		i.failure = err
	}
	return err
}
