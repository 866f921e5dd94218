package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxTree and maxCommit bound single trees and commits, in bytes.
const (
	maxTree   = 64 << 20
	maxCommit = 4 << 20
)

// Snapshot is the files of one commit as a read-only file system: an fs.FS, fs.StatFS, fs.ReadDirFS, fs.ReadFileFS and
// fs.ReadLinkFS. The Sys method of every fs.FileInfo gives the ObjectID of the file or folder, a [ViewID] where what is
// shown depends on more than the object, a [ModuleID] for the folder of a submodule. Symbolic links are followed inside
// the repository; one that leads out of it gives ErrLinkOutside. Files have no modification time.
//
// A submodule is a folder with the files of the recorded commit, fetched when it is first listed or read in. With
// Repository.EnableLFS a file that points to an object of Git LFS is shown with the object's size and content.
//
// It holds no resources worth mentioning and is safe for concurrent use.
type Snapshot struct {
	mirror *mirror
	repo   Repository
	commit string
	root   ObjectID
	top    tree
	view   string // what decides beside the objects, see ViewID
	depth  int    // submodules above this one

	modulesOnce sync.Once
	modules     map[string]string // folder of a submodule to its URL
	modulesErr  error

	mu      sync.Mutex
	entered map[string]*Snapshot // submodules by their folder
}

// Interfaces that readers of a Snapshot may ask for.
var (
	_ fs.StatFS     = (*Snapshot)(nil)
	_ fs.ReadDirFS  = (*Snapshot)(nil)
	_ fs.ReadFileFS = (*Snapshot)(nil)
	_ fs.ReadLinkFS = (*Snapshot)(nil)
)

// Snapshot gives the files of a commit, which is named by its full id as Resolve returns it. A commit that the mirror
// lacks is fetched. The error is an *Error.
func (m *Mirrors) Snapshot(ctx context.Context, repo Repository, commit string) (*Snapshot, error) {
	r, repo, c, err := m.findCommit(ctx, repo, commit)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{mirror: r, repo: repo, commit: c.SHA, root: c.tree, view: m.viewOf(repo)}
	if s.top, err = s.tree(ctx, c.tree); err != nil {
		return nil, repo.fail(ErrDamaged, err, "reading commit %s: %v", commit, err)
	}
	return s, nil
}

// Root is the id of the top folder: equal roots mean equal content.
func (s *Snapshot) Root() ObjectID { return s.root }

// SHA is the commit's id.
func (s *Snapshot) SHA() string { return s.commit }

// Close releases the snapshot.
func (s *Snapshot) Close() error { return nil }

// load reads an object of the given kind. When it is missing or damaged, the mirror is made again and the read repeated.
func (s *Snapshot) load(ctx context.Context, id ObjectID, kind string, limit int64) ([]byte, error) {
	return s.mirror.loadObject(ctx, s.repo, id, kind, limit)
}

func (m *mirror) loadObject(ctx context.Context, repo Repository, id ObjectID, kind string, limit int64) ([]byte, error) {
	o, data, err := m.objects.contents(ctx, id, limit)
	if isMissing(err) {
		if healed := m.heal(ctx, repo); healed != nil {
			return nil, fmt.Errorf("%w: %s %s: %w", ErrDamaged, kind, id, err)
		}
		o, data, err = m.objects.contents(ctx, id, limit)
	}
	switch {
	case errors.Is(err, errMissing):
		return nil, fmt.Errorf("%w: %s %s is no longer in the repository", ErrDamaged, kind, id)
	case err != nil:
		return nil, err
	case o.kind != kind:
		return nil, fmt.Errorf("%w: %s is a %s, not a %s", ErrDamaged, id, o.kind, kind)
	}
	return data, nil
}

