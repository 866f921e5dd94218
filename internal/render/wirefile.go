package render

import (
	"io/fs"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// AppendInfo writes what is known of a file, its identity included.
func AppendInfo(b []byte, info fs.FileInfo) []byte {
	b = packed.Text(b, info.Name())
	b = packed.Uint(b, uint64(info.Mode()))
	b = packed.Int(b, info.Size())
	modified := int64(0)
	if t := info.ModTime(); !t.IsZero() {
		modified = t.UnixNano()
	}
	b = packed.Int(b, modified)
	b = packed.Text(b, objectID(info))
	return packed.Bool(b, isLinked(info))
}

// ReadInfo reads what AppendInfo has written. Sys gives the identity.
func ReadInfo(r *packed.Reader) fs.FileInfo {
	info := fileInfo{name: r.Text(), mode: fs.FileMode(r.Uint()), size: r.Int()}
	if modified := r.Int(); modified != 0 {
		info.modified = time.Unix(0, modified)
	}
	info.id, info.linked = r.Text(), r.Bool()
	return info
}

// fileInfo is what another process knows of a file.
type fileInfo struct {
	name     string
	mode     fs.FileMode
	size     int64
	modified time.Time
	id       string
	linked   bool
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return i.modified }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }

// Linked reports whether the way to the file went over a symbolic link.
func (i fileInfo) Linked() bool { return i.linked }

// Sys is the identity of the content, if it has one.
func (i fileInfo) Sys() any {
	if i.id == "" {
		return nil
	}
	return i.id
}
