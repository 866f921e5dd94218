package source

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Modes of tree entries, as Git writes them.
const (
	modeTree   = 0o040000
	modeFile   = 0o100644
	modeExec   = 0o100755
	modeGroup  = 0o100664 // written by old versions of git
	modeLink   = 0o120000
	modeModule = 0o160000
)

// entry is one name in a tree.
type entry struct {
	name string
	mode uint32
	id   ObjectID
}

// tree is a parsed tree object: entries sorted by name.
type tree []entry

func (e entry) fileMode() fs.FileMode {
	switch e.mode {
	case modeTree, modeModule:
		return fs.ModeDir | 0o755
	case modeExec:
		return 0o755
	case modeLink:
		return fs.ModeSymlink | 0o777
	}
	return 0o644
}

// parseTree reads the content of a tree object. It is strict: names that could lead anywhere else, unknown modes,
// names that occur twice and cut entries are errors.
func parseTree(raw []byte) (tree, error) {
	text := string(raw) // one copy that all names share
	var t tree
	for at := 0; at < len(raw); {
		space := bytes.IndexByte(raw[at:], ' ')
		if space < 0 || space > 6 {
			return nil, fmt.Errorf("reading tree: entry at byte %d has no mode", at)
		}
		mode, err := parseMode(text[at : at+space])
		if err != nil {
			return nil, err
		}
		at += space + 1
		end := bytes.IndexByte(raw[at:], 0)
		if end < 0 || at+end+1+len(ObjectID{}) > len(raw) {
			return nil, fmt.Errorf("reading tree: entry at byte %d is cut", at)
		}
		e := entry{name: text[at : at+end], mode: mode}
		if e.name == "" || e.name == "." || e.name == ".." || strings.Contains(e.name, "/") {
			return nil, fmt.Errorf("reading tree: name %q is not allowed", e.name)
		}
		at += end + 1
		at += copy(e.id[:], raw[at:])
		t = append(t, e)
	}
	slices.SortFunc(t, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(t); i++ {
		if t[i].name == t[i-1].name {
			return nil, fmt.Errorf("reading tree: name %q occurs twice", t[i].name)
		}
	}
	return t, nil
}

func parseMode(s string) (uint32, error) {
	var mode uint32
	for _, c := range []byte(s) {
		if c < '0' || c > '7' {
			return 0, fmt.Errorf("reading tree: mode %q is not octal", s)
		}
		mode = mode<<3 | uint32(c-'0')
	}
	switch mode {
	case modeTree, modeFile, modeExec, modeGroup, modeLink, modeModule:
		return mode, nil
	}
	return 0, fmt.Errorf("reading tree: mode %q is unknown", s)
}

func (t tree) find(name string) (entry, bool) {
	i, ok := slices.BinarySearchFunc(t, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return entry{}, false
	}
	return t[i], true
}
