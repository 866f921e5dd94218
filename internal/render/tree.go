package render

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// File is one file of a tree.
type File struct {
	// Name relative to the folder that was read, with slashes.
	Name string
	// Mode tells executable files apart.
	Mode fs.FileMode
	// Content must not be changed.
	Content []byte
}

// TreeReader is a file system that reads a whole folder in one step.
type TreeReader interface {
	fs.FS
	// ReadTree gives all files below a folder, in the order of their names, see [ReadTree].
	ReadTree(dir string, limit TreeLimit) ([]File, error)
}

// TreeLimit bounds what ReadTree reads.
type TreeLimit struct {
	// Files and Bytes are the most that is read.
	Files int
	Bytes int64
}

// DefaultTreeLimit is enough for any chart that people write.
var DefaultTreeLimit = TreeLimit{Files: 20_000, Bytes: 64 << 20}

// ReadTree reads all files below a folder. Renderers that need a folder whole, such as a chart, use it instead of
// walking: it is one step between processes and one entry of a read set. Symbolic links to files are followed, those to
// folders too unless they lead to where the walk has come from. More than the limit gives ErrTooLarge.
func ReadTree(fsys fs.FS, dir string, limit TreeLimit) ([]File, error) {
	if r, ok := fsys.(TreeReader); ok {
		return r.ReadTree(dir, limit)
	}
	w := treeWalk{fsys: fsys, root: dir, limit: limit}
	if err := w.folder(dir, 0); err != nil {
		return nil, err
	}
	return w.files, nil
}

// maxTreeDepth bounds folders in folders, and ends circles of symbolic links.
const maxTreeDepth = 40

type treeWalk struct {
	fsys  fs.FS
	root  string
	limit TreeLimit
	files []File
	bytes int64
	links bool // a symbolic link was met
}

func (w *treeWalk) folder(dir string, depth int) error {
	if depth > maxTreeDepth {
		return fmt.Errorf("%s: %w: folders are nested more than %d deep", dir, ErrTooLarge, maxTreeDepth)
	}
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			w.links = true
			info, err := fs.Stat(w.fsys, name)
			if err != nil {
				return fmt.Errorf("following symbolic link: %w", err)
			}
			mode = info.Mode()
		}
		if mode.IsDir() {
			if err := w.folder(name, depth+1); err != nil {
				return err
			}
			continue
		}
		if err := w.file(name); err != nil {
			return err
		}
	}
	return nil
}

func (w *treeWalk) file(name string) error {
	if len(w.files) >= w.limit.Files {
		return fmt.Errorf("%s: %w: it has more than %d files", w.root, ErrTooLarge, w.limit.Files)
	}
	content, err := fs.ReadFile(w.fsys, name)
	if err != nil {
		return err
	}
	if w.bytes += int64(len(content)); w.bytes > w.limit.Bytes {
		return fmt.Errorf("%s: %w: its files have more than %d bytes", w.root, ErrTooLarge, w.limit.Bytes)
	}
	info, err := fs.Stat(w.fsys, name)
	if err != nil {
		return err
	}
	relative := name
	if w.root != "." {
		relative = strings.TrimPrefix(name, w.root+"/")
	}
	w.files = append(w.files, File{Name: relative, Mode: info.Mode(), Content: content})
	return nil
}
