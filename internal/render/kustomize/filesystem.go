package kustomize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// Limits of one rendering. A file that is read twice counts twice, as a base that is built twice costs twice.
const (
	maxReads     = 50_000
	maxReadBytes = 256 << 20
	maxFileBytes = 32 << 20
	maxMounts    = 100
	maxFolders   = 2_000
	maxBuilds    = 3_000
	maxDepth     = 50
	maxObjects   = 100_000
	maxOutput    = 128 << 20
)

var errReadOnly = errors.New("this file system cannot be written")

// decrypter turns the content of a file into what stands in it, see Renderer.Decrypt.
type decrypter func(ctx context.Context, in render.Inputs, name string, content []byte) ([]byte, error)

// filesystem is what Kustomize sees: mounts, and files of ours before them. Kustomization files are there only once
// they have been rewritten.
type filesystem struct {
	ctx     context.Context
	in      render.Inputs
	decrypt decrypter
	mounts  []*mount
	// ours are files by virtual path: rewritten kustomizations, downloads, inflated charts.
	ours map[string][]byte
	// via is the file of the source's repository that refers to a file of ours which is fetched.
	via map[string]string
	// folders of ours, by virtual path.
	folders map[string]bool
	// shown is what users call a file of ours that has no name in a repository.
	shown map[string]string
	// resources are files by virtual path that Kustomize gets with marks.
	resources map[string]bool
	// patches are files by virtual path that Kustomize parses as YAML, whatever their names.
	patches   map[string]bool
	content   map[string][]byte
	trace     trace
	decrypted []decrypted
	reads     int
	builds    int
	bytes     int64
	// failure is the first error that ends a rendering whatever Kustomize makes of it.
	failure error
}

var _ filesys.FileSystem = (*filesystem)(nil)

func newFilesystem(ctx context.Context, in render.Inputs, decrypt decrypter) *filesystem {
	return &filesystem{
		ctx: ctx, in: in, decrypt: decrypt, ours: map[string][]byte{}, folders: map[string]bool{},
		shown: map[string]string{}, via: map[string]string{}, resources: map[string]bool{}, patches: map[string]bool{},
		content: map[string][]byte{},
	}
}

// fail keeps the first error that Kustomize must not pass over.
func (f *filesystem) fail(err error) error {
	if f.failure == nil {
		f.failure = err
	}
	return err
}

// read gives a file of a repository, decrypted.
func (f *filesystem) read(m *mount, name string) ([]byte, error) {
	return f.load(m, name, f.decrypt)
}

// raw gives a file of a repository as it is.
func (f *filesystem) raw(m *mount, name string) ([]byte, error) {
	return f.load(m, name, nil)
}

func (f *filesystem) load(m *mount, name string, decrypt decrypter) ([]byte, error) {
	if f.ctx.Err() != nil {
		return nil, f.fail(context.Cause(f.ctx))
	}
	virtual := m.virtual(name)
	content, known := f.content[virtual]
	if !known {
		var err error
		if content, err = fs.ReadFile(m.fsys, name); err != nil {
			return nil, err
		}
	}
	if err := f.count(m.display(name), len(content)); err != nil {
		return nil, err
	}
	if known {
		return content, nil
	}
	if decrypt != nil {
		in := f.in
		in.Files = m.fsys
		plain, err := decrypt(f.ctx, in, name, content)
		if err != nil {
			return nil, f.fail(err)
		}
		if !bytes.Equal(plain, content) {
			f.decrypted = append(f.decrypted, decrypted{plain: plain, cipher: content})
		}
		content = plain
	}
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json", "":
		if err := render.CheckFileAliases(m.display(name), content); err != nil {
			return nil, f.fail(err)
		}
	}
	f.content[virtual] = content
	return content, nil
}

func (f *filesystem) count(name string, size int) error {
	f.reads++
	f.bytes += int64(size)
	switch {
	case size > maxFileBytes:
		return f.fail(fmt.Errorf("%s: %w: it has more than %d bytes", name, render.ErrTooLarge, maxFileBytes))
	case f.reads > maxReads:
		return f.fail(fmt.Errorf("%w: the kustomization reads more than %d files, counting each time", render.ErrTooLarge, maxReads))
	case f.bytes > maxReadBytes:
		return f.fail(fmt.Errorf("%w: the kustomization reads more than %d bytes", render.ErrTooLarge, maxReadBytes))
	}
	return nil
}

