package render

import (
	"errors"
	"io/fs"
	"path"
	"sync"
)

// recorder is a file system that notes everything it is asked. It can be used by many goroutines.
type recorder struct {
	fsys fs.FS
	root string // object id of the root, empty when there is none

	mu    sync.Mutex
	reads map[readKey]read
	vague bool // something was seen that cannot be verified later
}

// seen says what of a name has been seen.
type seen uint8

const (
	seenContent seen = iota // the bytes of a file
	seenInfo                // mode, and the size of a file
	seenNames               // the names and types in a folder
	seenLink                // a symbolic link itself
	seenNothing             // that there is nothing
	seenTree                // everything below a folder
)

type readKey struct {
	name string
	seen seen
}

// read is one thing that a renderer has seen.
type read struct {
	readKey
	id     string      // of the object
	mode   fs.FileMode // seenInfo, seenLink
	names  namesHash   // seenNames only
	linked bool        // the way there went over a symbolic link
}

var (
	_ fs.StatFS     = (*recorder)(nil)
	_ fs.ReadDirFS  = (*recorder)(nil)
	_ fs.ReadFileFS = (*recorder)(nil)
	_ fs.ReadLinkFS = (*recorder)(nil)
	_ TreeReader    = (*recorder)(nil)
)

func newRecorder(fsys fs.FS) *recorder {
	return &recorder{fsys: fsys, root: rootID(fsys), reads: map[readKey]read{}}
}

func (r *recorder) note(one read) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads[one.readKey] = one
}

// noteInfo notes something that exists. Without an object id nothing can be verified later.
func (r *recorder) noteInfo(name string, what seen, info fs.FileInfo, names namesHash) {
	id := objectID(info)
	if id == "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.vague = true
		return
	}
	r.note(read{readKey: readKey{name, what}, id: id, mode: info.Mode(), names: names, linked: isLinked(info)})
}

// noteError notes that nothing was there; other errors leave the read set without a way to verify it.
func (r *recorder) noteError(name string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		// A link that leads nowhere is there itself, and what it leads to may appear anywhere.
		_, there := fs.Lstat(r.fsys, name)
		r.note(read{readKey: readKey{name, seenNothing}, linked: there == nil})
		return
	}
	if errors.Is(err, fs.ErrInvalid) && !fs.ValidPath(name) {
		return // depends on the name alone
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.vague = true
}

// TreeID is the object id of a folder, which stands for all that is in it; empty when it has none.
func TreeID(fsys fs.FS, dir string) string {
	if info, err := fs.Stat(fsys, dir); err == nil && !isLinked(info) {
		return objectID(info)
	}
	return ""
}

// objectID is what Sys says when that can serve as the identity of the content, a string or something with an Identity;
// or empty.
func objectID(info fs.FileInfo) string {
	switch id := info.Sys().(type) {
	case string:
		return id
	case interface{ Identity() string }:
		return id.Identity()
	}
	return ""
}

// rootID is the object id of a file system's root, or empty.
func rootID(fsys fs.FS) string {
	if info, err := fs.Stat(fsys, "."); err == nil {
		return objectID(info)
	}
	return ""
}

func isLinked(info fs.FileInfo) bool {
	l, ok := info.(interface{ Linked() bool })
	return ok && l.Linked()
}

// Open implements fs.FS.
func (r *recorder) Open(name string) (fs.File, error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		r.noteError(name, err)
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		r.noteError(name, err)
		return nil, err
	}
	r.noteInfo(name, seenInfo, info, namesHash{})
	if info.IsDir() {
		return &recordedDir{r: r, name: name, File: f}, nil
	}
	r.noteInfo(name, seenContent, info, namesHash{})
	return f, nil
}

// ReadFile implements fs.ReadFileFS.
func (r *recorder) ReadFile(name string) ([]byte, error) {
	info, err := fs.Stat(r.fsys, name)
	if err != nil {
		r.noteError(name, err)
		return nil, err
	}
	r.noteInfo(name, seenContent, info, namesHash{})
	return fs.ReadFile(r.fsys, name)
}

// Stat implements fs.StatFS.
func (r *recorder) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(r.fsys, name)
	if err != nil {
		r.noteError(name, err)
		return nil, err
	}
	r.noteInfo(name, seenInfo, info, namesHash{})
	return info, nil
}

// ReadDir implements fs.ReadDirFS.
func (r *recorder) ReadDir(name string) ([]fs.DirEntry, error) {
	info, err := fs.Stat(r.fsys, name)
	if err != nil {
		r.noteError(name, err)
		return nil, err
	}
	entries, err := fs.ReadDir(r.fsys, name)
	if err != nil {
		r.noteError(name, err)
		return nil, err
	}
	r.noteInfo(name, seenNames, info, hashNames(entries))
	return r.wrap(name, entries), nil
}

// Lstat implements fs.ReadLinkFS.
func (r *recorder) Lstat(name string) (fs.FileInfo, error) {
	info, err := fs.Lstat(r.fsys, name)
	if err != nil {
		r.noteError(name, err)
		return nil, err
	}
	r.noteInfo(name, seenLink, info, namesHash{})
	return info, nil
}

// ReadLink implements fs.ReadLinkFS.
func (r *recorder) ReadLink(name string) (string, error) {
	if _, err := r.Lstat(name); err != nil {
		return "", err
	}
	target, err := fs.ReadLink(r.fsys, name)
	if err != nil && !errors.Is(err, fs.ErrInvalid) { // that it is no link has been noted by Lstat
		r.noteError(name, err)
	}
	return target, err
}

// ReadTree implements TreeReader. A folder without symbolic links is one read; with them each file is.
func (r *recorder) ReadTree(dir string, limit TreeLimit) ([]File, error) {
	info, err := fs.Stat(r.fsys, dir)
	if err != nil {
		r.noteError(dir, err)
		return nil, err
	}
	w := treeWalk{fsys: r.fsys, root: dir, limit: limit}
	err = w.folder(dir, 0)
	if w.links || err != nil && !errors.Is(err, ErrTooLarge) {
		recorded := treeWalk{fsys: justFiles{r}, root: dir, limit: limit}
		err = recorded.folder(dir, 0)
		return recorded.files, err
	}
	r.noteTree(dir, info)
	return w.files, err
}

// noteTree notes that the result depends on everything below a folder.
func (r *recorder) noteTree(dir string, info fs.FileInfo) {
	r.noteInfo(dir, seenTree, info, namesHash{})
}

// justFiles hides ReadTree.
type justFiles struct{ fs.FS }

func (r *recorder) wrap(folder string, entries []fs.DirEntry) []fs.DirEntry {
	wrapped := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		wrapped[i] = recordedEntry{DirEntry: e, r: r, folder: folder}
	}
	return wrapped
}

// recordedEntry notes when more than name and type are asked for.
type recordedEntry struct {
	fs.DirEntry
	r      *recorder
	folder string
}

// Info implements fs.DirEntry.
func (e recordedEntry) Info() (fs.FileInfo, error) { return e.r.Lstat(path.Join(e.folder, e.Name())) }

// recordedDir notes that a folder was listed through its handle.
type recordedDir struct {
	fs.File
	r       *recorder
	name    string
	listing Listing
}

// ReadDir implements fs.ReadDirFile.
func (d *recordedDir) ReadDir(n int) ([]fs.DirEntry, error) {
	return d.listing.Next(d.r, d.name, n)
}
