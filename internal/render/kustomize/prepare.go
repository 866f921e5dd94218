package kustomize

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// preparer walks the kustomizations that a build will read, and rewrites their files.
type preparer struct {
	ctx      context.Context
	fs       *filesystem
	external render.External
	options  buildOptions
	charts   chartRenderer
	// ready are the folders that are done, by virtual path.
	ready map[string]bool
	// way are the folders from the source's own to the one at hand.
	way []string
	// own is the source's kustomization file.
	own string
	// ownSchema: a kustomization brings an OpenAPI schema, or names one.
	ownSchema bool
	// ownLabels: a kustomization brings configurations, which may say where labels go.
	ownLabels bool
	downloads map[string]string
	numbered  int
}

func isKustomization(base string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), base)
}

// ignoreMissing turns the error of a file that does not exist into none.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// relative is the path from a folder to a name, both virtual or both of one repository.
func relative(dir, name string) string {
	r, err := filepath.Rel(dir, name)
	if err != nil {
		return name
	}
	return r
}

// folder prepares the kustomization of a folder, with all that it refers to. dir has no symbolic links in it.
func (p *preparer) folder(m *mount, dir string, apply func(*types.Kustomization) error) error {
	if p.ctx.Err() != nil {
		return context.Cause(p.ctx)
	}
	virtual := m.virtual(dir)
	if slices.Contains(p.way, virtual) {
		var names []string
		for _, v := range append(slices.Clone(p.way), virtual) {
			names = append(names, p.fs.display(v))
		}
		return fmt.Errorf("%w: the kustomizations refer to each other in a circle: %s",
			render.ErrInvalidManifest, strings.Join(names, " -> "))
	}
	if p.ready[virtual] {
		return nil
	}
	if len(p.way) >= maxDepth {
		return fmt.Errorf("%s: %w: bases are nested more than %d deep", m.display(dir), render.ErrTooLarge, maxDepth)
	}
	if len(p.ready) >= maxFolders {
		return fmt.Errorf("%w: more than %d kustomizations", render.ErrTooLarge, maxFolders)
	}
	p.way = append(p.way, virtual)
	defer func() { p.way = p.way[:len(p.way)-1] }()

	name, content, err := p.find(m, dir)
	if err != nil {
		return err
	}
	if len(p.way) == 1 {
		p.own = name
	}
	k, err := parseKustomization(content)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", m.display(name), render.ErrInvalidManifest, err)
	}
	if apply != nil {
		if err := apply(k); err != nil {
			return err
		}
	}
	r := rewriter{preparer: p, mount: m, dir: dir, file: name, namespace: k.Namespace}
	if r.namespace == "" {
		r.namespace = m.namespace
	}
	if err := r.kustomization(k); err != nil {
		return err
	}
	text, err := marshalKustomization(k)
	if err != nil {
		return fmt.Errorf("%s: %w", m.display(name), err)
	}
	p.fs.ours[m.virtual(name)] = text
	p.ready[virtual] = true
	return nil
}

// find reads the kustomization file of a folder. There must be one, by one of its three names.
func (p *preparer) find(m *mount, dir string) (name string, content []byte, err error) {
	var found []string
	for _, base := range konfig.RecognizedKustomizationFileNames() {
		candidate := path.Join(dir, base)
		text, err := p.fs.raw(m, candidate)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("%s: %w", m.display(candidate), err)
		}
		name, content = candidate, text
		found = append(found, base)
	}
	switch len(found) {
	case 1:
		return name, content, nil
	case 0:
		return "", nil, fmt.Errorf("%w: unable to find one of %s in %s", render.ErrInvalidManifest,
			strings.Join(konfig.RecognizedKustomizationFileNames(), ", "), describe(m, dir))
	}
	return "", nil, fmt.Errorf("%w: found multiple kustomization files in %s: %s; keep one of them",
		render.ErrInvalidManifest, describe(m, dir), strings.Join(found, ", "))
}

// describe names a folder.
func describe(m *mount, dir string) string {
	if shown := m.display(dir); shown != "." {
		return shown
	}
	return "the root of the repository"
}

func parseKustomization(content []byte) (*types.Kustomization, error) {
	var k types.Kustomization
	if err := k.Unmarshal(content); err != nil {
		return nil, err
	}
	k.FixKustomization()
	if err := k.CheckEmpty(); err != nil {
		return nil, errors.New("the kustomization is empty")
	}
	if problems := k.EnforceFields(); len(problems) > 0 {
		return nil, errors.New(strings.Join(problems, "; "))
	}
	return &k, nil
}

// marshalKustomization writes a kustomization. One without content, such as one with an empty list of resources, must
// not look like an empty file.
func marshalKustomization(k *types.Kustomization) ([]byte, error) {
	text, err := yaml.Marshal(k)
	if err != nil {
		return nil, err
	}
	var again types.Kustomization
	if err := again.Unmarshal(text); err != nil {
		return nil, err
	}
	if again.CheckEmpty() != nil {
		text = append(text, "resources: []\n"...)
	}
	return text, nil
}

// number makes a file of ours in a folder, and gives its path.
func (p *preparer) number(m *mount, dir, base, shown string, content []byte) string {
	p.numbered++
	name := path.Join(dir, fmt.Sprintf(".fairlead-%d-%s", p.numbered, safeName(base)))
	virtual := m.virtual(name)
	p.fs.ours[virtual] = content
	p.fs.shown[virtual] = shown
	return virtual
}

// safeName keeps of a name what is good in a path.
func safeName(base string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, base)
}
