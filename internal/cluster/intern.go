package cluster

import (
	"bytes"
	"sync"
)

// maxInterned bounds the table of strings: clusters make new names all day, and old ones must not pile up.
const maxInterned = 20_000

// interner makes equal strings share their memory: namespaces, kinds, images, nodes and the like occur thousands of
// times. (The unique package does not serve here: it forgets a string as soon as no handle of it is left, and handles
// would have to show in the exported fields.) It is safe for concurrent use.
type interner struct {
	mu    sync.Mutex
	known map[string]string
}

// of returns the shared copy of s.
func (n *interner) of(s string) string {
	return n.bytes([]byte(s))
}

// json returns the shared copy of the content of a JSON string, empty for any other value.
func (n *interner) json(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return n.bytes(inner)
	}
	return n.of(text(value))
}

func (n *interner) bytes(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.known[string(b)]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= maxInterned {
		n.known = make(map[string]string)
	}
	s := string(b)
	n.known[s] = s
	return s
}
