package render

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// fileReads is what a renderer has seen of one file system, in a form that is quickly compared with another commit.
type fileReads struct {
	// root is the object id of the root at that time.
	root string
	// groups are reads that lie below one folder: when the folder's tree is the same, so are they all.
	groups []readGroup
	// single reads are compared one by one: they lie below no folder of known id, or behind a symbolic link.
	single []read
	// vague: something was seen that cannot be compared, so that only the same root will do.
	vague bool
}

type readGroup struct {
	folder string
	id     string
	reads  []read
}

// finish sums up. Nothing may be read through the recorder afterwards.
func (r *recorder) finish() *fileReads {
	r.mu.Lock()
	defer r.mu.Unlock()
	reads := make([]read, 0, len(r.reads))
	folders := map[string]string{}
	for _, one := range r.reads {
		reads = append(reads, one)
		if one.mode.IsDir() && !one.linked && one.seen != seenLink {
			folders[one.name] = one.id
		}
	}
	slices.SortFunc(reads, func(a, b read) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.seen, b.seen))
	})
	set := &fileReads{root: r.root, vague: r.vague}
	at := map[string]int{}
	for _, one := range reads {
		folder := cover(one, folders)
		if folder == "" {
			set.single = append(set.single, one)
			continue
		}
		i, ok := at[folder]
		if !ok {
			i = len(set.groups)
			at[folder] = i
			set.groups = append(set.groups, readGroup{folder: folder, id: folders[folder]})
		}
		set.groups[i].reads = append(set.groups[i].reads, one)
	}
	return set
}

// cover is the highest folder of known id, the root apart, whose tree decides what was seen; or empty.
func cover(one read, folders map[string]string) string {
	if one.linked {
		return ""
	}
	if one.seen == seenNothing {
		// The way to something that is not there may lead over a link. It does not when the folder was seen itself.
		if _, ok := folders[path.Dir(one.name)]; !ok {
			return ""
		}
	}
	for i, c := range one.name + "/" {
		if c != '/' {
			continue
		}
		if _, ok := folders[one.name[:i]]; ok && one.name[:i] != "." {
			return one.name[:i]
		}
	}
	return ""
}

// holds reports whether everything that was seen is the same in another file system.
func (s *fileReads) holds(fsys fs.FS) bool {
	if s.vague {
		return false
	}
	for _, one := range s.single {
		if !one.holds(fsys) {
			return false
		}
	}
	for _, g := range s.groups {
		info, err := fs.Stat(fsys, g.folder)
		if err == nil && objectID(info) == g.id && !isLinked(info) {
			continue
		}
		for _, one := range g.reads {
			if !one.holds(fsys) {
				return false
			}
		}
	}
	return true
}

func (one read) holds(fsys fs.FS) bool {
	var info fs.FileInfo
	var err error
	if one.seen == seenLink {
		info, err = fs.Lstat(fsys, one.name)
	} else {
		info, err = fs.Stat(fsys, one.name)
	}
	if one.seen == seenNothing {
		return errors.Is(err, fs.ErrNotExist)
	}
	if err != nil || isLinked(info) != one.linked {
		return false
	}
	same := objectID(info) == one.id
	switch one.seen {
	case seenContent, seenTree:
		return same
	case seenNames:
		if same || !info.IsDir() {
			return same
		}
		entries, err := fs.ReadDir(fsys, one.name)
		return err == nil && hashNames(entries) == one.names
	}
	// A folder shows nothing of its content to those who only ask whether it is there.
	return info.Mode() == one.mode && (same || info.IsDir())
}

// bytes is roughly the memory of the set.
func (s *fileReads) bytes() int64 {
	n := int64(96)
	count := func(reads []read) {
		for _, one := range reads {
			n += 96 + int64(len(one.name))
		}
	}
	count(s.single)
	for _, g := range s.groups {
		n += 64
		count(g.reads)
	}
	return n
}

// hashNames sums up the names and types of a listing.
func hashNames(entries []fs.DirEntry) (sum namesHash) {
	var b []byte
	for _, e := range entries {
		b = append(append(b, e.Name()...), 0)
		b = binary.BigEndian.AppendUint32(b, uint32(e.Type()))
	}
	full := sha256.Sum256(b)
	copy(sum[:], full[:])
	return sum
}

// namesHash stands for the names and types in a folder.
type namesHash [16]byte

func (s *fileReads) empty() bool { return !s.vague && len(s.groups) == 0 && len(s.single) == 0 }
