package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// WorkingCopy is a folder of this machine as a read-only file system with the promises of a [Snapshot]: the Sys method
// of every fs.FileInfo gives the ObjectID that Git would give the file or folder, symbolic links are followed inside the
// folder and nowhere else, and files have no modification time. What is called .git is not there. Ids are computed when
// they are first asked for and kept, so the folder must not change while it is in use; open it again to see changes.
//
// It is safe for concurrent use.
type WorkingCopy struct {
	root  *os.Root
	limit int64

	mu  sync.Mutex
	ids map[string]ObjectID // by the path after links
}

// Interfaces that readers of a WorkingCopy may ask for.
var (
	_ fs.StatFS     = (*WorkingCopy)(nil)
	_ fs.ReadDirFS  = (*WorkingCopy)(nil)
	_ fs.ReadFileFS = (*WorkingCopy)(nil)
	_ fs.ReadLinkFS = (*WorkingCopy)(nil)
)

// OpenWorkingCopy opens a folder. maxFileSize bounds one file that is read, in bytes; zero: 10 MiB. Close it.
func OpenWorkingCopy(dir string, maxFileSize int64) (*WorkingCopy, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening working copy: %w", err)
	}
	setDefault(&maxFileSize, 10<<20)
	return &WorkingCopy{root: root, limit: maxFileSize, ids: map[string]ObjectID{}}, nil
}

// Close releases the folder.
func (w *WorkingCopy) Close() error { return w.root.Close() }

// place is what a path of a working copy leads to.
type place struct {
	path   string // after links
	mode   fs.FileMode
	size   int64
	linked bool
}

func (w *WorkingCopy) find(op, name string, follow bool) (place, error) {
	if !fs.ValidPath(name) {
		return place{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	p, err := w.walk(name, follow)
	if err != nil {
		return place{}, &fs.PathError{Op: op, Path: name, Err: plain(err)}
	}
	return p, nil
}

// plain takes the path out of an error of the system, since it is not the one that was asked for.
func plain(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// walk goes to name one part at a time, so that links are seen. [os.Root] makes sure in any case that none leads out.
func (w *WorkingCopy) walk(name string, follow bool) (place, error) {
	at := place{path: ".", mode: fs.ModeDir}
	links := 0
	for rest := name; rest != ""; {
		part, after, more := strings.Cut(rest, "/")
		rest = after
		switch {
		case part == "" || part == ".":
			continue
		case !at.mode.IsDir() || strings.EqualFold(part, ".git"):
			return place{}, fs.ErrNotExist
		case part == "..": // only in the target of a link
			if at.path == "." {
				return place{}, ErrLinkOutside
			}
			at.path = path.Dir(at.path)
			continue
		}
		next := path.Join(at.path, part)
		info, err := w.root.Lstat(next)
		if err != nil {
			return place{}, err
		}
		if info.Mode().Type() != fs.ModeSymlink || !more && !follow {
			at = place{path: next, mode: info.Mode(), size: info.Size(), linked: links > 0}
			continue
		}
		if links++; links > maxLinks {
			return place{}, ErrLinkLoop
		}
		target, err := w.root.Readlink(next)
		switch {
		case err != nil:
			return place{}, err
		case !readable([]byte(target)):
			return place{}, fs.ErrInvalid
		case path.IsAbs(target):
			return place{}, ErrLinkOutside
		}
		rest = target + "/" + rest
	}
	at.linked = links > 0
	if t := at.mode.Type(); t != 0 && t != fs.ModeDir && t != fs.ModeSymlink {
		return place{}, fmt.Errorf("%w: it is neither a file nor a folder nor a link", fs.ErrInvalid)
	}
	return at, nil
}

// Open opens a file or a folder.
func (w *WorkingCopy) Open(name string) (fs.File, error) {
	p, err := w.find("open", name, true)
	if err != nil {
		return nil, err
	}
	i := &placeInfo{w: w, name: path.Base(name), place: p}
	if p.mode.IsDir() {
		entries, err := w.list(p)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: plain(err)}
		}
		return &openDir{info: i, entries: entries}, nil
	}
	return &openFile{info: i, load: func() ([]byte, error) { return w.read(p) }}, nil
}

// ReadFile reads a whole file. One larger than the limit gives ErrTooLarge.
func (w *WorkingCopy) ReadFile(name string) ([]byte, error) {
	p, err := w.find("readfile", name, true)
	if err != nil {
		return nil, err
	}
	if p.mode.IsDir() {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: errIsFolder}
	}
	data, err := w.read(p)
	if err != nil {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: plain(err)}
	}
	return data, nil
}

func (w *WorkingCopy) read(p place) ([]byte, error) {
	f, err := w.root.Open(p.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, w.limit+1))
	if err == nil && int64(len(data)) > w.limit {
		err = fmt.Errorf("%w: the limit is %d bytes", ErrTooLarge, w.limit)
	}
	return data, err
}

// ReadDir lists a folder by name.
func (w *WorkingCopy) ReadDir(name string) ([]fs.DirEntry, error) {
	p, err := w.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !p.mode.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errIsFile}
	}
	entries, err := w.list(p)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: plain(err)}
	}
	return entries, nil
}

// list leaves out .git, and what is neither file nor folder nor link.
func (w *WorkingCopy) list(p place) ([]fs.DirEntry, error) {
	f, err := w.root.Open(p.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	infos, err := f.Readdir(-1)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for _, info := range infos {
		t := info.Mode().Type()
		if strings.EqualFold(info.Name(), ".git") || t != 0 && t != fs.ModeDir && t != fs.ModeSymlink {
			continue
		}
		entries = append(entries, &placeInfo{w: w, name: info.Name(), place: place{
			path: path.Join(p.path, info.Name()), mode: info.Mode(), size: info.Size(),
		}})
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Stat describes a file or folder, after links.
func (w *WorkingCopy) Stat(name string) (fs.FileInfo, error) {
	p, err := w.find("stat", name, true)
	if err != nil {
		return nil, err
	}
	return &placeInfo{w: w, name: path.Base(name), place: p}, nil
}

// Lstat describes a file, a folder or a symbolic link.
func (w *WorkingCopy) Lstat(name string) (fs.FileInfo, error) {
	p, err := w.find("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return &placeInfo{w: w, name: path.Base(name), place: p}, nil
}

// ReadLink gives the target of a symbolic link as it stands.
func (w *WorkingCopy) ReadLink(name string) (string, error) {
	p, err := w.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if p.mode.Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := w.root.Readlink(p.path)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: plain(err)}
	}
	return target, nil
}
