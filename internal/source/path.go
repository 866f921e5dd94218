package source

import (
	"io/fs"
	"strings"
)

const (
	maxLinks = 40   // symbolic links on one path
	maxLink  = 4096 // bytes in the target of one
)

// node is what a path leads to.
type node struct {
	id     ObjectID
	mode   uint32
	linked bool // a symbolic link was followed on the way
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

func (s *Snapshot) walk(rest string, follow bool) (node, error) {
	type folder struct {
		id   ObjectID
		tree tree
	}
	var room [16]folder
	way := append(room[:0], folder{s.root, s.top}) // from the root to where we are
	links := 0
	for rest != "" {
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
		e, ok := way[len(way)-1].tree.find(part)
		if !ok {
			return node{}, fs.ErrNotExist
		}
		switch e.mode {
		case modeTree:
			t, err := s.tree(s.mirror.all.ctx, e.id)
			if err != nil {
				return node{}, err
			}
			way = append(way, folder{e.id, t})
		case modeLink:
			if !more && !follow {
				return node{id: e.id, mode: e.mode, linked: links > 0}, nil
			}
			if links++; links > maxLinks {
				return node{}, ErrLinkLoop
			}
			target, err := s.blob(e.id, maxLink)
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
			if strings.Trim(rest, "/.") != "" {
				return node{}, ErrSubmodule
			}
			return node{id: e.id, mode: e.mode, linked: links > 0}, nil
		default:
			if strings.Trim(rest, "/") != "" {
				return node{}, fs.ErrNotExist // a file cannot contain anything
			}
			return node{id: e.id, mode: e.mode, linked: links > 0}, nil
		}
	}
	return node{id: way[len(way)-1].id, mode: modeTree, linked: links > 0}, nil
}
