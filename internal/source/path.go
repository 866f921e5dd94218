package source

import (
	"fmt"
	"io/fs"
	"strings"
)

const (
	maxLinks = 40   // symbolic links on one path
	maxLink  = 4096 // bytes in the target of one
)

// node is what a path leads to.
type node struct {
	s      *Snapshot // that has it: the one asked, or that of a submodule
	id     ObjectID
	mode   uint32
	path   string // within s, of a folder or a submodule
	linked bool   // a symbolic link was followed on the way
}

// find walks to name. With follow a link at its end is followed too.
func (s *Snapshot) find(op, name string, follow bool) (node, error) {
	if !fs.ValidPath(name) {
		return node{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := s.walk(name, follow)
	if err != nil {
		return node{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, nil
}

// folder is one step of the way to a path.
type folder struct {
	s      *Snapshot
	id     ObjectID
	tree   tree
	part   string
	module bool // the root of a submodule; what it is called stands in the snapshot before
}

func (s *Snapshot) walk(name string, follow bool) (node, error) {
	var room [16]folder
	way := append(room[:0], folder{s: s, id: s.root, tree: s.top}) // from the root to where we are
	links, crossed := 0, false
	for rest := name; rest != ""; {
		part, after, more := strings.Cut(rest, "/")
		rest = after
		switch part {
		case "", ".":
			continue
		case "..": // only in the target of a link
			if len(way) == 1 {
				return node{}, ErrLinkOutside
			}
			way = way[:len(way)-1]
			continue
		}
		at := way[len(way)-1]
		e, ok := at.tree.find(part)
		switch {
		case !ok && at.module && at.s == nil:
			return node{}, fmt.Errorf("%w: submodules are switched off", ErrSubmodule)
		case !ok:
			return node{}, fs.ErrNotExist
		}
		switch e.mode {
		case modeTree:
			t, err := at.s.tree(at.s.mirror.all.ctx, e.id)
			if err != nil {
				return node{}, err
			}
			way = append(way, folder{s: at.s, id: e.id, tree: t, part: part})
		case modeLink:
			if !more && !follow {
				return node{s: at.s, id: e.id, mode: e.mode, linked: links > 0}, nil
			}
			if links++; links > maxLinks {
				return node{}, ErrLinkLoop
			}
			target, err := at.s.blob(e.id, maxLink)
			if err != nil {
				return node{}, err
			}
			if !readable(target) {
				return node{}, fs.ErrInvalid
			}
			if target[0] == '/' {
				return node{}, ErrLinkOutside
			}
			rest = string(target) + "/" + rest
		case modeModule:
			next := folder{id: e.id, part: part, module: true}
			if strings.Trim(rest, "/") != "" {
				sub, err := at.s.enter(pathOf(append(way, next)), e.id)
				if err != nil {
					return node{}, err
				}
				if sub != nil {
					next.s, next.tree = sub, sub.top
				}
			}
			way, crossed = append(way, next), true
		default:
			if strings.Trim(rest, "/") != "" {
				return node{}, fs.ErrNotExist // a file cannot contain anything
			}
			return node{s: at.s, id: e.id, mode: e.mode, linked: links > 0}, nil
		}
	}
	last := way[len(way)-1]
	n := node{s: last.s, id: last.id, mode: modeTree, path: name, linked: links > 0}
	if links > 0 || crossed || name == "." {
		n.path = pathOf(way)
	}
	if last.module {
		n.s, n.mode = way[len(way)-2].s, modeModule
	}
	return n, nil
}

// pathOf is the path of the last folder within the snapshot that names it.
func pathOf(way []folder) string {
	from := len(way) - 1
	for from > 0 && !way[from-1].module {
		from--
	}
	if from == 0 {
		from = 1 // the root has no name
	}
	var parts []string
	for _, f := range way[min(from, len(way)):] {
		parts = append(parts, f.part)
	}
	return strings.Join(parts, "/")
}
