package kustomize

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// maxExpanded bounds what the documents of a file may grow to when their aliases are written out, which Kustomize does.
const maxExpanded = 32 << 20

// checkAliases refuses YAML whose aliases expand to too much, or to themselves. What is not YAML passes: it has no
// aliases, and Kustomize says what is wrong with it.
func checkAliases(content []byte) error {
	if bytes.IndexByte(content, '&') < 0 || bytes.IndexByte(content, '*') < 0 {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	e := expansion{sizes: map[*yaml.Node]int{}}
	total := 0
	for {
		var root yaml.Node
		if decoder.Decode(&root) != nil {
			return nil //nolint:nilerr // the end, or no YAML
		}
		size, err := e.size(&root)
		if err != nil {
			return err
		}
		if total += size; total > maxExpanded {
			return fmt.Errorf("%w: aliases expand to more than %d bytes", render.ErrTooLarge, maxExpanded)
		}
	}
}

// expansion sums up sizes, each node once.
type expansion struct {
	sizes map[*yaml.Node]int
}

func (e *expansion) size(n *yaml.Node) (int, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if size, ok := e.sizes[n]; ok {
		if size < 0 {
			return 0, fmt.Errorf("%w: anchor %q contains itself", render.ErrInvalidManifest, n.Anchor)
		}
		return size, nil
	}
	e.sizes[n] = -1
	total := len(n.Value) + 8
	for _, child := range n.Content {
		size, err := e.size(child)
		if err != nil {
			return 0, err
		}
		total = min(total+size, maxExpanded+1) // does not overflow
	}
	e.sizes[n] = total
	return total, nil
}
