package kustomize

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// mount is a file system at a place of the virtual one: the source's repository, or a remote one at one revision.
type mount struct {
	id   int
	fsys fs.FS
	// url and revision of a remote repository; empty for the source's own.
	url, revision string
	// via is the kustomization of the source's repository from which the way to a remote one begins.
	via string
	// namespace that charts below take over from the kustomization that refers to them.
	namespace string
}

// remote reports whether this is another repository than the source's.
func (m *mount) remote() bool { return m.url != "" }

// virtual is the path of a file or folder in the virtual file system.
func (m *mount) virtual(name string) string {
	return path.Join("/@"+strconv.Itoa(m.id), name)
}

// display is what users call a file or folder.
func (m *mount) display(name string) string {
	if !m.remote() {
		return name
	}
	if name == "." {
		name = ""
	}
	shown := withoutUser(m.url) + "//" + name
	if m.revision != "" {
		shown += "?ref=" + m.revision
	}
	return shown
}

// source is the file of the source's repository that answers for a file.
func (m *mount) source(name string) string {
	if m.remote() {
		return m.via
	}
	return name
}

// virtualPath finds paths of the virtual file system in messages.
var virtualPath = regexp.MustCompile(`(?:(?:\.\./)+|/)@(\d+)(/[^\s'"` + "`" + `:;,)]*)?`)

// split takes a virtual path apart.
func (f *filesystem) split(virtual string) (*mount, string, error) {
	rest, ok := strings.CutPrefix(path.Clean("/"+virtual), "/@")
	if !ok {
		return nil, "", fmt.Errorf("%s: %w", virtual, fs.ErrNotExist)
	}
	number, name, _ := strings.Cut(rest, "/")
	id, err := strconv.Atoi(number)
	if err != nil || id < 0 || id >= len(f.mounts) {
		return nil, "", fmt.Errorf("%s: %w", virtual, fs.ErrNotExist)
	}
	if name == "" {
		name = "."
	}
	return f.mounts[id], name, nil
}

// add mounts a file system.
func (f *filesystem) add(m mount) *mount {
	m.id = len(f.mounts)
	f.mounts = append(f.mounts, &m)
	return &m
}

// within reports whether name is dir or lies below it.
func within(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}

// maxLinks bounds symbolic links on one path.
const maxLinks = 40

// follow resolves symbolic links on the way to a name, and at its end.
func follow(fsys fs.FS, name string) (string, fs.FileInfo, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return "", nil, err
	}
	if l, ok := info.(interface{ Linked() bool }); ok && !l.Linked() {
		return name, info, nil
	}
	if _, ok := fsys.(fs.ReadLinkFS); !ok {
		return name, info, nil
	}
	resolved, rest, links := ".", name, 0
	for rest != "" {
		part, after, _ := strings.Cut(rest, "/")
		rest = after
		if part == "" || part == "." {
			continue
		}
		next := path.Join(resolved, part)
		if !fs.ValidPath(next) {
			return "", nil, fmt.Errorf("%s: the symbolic link leads out of the repository", name)
		}
		at, err := fs.Lstat(fsys, next)
		if err != nil {
			return "", nil, err
		}
		if at.Mode()&fs.ModeSymlink == 0 {
			resolved = next
			continue
		}
		if links++; links > maxLinks {
			return "", nil, fmt.Errorf("%s: more than %d symbolic links on the way", name, maxLinks)
		}
		target, err := fs.ReadLink(fsys, next)
		if err != nil {
			return "", nil, err
		}
		if path.IsAbs(target) {
			return "", nil, fmt.Errorf("%s: the symbolic link leads out of the repository", name)
		}
		rest = target + "/" + rest
	}
	return resolved, info, nil
}
