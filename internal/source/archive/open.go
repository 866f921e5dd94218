package archive

import (
	"bytes"
	"io"
	"io/fs"
	"time"
)

// info describes one name, as fs.FileInfo and fs.DirEntry.
type info struct {
	node   *node
	name   string
	linked bool
}

func (i *info) Name() string               { return i.name }
func (i *info) Mode() fs.FileMode          { return i.node.mode }
func (i *info) Type() fs.FileMode          { return i.node.mode.Type() }
func (i *info) ModTime() time.Time         { return time.Time{} }
func (i *info) IsDir() bool                { return i.node.mode.IsDir() }
func (i *info) Sys() any                   { return i.node.id }
func (i *info) Info() (fs.FileInfo, error) { return i, nil }
func (i *info) String() string             { return fs.FormatFileInfo(i) }

func (i *info) Size() int64 {
	if i.node.mode&fs.ModeSymlink != 0 {
		return int64(len(i.node.target))
	}
	return int64(len(i.node.data))
}

// Linked reports whether a symbolic link was followed to get here, so that the content does not depend on the folders
// that its path names alone.
func (i *info) Linked() bool { return i.linked }

func (n *node) entries() []fs.DirEntry {
	list := make([]fs.DirEntry, len(n.names))
	for i, name := range n.names {
		list[i] = &info{node: n.children[name], name: name}
	}
	return list
}

// openFile reads a file; it is an io.ReaderAt and io.Seeker too.
type openFile struct {
	*bytes.Reader
	info *info
}

func newOpenFile(i *info) *openFile { return &openFile{Reader: bytes.NewReader(i.node.data), info: i} }

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

// openDir lists a folder.
type openDir struct {
	info    *info
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errIsFolder}
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
