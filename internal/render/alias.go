package render

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// maxExpanded bounds what one document may grow to when its aliases are written out, in bytes.
const maxExpanded = 32 << 20

// CheckAliases refuses a YAML text that is no manifest, such as a values file, whose aliases would expand to too much.
// What is not YAML passes.
func CheckAliases(file string, text []byte) error {
	err := checkAliases(text, ManifestError{File: file, Line: 1})
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return nil
}

// checkAliases refuses a document whose aliases would expand to more than maxExpanded. The document's own size is the
// business of the limits on files.
func checkAliases(text []byte, at ManifestError) error {
	if bytes.IndexByte(text, '*') < 0 || bytes.IndexByte(text, '&') < 0 {
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return at.syntax(err)
	}
	e := expansion{sizes: map[*yaml.Node]int{}}
	size, err := e.size(&root)
	switch {
	case err != nil:
		at.Problem = err.Error()
		return &at
	case size > maxExpanded:
		at.Problem = fmt.Sprintf("aliases expand to more than %d bytes", maxExpanded)
		return fmt.Errorf("%w: %w", ErrTooLarge, &at)
	}
	return nil
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
			return 0, fmt.Errorf("anchor %q contains itself", n.Anchor)
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