func (s *Snapshot) tree(ctx context.Context, id ObjectID) (tree, error) {
	key := objectKey{mirror: s.mirror, id: id}
	cache := s.mirror.all.cache
	if c, ok := cache.get(key); ok {
		return c.tree, nil
	}
	raw, err := s.load(ctx, id, kindTree, maxTree)
	if err != nil {
		return nil, err
	}
	t, err := parseTree(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	cache.put(key, cached{tree: t})
	return t, nil
}

// blob reads a file of at most limit bytes; the result is shared and must not be changed.
func (s *Snapshot) blob(id ObjectID, limit int64) ([]byte, error) {
	key := objectKey{mirror: s.mirror, id: id}
	cache := s.mirror.all.cache
	if c, ok := cache.get(key); ok {
		return c.blob, nil
	}
	data, err := s.load(s.mirror.all.ctx, id, kindBlob, limit)
	if err == nil {
		cache.put(key, cached{blob: data})
	}
	return data, err
}

// Prefetch reads files in one step that are going to be read. What cannot be read is left to whoever reads it.
func (s *Snapshot) Prefetch(names []string) {
	var ids []ObjectID
	for _, name := range names {
		n, err := s.find("readfile", name, true)
		if err != nil || n.s != s || n.mode == modeTree || n.mode == modeModule {
			continue
		}
		if _, ok := s.mirror.all.cache.get(objectKey{mirror: s.mirror, id: n.id}); !ok {
			ids = append(ids, n.id)
		}
	}
	if len(ids) < 2 {
		return
	}
	_ = s.mirror.objects.together(s.mirror.all.ctx, ids, s.mirror.all.o.MaxFileSize, func(o object, data []byte) {
		if o.kind == kindBlob {
			s.mirror.all.cache.put(objectKey{mirror: s.mirror, id: o.id}, cached{blob: data})
		}
	})
}

// content is what a file shows: its blob, or the object of Git LFS that it points to. The result is shared.
func (s *Snapshot) content(id ObjectID) ([]byte, error) {
	limit := s.mirror.all.o.MaxFileSize
	if !s.repo.EnableLFS {
		return s.blob(id, limit)
	}
	key := objectKey{mirror: s.mirror, id: id, of: ofLFS}
	if c, ok := s.mirror.all.cache.get(key); ok {
		return c.blob, nil
	}
	data, err := s.blob(id, limit)
	if err != nil {
		return nil, err
	}
	p, ok := parsePointer(data)
	if !ok {
		return data, nil
	}
	if data, err = s.lfsObject(p); err == nil {
		s.mirror.all.cache.put(key, cached{blob: data})
	}
	return data, err
}

// size is the size of what a file shows, without reading it, or -1 when it cannot be found out.
func (s *Snapshot) size(id ObjectID) int64 {
	size := s.blobSize(id)
	if !s.repo.EnableLFS || size < 0 || size > maxPointer {
		return size
	}
	data, err := s.blob(id, maxPointer)
	if err != nil {
		return -1
	}
	if p, ok := parsePointer(data); ok {
		return p.size
	}
	return size
}

func (s *Snapshot) blobSize(id ObjectID) int64 {
	key := objectKey{mirror: s.mirror, id: id}
	cache := s.mirror.all.cache
	if c, ok := cache.get(key); ok {
		return int64(len(c.blob))
	}
	key.of = ofSize
	if c, ok := cache.get(key); ok {
		return c.size
	}
	o, err := s.mirror.objects.info(s.mirror.all.ctx, id.String())
	if err != nil {
		return -1
	}
	cache.put(key, cached{size: o.size})
	return o.size
}

// Open opens a file or a folder.
func (s *Snapshot) Open(name string) (fs.File, error) {
	n, err := s.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if n.mode == modeTree || n.mode == modeModule {
		entries, err := n.list()
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &openDir{info: n.info(name), entries: entries}, nil
	}
	return &openFile{info: n.info(name), load: func() ([]byte, error) { return n.s.content(n.id) }}, nil
}

// ReadFile reads a whole file. One larger than Options.MaxFileSize gives ErrTooLarge.
func (s *Snapshot) ReadFile(name string) ([]byte, error) {
	n, err := s.find("readfile", name, true)
	if err != nil {
		return nil, err
	}
	if n.mode == modeTree || n.mode == modeModule {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: errIsFolder}
	}
	data, err := n.s.content(n.id)
	if err != nil {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: err}
	}
	return slices.Clone(data), nil
}

// ReadDir lists a folder by name.
func (s *Snapshot) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := s.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if n.mode != modeTree && n.mode != modeModule {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errIsFile}
	}
	entries, err := n.list()
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return entries, nil
}

// Stat describes a file or folder, after links.
func (s *Snapshot) Stat(name string) (fs.FileInfo, error) {
	n, err := s.find("stat", name, true)
	if err != nil {
		return nil, err
	}
	return n.info(name), nil
}

// Lstat describes a file, a folder or a symbolic link.
func (s *Snapshot) Lstat(name string) (fs.FileInfo, error) {
	n, err := s.find("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return n.info(name), nil
}

// ReadLink gives the target of a symbolic link as it stands in the repository.
func (s *Snapshot) ReadLink(name string) (string, error) {
	n, err := s.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.mode != modeLink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := n.s.blob(n.id, maxLink)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(target), nil
}

// list gives the entries of a folder. The submodule of an entry is not entered for it.
func (n node) list() ([]fs.DirEntry, error) {
	in, id, dir := n.s, n.id, n.path
	if n.mode == modeModule {
		sub, err := n.s.enter(n.path, n.id)
		if err != nil || sub == nil {
			return nil, err
		}
		in, id, dir = sub, sub.root, ""
	}
	t, err := in.tree(in.mirror.all.ctx, id)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, len(t))
	for i, e := range t {
		one := &info{s: in, name: e.name, mode: e.mode, id: e.id}
		if e.mode == modeModule {
			one.path = path.Join(dir, e.name)
		}
		entries[i] = one
	}
	return entries, nil
}

// readable reports whether a target of a link can be followed at all.
func readable(target []byte) bool {
	return len(target) > 0 && utf8.Valid(target) && !strings.Contains(string(target), "\x00")
}
