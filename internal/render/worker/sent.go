package worker

import (
	"bytes"
	"io/fs"
	"path"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// received is what has come along with a request, in the worker. It keeps the looks at it, which go back with the result.
type received struct {
	*sentFolder
	byName   map[string]*sentFile
	children map[string][]fs.DirEntry

	mu    sync.Mutex
	seen  map[look]bool
	looks []look
}

// maxLookName bounds a name in a look; who looks for longer ones asks.
const maxLookName = 512

func newReceived(f *sentFolder) *received {
	if f == nil {
		return nil
	}
	r := &received{sentFolder: f, byName: make(map[string]*sentFile, len(f.files)), children: map[string][]fs.DirEntry{}, seen: map[look]bool{}}
	for i := range f.files {
		one := &f.files[i]
		r.byName[one.name] = one
		if i > 0 {
			folder := path.Dir(one.name)
			r.children[folder] = append(r.children[folder], fs.FileInfoToDirEntry(one.info))
		}
	}
	return r
}

// looksAt notes a look, and gives what is there: nil when that is nothing. It is not ok when that is not known here.
func (r *received) looksAt(name string, how ...render.Look) (file *sentFile, ok bool) {
	if r == nil || !fs.ValidPath(name) || len(name) > maxLookName || !r.covers(name) {
		return nil, false
	}
	file = r.byName[name]
	// What is neither a file nor a folder as expected makes errors, which the parent words.
	switch {
	case how[0] == render.LookInfo || how[0] == render.LookLink:
	case file == nil, file.info.IsDir() == (how[0] == render.LookContent):
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.looks)+len(how) > maxLooks {
		return nil, false
	}
	for _, one := range how {
		if l := (look{one, name}); !r.seen[l] {
			r.seen[l] = true
			r.looks = append(r.looks, l)
		}
	}
	return file, true
}

// reported are the looks so far.
func (r *received) reported() []look {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.looks
}

// info is the answer to Stat and Lstat.
func (r *received) info(op, name string, how render.Look) (info fs.FileInfo, err error, ok bool) { //nolint:revive // both are the answer
	file, ok := r.looksAt(name, how)
	switch {
	case !ok:
		return nil, nil, false
	case file == nil:
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}, true
	}
	return file.info, nil, true
}

// tree is the answer to ReadTree.
func (r *received) tree(dir string, limit render.TreeLimit) (files []render.File, err error, ok bool) { //nolint:revive // both are the answer
	if _, ok := r.looksAt(dir, render.LookTree); !ok {
		return nil, nil, false
	}
	files, err = render.ReadTree(unseen{r}, dir, limit)
	return files, err, true
}

// unseen reads what has been received without noting it.
type unseen struct{ r *received }

var (
	_ fs.StatFS     = unseen{}
	_ fs.ReadDirFS  = unseen{}
	_ fs.ReadFileFS = unseen{}
)

func (u unseen) find(op, name string) (*sentFile, error) {
	if file := u.r.byName[name]; file != nil {
		return file, nil
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// Open implements fs.FS.
func (u unseen) Open(name string) (fs.File, error) {
	file, err := u.find("open", name)
	if err != nil {
		return nil, err
	}
	return &remoteFile{info: file.info, Reader: bytes.NewReader(file.content)}, nil
}

// Stat implements fs.StatFS.
func (u unseen) Stat(name string) (fs.FileInfo, error) {
	file, err := u.find("stat", name)
	if err != nil {
		return nil, err
	}
	return file.info, nil
}

// ReadFile implements fs.ReadFileFS. The content is shared.
func (u unseen) ReadFile(name string) ([]byte, error) {
	file, err := u.find("readfile", name)
	if err != nil {
		return nil, err
	}
	return file.content, nil
}

// ReadDir implements fs.ReadDirFS.
func (u unseen) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := u.find("readdir", name); err != nil {
		return nil, err
	}
	return u.r.children[name], nil
}
