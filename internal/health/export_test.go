package health

import (
	"maps"
	"slices"
)

// Kinds are the names of all kinds with an assessment of their own, as group/kind.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Groups are the patterns of whole groups.
func Groups() []string {
	out := make([]string, 0, len(patterns))
	for _, p := range patterns {
		out = append(out, p.group)
	}
	return out
}
