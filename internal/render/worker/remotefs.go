package worker

import (
	"bytes"
	"io/fs"
	"slices"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// remoteFS is a file system of the parent. What it has been told of names and folders it does not ask again: the same
// folder is looked at by who finds the type of a source, by who walks it, and by who reads it.
type remoteFS struct {
	c    *conversation
	root uint64
	sent *received // what of it has come along with the request, or nil

	mu    sync.Mutex
	infos map[string]fs.FileInfo
	lists map[string][]fs.DirEntry
}

var (
	_ fs.StatFS         = (*remoteFS)(nil)
	_ fs.ReadDirFS      = (*remoteFS)(nil)
	_ fs.ReadFileFS     = (*remoteFS)(nil)
	_ fs.ReadLinkFS     = (*remoteFS)(nil)
	_ render.TreeReader = (*remoteFS)(nil)
)

func (f *remoteFS) ask(op operation, name string) (*packed.Reader, error) {
	return f.c.ask(f.c.ctx, op, func(b []byte) []byte { return packed.Text(packed.Uint(b, f.root), name) })
}

// Open implements fs.FS. The content comes along.
func (f *remoteFS) Open(name string) (fs.File, error) {
	if file, ok := f.sent.looksAt(name, render.LookContent, render.LookInfo); ok {
		return &remoteFile{info: file.info, Reader: bytes.NewReader(file.content)}, nil
	}
	r, err := f.ask(opOpen, name)
	if err != nil {
		return nil, err
	}
	info := render.ReadInfo(r)
	content := r.Bytes()
	if err := r.Close(); err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &remoteDir{f: f, name: name, info: info}, nil
	}
	return &remoteFile{info: info, Reader: bytes.NewReader(content)}, nil
}

// Stat implements fs.StatFS.
func (f *remoteFS) Stat(name string) (fs.FileInfo, error) {
	if info, err, ok := f.sent.info("stat", name, render.LookInfo); ok {
		return info, err
	}
	f.mu.Lock()
	known := f.infos[name]
	f.mu.Unlock()
	if known != nil {
		return known, nil
	}
	info, err := f.info(opStat, name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.infos == nil {
		f.infos = map[string]fs.FileInfo{}
	}
	f.infos[name] = info
	return info, nil
}

// Lstat implements fs.ReadLinkFS.
func (f *remoteFS) Lstat(name string) (fs.FileInfo, error) {
	if info, err, ok := f.sent.info("lstat", name, render.LookLink); ok {
		return info, err
	}
	return f.info(opLstat, name)
}

func (f *remoteFS) info(op operation, name string) (fs.FileInfo, error) {
	r, err := f.ask(op, name)
	if err != nil {
		return nil, err
	}
	return render.ReadInfo(r), r.Close()
}

// ReadFile implements fs.ReadFileFS.
func (f *remoteFS) ReadFile(name string) ([]byte, error) {
	if file, ok := f.sent.looksAt(name, render.LookContent); ok {
		return bytes.Clone(file.content), nil
	}
	r, err := f.ask(opReadFile, name)
	if err != nil {
		return nil, err
	}
	return r.Take(r.Len()), nil
}

// ReadLink implements fs.ReadLinkFS.
func (f *remoteFS) ReadLink(name string) (string, error) {
	r, err := f.ask(opReadLink, name)
	if err != nil {
		return "", err
	}
	return string(r.Take(r.Len())), nil
}

// ReadDir implements fs.ReadDirFS.
func (f *remoteFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.mu.Lock()
	known, ok := f.lists[name]
	f.mu.Unlock()
	if ok {
		return slices.Clone(known), nil
	}
	entries, err := f.list(name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lists == nil {
		f.lists = map[string][]fs.DirEntry{}
	}
	f.lists[name] = entries
	return slices.Clone(entries), nil
}

func (f *remoteFS) list(name string) ([]fs.DirEntry, error) {
	if _, ok := f.sent.looksAt(name, render.LookNames); ok {
		children := f.sent.children[name]
		entries := make([]fs.DirEntry, len(children))
		for i, e := range children {
			entries[i] = &remoteEntry{f: f, dir: name, name: e.Name(), mode: e.Type()}
		}
		return entries, nil
	}
	r, err := f.ask(opReadDir, name)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for range r.Count(2) {
		entries = append(entries, &remoteEntry{f: f, dir: name, name: r.Text(), mode: fs.FileMode(r.Uint())})
	}
	return entries, r.Close()
}

// ReadTree implements render.TreeReader.
func (f *remoteFS) ReadTree(dir string, limit render.TreeLimit) ([]render.File, error) {
	if files, err, ok := f.sent.tree(dir, limit); ok {
		return files, err
	}
	r, err := f.c.ask(f.c.ctx, opReadTree, func(b []byte) []byte {
		b = packed.Text(packed.Uint(b, f.root), dir)
		return packed.Int(packed.Int(b, int64(limit.Files)), limit.Bytes)
	})
	if err != nil {
		return nil, err
	}
	var files []render.File
	for range r.Count(3) {
		files = append(files, render.File{Name: r.Text(), Mode: fs.FileMode(r.Uint()), Content: r.Bytes()})
	}
	return files, r.Close()
}

// remoteEntry is one name in a folder of the parent.
type remoteEntry struct {
	f         *remoteFS
	dir, name string
	mode      fs.FileMode
}

func (e *remoteEntry) Name() string      { return e.name }
func (e *remoteEntry) IsDir() bool       { return e.mode.IsDir() }
func (e *remoteEntry) Type() fs.FileMode { return e.mode.Type() }

// Info implements fs.DirEntry.
func (e *remoteEntry) Info() (fs.FileInfo, error) {
	if e.dir == "." {
		return e.f.Lstat(e.name)
	}
	return e.f.Lstat(e.dir + "/" + e.name)
}

// remoteFile is an open file, whose content is here.
type remoteFile struct {
	info fs.FileInfo
	*bytes.Reader
}

// Stat implements fs.File.
func (f *remoteFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements fs.File.
func (f *remoteFile) Close() error { return nil }

// remoteDir is an open folder.
type remoteDir struct {
	f       *remoteFS
	name    string
	info    fs.FileInfo
	listing render.Listing
}

// Stat implements fs.File.
func (d *remoteDir) Stat() (fs.FileInfo, error) { return d.info, nil }

// Close implements fs.File.
func (d *remoteDir) Close() error { return nil }

// Read implements fs.File.
func (d *remoteDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *remoteDir) ReadDir(n int) ([]fs.DirEntry, error) {
	return d.listing.Next(d.f, d.name, n)
}
