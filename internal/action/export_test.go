package action

import (
	"maps"
	"slices"
)

// Kinds are the kinds with built-in actions, as group/kind.
func Kinds() []string { return slices.Sorted(maps.Keys(builtins)) }
