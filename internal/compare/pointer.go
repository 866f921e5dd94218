package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")

// parsePointer reads a JSON pointer (RFC 6901).
func parsePointer(text string) ([]string, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("%q is no JSON pointer; it has to begin with /, as in /spec/replicas", text)
	}
	steps := strings.Split(text[1:], "/")
	for i := range steps {
		steps[i] = unescapePointer.Replace(steps[i])
	}
	return steps, nil
}

// removeAt removes the field or the item that a pointer leads to, if there is one.
func removeAt(object map[string]any, pointer []string) {
	remove(object, pointer)
}

// remove returns node without what the steps lead to.
func remove(node any, steps []string) any {
	switch node := node.(type) {
	case map[string]any:
		child, ok := node[steps[0]]
		switch {
		case !ok:
		case len(steps) == 1:
			delete(node, steps[0])
		default:
			node[steps[0]] = remove(child, steps[1:])
		}
		return node
	case []any:
		i, err := strconv.Atoi(steps[0])
		switch {
		case err != nil || i < 0 || i >= len(node):
		case len(steps) == 1:
			return slices.Delete(node, i, i+1)
		default:
			node[i] = remove(node[i], steps[1:])
		}
		return node
	default:
		return node
	}
}