// countBuild counts the kustomizations that are built. Bases that each refer twice to another can double at every level.
func (f *filesystem) countBuild(name string) error {
	if !isKustomization(path.Base(name)) {
		return nil
	}
	if f.builds++; f.builds > maxBuilds {
		return f.fail(fmt.Errorf("%w: the kustomization builds more than %d folders, counting each time", render.ErrTooLarge, maxBuilds))
	}
	return nil
}

// ReadFile implements filesys.FileSystem.
func (f *filesystem) ReadFile(name string) ([]byte, error) {
	name = path.Clean(name)
	content, own := f.ours[name]
	if own {
		if err := f.count(f.display(name), len(content)); err != nil {
			return nil, err
		}
		if err := f.countBuild(name); err != nil {
			return nil, err
		}
	} else {
		m, relative, err := f.split(name)
		if err != nil {
			return nil, err
		}
		if isKustomization(path.Base(relative)) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		if content, err = f.read(m, relative); err != nil {
			return nil, err
		}
	}
	if f.resources[name] || f.patches[name] {
		if err := render.CheckFileAliases(f.display(name), content); err != nil {
			return nil, f.fail(err)
		}
	}
	if !f.resources[name] {
		return content, nil
	}
	file := f.source(name)
	return f.trace.mark(name, file, file == f.display(name), content), nil
}

// display is what users call a virtual path.
func (f *filesystem) display(virtual string) string {
	if shown, ok := f.shown[virtual]; ok {
		return shown
	}
	m, name, err := f.split(virtual)
	if err != nil {
		return virtual
	}
	return m.display(name)
}

// source is the file of the source's repository that a virtual path stands for. For what lies elsewhere it is the
// kustomization that refers there.
func (f *filesystem) source(virtual string) string {
	if via, ok := f.via[virtual]; ok {
		return via
	}
	m, name, err := f.split(virtual)
	if err != nil {
		return ""
	}
	return m.source(name)
}

// CleanedAbs implements filesys.FileSystem.
func (f *filesystem) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	name = path.Clean("/" + name)
	if name == "/" {
		return "/", "", nil
	}
	if _, own := f.ours[name]; own {
		return filesys.ConfirmedDir(path.Dir(name)), path.Base(name), nil
	}
	if f.folders[name] {
		return filesys.ConfirmedDir(name), "", nil
	}
	m, relative, err := f.split(name)
	if err != nil {
		return "", "", err
	}
	resolved, info, err := follow(m.fsys, relative)
	if err != nil {
		return "", "", err
	}
	if info.IsDir() {
		return filesys.ConfirmedDir(m.virtual(resolved)), "", nil
	}
	virtual := m.virtual(resolved)
	return filesys.ConfirmedDir(path.Dir(virtual)), path.Base(virtual), nil
}

// IsDir implements filesys.FileSystem.
func (f *filesystem) IsDir(name string) bool {
	_, file, err := f.CleanedAbs(name)
	return err == nil && file == ""
}

// Exists implements filesys.FileSystem.
func (f *filesystem) Exists(name string) bool {
	_, _, err := f.CleanedAbs(name)
	return err == nil
}

// ReadDir implements filesys.FileSystem.
func (f *filesystem) ReadDir(name string) ([]string, error) {
	m, relative, err := f.split(name)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(m.fsys, relative)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Kustomize's build uses none of the following.

// Open implements filesys.FileSystem.
func (f *filesystem) Open(string) (filesys.File, error) { return nil, errReadOnly }

// Create implements filesys.FileSystem.
func (f *filesystem) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir implements filesys.FileSystem.
func (f *filesystem) Mkdir(string) error { return errReadOnly }

// MkdirAll implements filesys.FileSystem.
func (f *filesystem) MkdirAll(string) error { return errReadOnly }

// RemoveAll implements filesys.FileSystem.
func (f *filesystem) RemoveAll(string) error { return errReadOnly }

// WriteFile implements filesys.FileSystem.
func (f *filesystem) WriteFile(string, []byte) error { return errReadOnly }

// Glob implements filesys.FileSystem.
func (f *filesystem) Glob(string) ([]string, error) { return nil, errReadOnly }

// Walk implements filesys.FileSystem.
func (f *filesystem) Walk(string, filepath.WalkFunc) error { return errReadOnly }
