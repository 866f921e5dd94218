package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// node is a file, a folder or a symbolic link.
type node struct {
	mode     fs.FileMode
	id       string
	data     []byte
	target   string
	children map[string]*node
	names    []string // of the children, sorted
}

func newFolder() *node { return &node{mode: fs.ModeDir | 0o755, children: map[string]*node{}} }

// at finds what a clean path names without following links, or nil.
func (n *node) at(name string) *node {
	if name == "." {
		return n
	}
	for part := range strings.SplitSeq(name, "/") {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

// finish gives identities to everything below, and sorts folders.
func (n *node) finish() {
	switch {
	case n.mode.IsDir():
		n.names = slices.Sorted(maps.Keys(n.children))
		h := sha256.New()
		for _, name := range n.names {
			child := n.children[name]
			child.finish()
			for _, text := range []string{name, child.id} {
				h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
				h.Write([]byte(text))
			}
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(child.mode)))
		}
		n.id = "folder:" + hex.EncodeToString(h.Sum(nil))
	case n.mode&fs.ModeSymlink != 0:
		sum := sha256.Sum256([]byte(n.target))
		n.id = "link:" + hex.EncodeToString(sum[:])
	default:
		sum := sha256.Sum256(n.data)
		n.id = "sha256:" + hex.EncodeToString(sum[:])
	}
}

// Files is what an archive holds, as a read-only file system: an fs.FS, fs.StatFS, fs.ReadDirFS, fs.ReadFileFS and
// fs.ReadLinkFS. The Sys method of every fs.FileInfo gives a string that identifies the content of the file or folder.
// Symbolic links are followed inside; one that leads out gives source.ErrLinkOutside. It is safe for concurrent use.
type Files struct {
	root *node
	size int64
}

// Interfaces that readers may ask for.
var (
	_ fs.StatFS     = (*Files)(nil)
	_ fs.ReadDirFS  = (*Files)(nil)
	_ fs.ReadFileFS = (*Files)(nil)
	_ fs.ReadLinkFS = (*Files)(nil)
)

// Root is the identity of everything: equal roots, equal content.
func (f *Files) Root() string { return f.root.id }

// Size is how many bytes the files of the whole archive have.
func (f *Files) Size() int64 { return f.size }

// Top is the one folder at the top that everything lies in, as in a chart's archive, or empty.
func (f *Files) Top() string {
	if len(f.root.names) == 1 && f.root.children[f.root.names[0]].mode.IsDir() {
		return f.root.names[0]
	}
	return ""
}

// Folder gives a folder as a file system of its own, out of which no link leads.
func (f *Files) Folder(name string) (*Files, error) {
	n, _, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if !n.mode.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errIsFile}
	}
	return &Files{root: n, size: f.size}, nil
}

const maxLinks = 40 // symbolic links on one path

var (
	errIsFolder = errors.New("is a folder")
	errIsFile   = errors.New("is a file, not a folder")
)

// find walks to name. With follow a link at its end is followed too. linked tells that one was followed on the way.
func (f *Files) find(op, name string, follow bool) (n *node, linked bool, err error) {
	if !fs.ValidPath(name) {
		return nil, false, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, links, err := f.walk(name, follow)
	if err != nil {
		return nil, false, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, links > 0, nil
}

func (f *Files) walk(rest string, follow bool) (*node, int, error) {
	var room [16]*node
	way := append(room[:0], f.root)
	links := 0
	for rest != "" {
		part, after, more := strings.Cut(rest, "/")
		rest = after
		switch part {
		case "", ".":
			continue
		case "..": // only in the target of a link
			if len(way) == 1 {
				return nil, 0, source.ErrLinkOutside
			}
			way = way[:len(way)-1]
			continue
		}
		next, ok := way[len(way)-1].children[part]
		switch {
		case !ok:
			return nil, 0, fs.ErrNotExist
		case next.mode.IsDir():
			way = append(way, next)
		case next.mode&fs.ModeSymlink != 0:
			if !more && !follow {
				return next, links, nil
			}
			if links++; links > maxLinks {
				return nil, 0, source.ErrLinkLoop
			}
			if strings.HasPrefix(next.target, "/") {
				return nil, 0, source.ErrLinkOutside
			}
			rest = next.target + "/" + rest
		default:
			if strings.Trim(rest, "/") != "" {
				return nil, 0, fs.ErrNotExist // a file cannot contain anything
			}
			return next, links, nil
		}
	}
	return way[len(way)-1], links, nil
}

// Open opens a file or a folder.
func (f *Files) Open(name string) (fs.File, error) {
	n, linked, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	i := &info{node: n, name: path.Base(name), linked: linked}
	if n.mode.IsDir() {
		return &openDir{info: i, entries: n.entries()}, nil
	}
	return newOpenFile(i), nil
}

// ReadFile reads a whole file.
func (f *Files) ReadFile(name string) ([]byte, error) {
	n, _, err := f.find("readfile", name, true)
	if err != nil {
		return nil, err
	}
	if n.mode.IsDir() {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: errIsFolder}
	}
	return slices.Clone(n.data), nil
}

// ReadDir lists a folder by name.
func (f *Files) ReadDir(name string) ([]fs.DirEntry, error) {
	n, _, err := f.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !n.mode.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errIsFile}
	}
	return n.entries(), nil
}

// Stat describes a file or folder, after links.
func (f *Files) Stat(name string) (fs.FileInfo, error) {
	n, linked, err := f.find("stat", name, true)
	if err != nil {
		return nil, err
	}
	return &info{node: n, name: path.Base(name), linked: linked}, nil
}

// Lstat describes a file, a folder or a symbolic link.
func (f *Files) Lstat(name string) (fs.FileInfo, error) {
	n, linked, err := f.find("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return &info{node: n, name: path.Base(name), linked: linked}, nil
}

// ReadLink gives the target of a symbolic link as it stands in the archive.
func (f *Files) ReadLink(name string) (string, error) {
	n, _, err := f.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return n.target, nil
}
