package source

import (
	"context"
	"fmt"
	"slices"
)

// maxChanges bounds what ChangedPaths lists.
const maxChanges = 100_000

// ChangedPaths lists the files that differ between two commits, sorted: added, removed, changed in content or in mode.
// A submodule whose recorded commit differs is listed by its folder. Only folders that differ are read. More than
// 100,000 files give ErrTooLarge. Other errors are *Error.
func (m *Mirrors) ChangedPaths(ctx context.Context, repo Repository, from, to string) ([]string, error) {
	a, err := m.Snapshot(ctx, repo, from)
	if err != nil {
		return nil, err
	}
	b, err := m.Snapshot(ctx, repo, to)
	if err != nil {
		return nil, err
	}
	if a.root == b.root {
		return nil, nil
	}
	c := changes{s: b, ctx: ctx}
	if err := c.compare("", a.top, b.top, 0); err != nil {
		return nil, a.repo.fail(ErrDamaged, err, "comparing %.7s with %.7s: %v", from, to, err)
	}
	slices.Sort(c.paths)
	return c.paths, nil
}

// maxTreeDepth bounds folders in folders where they are walked.
const maxTreeDepth = 1000

// changes collects the paths that differ between two trees of one repository.
type changes struct {
	s     *Snapshot
	ctx   context.Context
	paths []string
}

// compare walks two folders that are sorted by name, side by side.
func (c *changes) compare(dir string, a, b tree, depth int) error {
	if depth > maxTreeDepth {
		return fmt.Errorf("%w: folders are nested more than %d deep", ErrTooLarge, maxTreeDepth)
	}
	for len(a) > 0 || len(b) > 0 {
		var before, after entry
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].name < b[0].name:
			before, a = a[0], a[1:]
		case len(a) == 0 || b[0].name < a[0].name:
			after, b = b[0], b[1:]
		default:
			before, after = a[0], b[0]
			a, b = a[1:], b[1:]
		}
		if before.id == after.id && before.mode == after.mode {
			continue
		}
		if err := c.entry(dir, before, after, depth); err != nil {
			return err
		}
	}
	return nil
}

// entry notes one name that differs; a side that lacks it has mode zero.
func (c *changes) entry(dir string, before, after entry, depth int) error {
	name := dir + before.name
	if before.mode == 0 {
		name = dir + after.name
	}
	isFile := func(e entry) bool { return e.mode != 0 && e.mode != modeTree }
	if isFile(before) || isFile(after) {
		if len(c.paths) >= maxChanges {
			return fmt.Errorf("%w: more than %d files differ", ErrTooLarge, maxChanges)
		}
		c.paths = append(c.paths, name)
	}
	if before.mode != modeTree && after.mode != modeTree {
		return nil
	}
	var sides [2]tree
	for i, e := range []entry{before, after} {
		if e.mode != modeTree {
			continue
		}
		var err error
		if sides[i], err = c.s.tree(c.ctx, e.id); err != nil {
			return err
		}
	}
	return c.compare(name+"/", sides[0], sides[1], depth+1)
}
