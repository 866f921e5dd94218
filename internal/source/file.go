package source

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

var (
	errIsFolder = errors.New("is a folder")
	errIsFile   = errors.New("is a file, not a folder")
)

// info describes one name of a snapshot, as fs.FileInfo and fs.DirEntry.
type info struct {
	s      *Snapshot
	name   string
	mode   uint32
	id     ObjectID
	path   string // of a submodule, within s
	linked bool
}

func (n node) info(name string) *info {
	return &info{s: n.s, name: path.Base(name), mode: n.mode, id: n.id, path: n.path, linked: n.linked}
}

func (i *info) Name() string               { return i.name }
func (i *info) Mode() fs.FileMode          { return entry{mode: i.mode}.fileMode() }
func (i *info) Type() fs.FileMode          { return i.Mode().Type() }
func (i *info) ModTime() time.Time         { return time.Time{} }
func (i *info) IsDir() bool                { return i.mode == modeTree || i.mode == modeModule }
func (i *info) Info() (fs.FileInfo, error) { return i, nil }
func (i *info) String() string             { return fs.FormatFileInfo(i) }

// Sys is the identity of the content.
func (i *info) Sys() any {
	if i.mode == modeModule && !i.s.mirror.all.o.WithoutSubmodules {
		if url, err := i.s.moduleURL(i.path); err == nil {
			return ModuleID{i.id, url}
		}
	}
	if i.s.view != "" {
		return ViewID{i.id, i.s.view}
	}
	return i.id
}

// Size of a file in bytes, looked up when asked for; -1 when that fails.
func (i *info) Size() int64 {
	if i.IsDir() {
		return 0
	}
	return i.s.size(i.id)
}

// Remote reports whether the content may have to be fetched to be read: that of a submodule, and of a file that may point to
// an object of Git LFS.
func (i *info) Remote() bool { return i.mode == modeModule || !i.IsDir() && i.s.repo.EnableLFS }

// Linked reports whether a symbolic link was followed to get here, so that the object does not depend on the folders
// that its path names alone.
func (i *info) Linked() bool { return i.linked }

// openFile reads a file; the content is loaded by the first read.
type openFile struct {
	info   fs.FileInfo
	load   func() ([]byte, error)
	data   []byte
	loaded bool
	at     int64
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

func (f *openFile) content() ([]byte, error) {
	if !f.loaded {
		data, err := f.load()
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: f.info.Name(), Err: err}
		}
		f.data, f.loaded = data, true
	}
	return f.data, nil
}

func (f *openFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt reads from an offset, as io.ReaderAt.
func (f *openFile) ReadAt(p []byte, offset int64) (int, error) {
	data, err := f.content()
	if err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: fs.ErrInvalid}
	}
	if offset >= int64(len(data)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, data[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Seek moves the offset of Read, as io.Seeker.
func (f *openFile) Seek(offset int64, whence int) (int64, error) {
	data, err := f.content()
	if err != nil {
		return 0, err
	}
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += int64(len(data))
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "seek", Path: f.info.Name(), Err: fs.ErrInvalid}
	}
	f.at = offset
	return offset, nil
}

// openDir lists a folder.
type openDir struct {
	info    fs.FileInfo
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.Name(), Err: errIsFolder}
}

// ReadDir gives the next n entries, or all that are left when n is not positive.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	out := d.entries[:n:n]
	d.entries = d.entries[n:]
	return out, nil
}
