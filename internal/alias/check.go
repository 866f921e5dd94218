package alias

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// MaxGrowth is how many bytes the aliases of a text may add to it, over all its documents.
const MaxGrowth = 32 << 20

// What may be wrong with a text. Test with errors.Is.
var (
	// ErrTooLarge: the aliases expand to more than MaxGrowth.
	ErrTooLarge = fmt.Errorf("aliases expand to more than %d bytes", MaxGrowth)
	// ErrEndless: an anchor contains itself.
	ErrEndless = errors.New("aliases without end")
	// ErrNotYAML: the text seems to have aliases, but is not YAML. The error's text is the YAML library's.
	ErrNotYAML = errors.New("not YAML")
)

// Check refuses a text whose aliases expand to too much, or to themselves, in any of its documents. What has no alias
// passes, YAML or not; what seems to have one and cannot be read is ErrNotYAML: what another library would make of it is
// not known.
func Check(text []byte) error {
	if !mayHave(text) {
		return nil
	}
	// The library lets a document refer to the anchors of those before, so that their sizes are kept.
	all := expansion{sizes: map[*yaml.Node]int64{}}
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &syntaxError{err}
		}
		if err := all.add(&root); err != nil {
			return err
		}
	}
}

// mayHave reports whether a text may have both an anchor and an alias: the signs with a character of a name behind them.
func mayHave(text []byte) bool {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return true // UTF-16, which YAML may be written in
	}
	return hasNamed(text, '&') && hasNamed(text, '*')
}

func hasNamed(text []byte, sign byte) bool {
	for {
		at := bytes.IndexByte(text, sign)
		if at < 0 || at+1 == len(text) {
			return false
		}
		switch c := text[at+1]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c >= 0x80:
			return true
		}
		text = text[at+1:]
	}
}

// syntaxError is ErrNotYAML with the library's text.
type syntaxError struct{ err error }

func (e *syntaxError) Error() string { return e.err.Error() }

// Is reports whether the target is ErrNotYAML.
func (e *syntaxError) Is(target error) bool { return target == ErrNotYAML }

// perNode is what a node costs beside its text.
const perNode = 8

// expansion sums up what documents are as written and expanded, each node once.
type expansion struct {
	written, expanded int64
	sizes             map[*yaml.Node]int64
}

func (e *expansion) add(root *yaml.Node) error {
	size, err := e.size(root)
	if err != nil {
		return err
	}
	if e.expanded += size; e.expanded-e.written > MaxGrowth {
		return ErrTooLarge
	}
	return nil
}

// inProgress is the size of a node that contains the one that is looked at.
const inProgress = -1

func (e *expansion) size(n *yaml.Node) (int64, error) {
	if n.Kind == yaml.AliasNode {
		size, ok := e.sizes[n.Alias]
		switch {
		case size == inProgress:
			return 0, fmt.Errorf("%w: anchor %q contains itself", ErrEndless, n.Value)
		case !ok:
			return e.size(n.Alias)
		}
		return size, nil
	}
	anchored := n.Anchor != ""
	if anchored {
		e.sizes[n] = inProgress
	}
	own := int64(len(n.Value)) + perNode
	e.written += own
	total := own
	for _, child := range n.Content {
		size, err := e.size(child)
		if err != nil {
			return 0, err
		}
		if total += size; total-e.written > MaxGrowth {
			return 0, ErrTooLarge // before the sum could overflow
		}
	}
	if anchored {
		e.sizes[n] = total
	}
	return total, nil
}
