package source

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Git's ids are SHA-1
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// placeInfo describes one name of a working copy, as fs.FileInfo and fs.DirEntry.
type placeInfo struct {
	w    *WorkingCopy
	name string
	place
}

func (i *placeInfo) gitMode() uint32 {
	switch {
	case i.mode.IsDir():
		return modeTree
	case i.mode.Type() == fs.ModeSymlink:
		return modeLink
	case i.mode&0o111 != 0:
		return modeExec
	}
	return modeFile
}

func (i *placeInfo) Name() string               { return i.name }
func (i *placeInfo) Mode() fs.FileMode          { return entry{mode: i.gitMode()}.fileMode() }
func (i *placeInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i *placeInfo) ModTime() time.Time         { return time.Time{} }
func (i *placeInfo) IsDir() bool                { return i.mode.IsDir() }
func (i *placeInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i *placeInfo) String() string             { return fs.FormatFileInfo(i) }

// Size of a file in bytes.
func (i *placeInfo) Size() int64 {
	if i.IsDir() {
		return 0
	}
	return i.size
}

// Linked reports whether a symbolic link was followed to get here.
func (i *placeInfo) Linked() bool { return i.linked }

// Sys is the id that Git would give, or nil when it cannot be computed.
func (i *placeInfo) Sys() any {
	id, err := i.w.id(i.place, i.gitMode(), 0)
	if err != nil {
		return nil
	}
	return id
}

// id computes the id of a file, a link or, from the ids of all that is below, a folder. It is Git's own, but that Git
// knows no empty folders.
func (w *WorkingCopy) id(p place, mode uint32, depth int) (ObjectID, error) {
	w.mu.Lock()
	id, ok := w.ids[p.path]
	w.mu.Unlock()
	if ok {
		return id, nil
	}
	var err error
	switch mode {
	case modeTree:
		id, err = w.treeID(p, depth)
	case modeLink:
		var target string
		if target, err = w.root.Readlink(p.path); err == nil {
			id, err = hashObject(kindBlob, int64(len(target)), strings.NewReader(target))
		}
	default:
		id, err = w.blobID(p)
	}
	if err != nil {
		return id, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids[p.path] = id
	return id, nil
}

func (w *WorkingCopy) blobID(p place) (ObjectID, error) {
	f, err := w.root.Open(p.path)
	if err != nil {
		return ObjectID{}, err
	}
	defer f.Close()
	return hashObject(kindBlob, p.size, f)
}

func (w *WorkingCopy) treeID(p place, depth int) (ObjectID, error) {
	if depth > maxTreeDepth {
		return ObjectID{}, fmt.Errorf("%w: folders are nested more than %d deep", ErrTooLarge, maxTreeDepth)
	}
	entries, err := w.list(p)
	if err != nil {
		return ObjectID{}, err
	}
	// Git sorts folders as if their names ended in a slash.
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	var raw bytes.Buffer
	for _, e := range entries {
		one := e.(*placeInfo)
		id, err := w.id(one.place, one.gitMode(), depth+1)
		if err != nil {
			return id, err
		}
		fmt.Fprintf(&raw, "%o %s\x00%s", one.gitMode(), one.name, id.Identity())
	}
	return hashObject(kindTree, int64(raw.Len()), &raw)
}

// hashObject is the id of an object of the given kind and size.
func hashObject(kind string, size int64, content io.Reader) (id ObjectID, err error) {
	h := sha1.New() //nolint:gosec // Git's ids are SHA-1
	fmt.Fprintf(h, "%s %d\x00", kind, size)
	n, err := io.Copy(h, io.LimitReader(content, size+1))
	if err == nil && n != size {
		err = fmt.Errorf("the file changes while it is read")
	}
	h.Sum(id[:0])
	return id, err
}
