package health

import (
	"encoding/json"
	"slices"
)

// at walks down nested maps. It gives nil when a step is missing or is no map.
func at(obj map[string]any, path ...string) any {
	var v any = obj
	for _, step := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[step]
	}
	return v
}

func text(obj map[string]any, path ...string) string {
	s, _ := at(obj, path...).(string)
	return s
}

func flag(obj map[string]any, path ...string) bool {
	b, _ := at(obj, path...).(bool)
	return b
}

// number gives the integer at the path. Objects read from YAML, JSON or built by hand hold integers as different types.
func number(obj map[string]any, path ...string) (int64, bool) {
	switch n := at(obj, path...).(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case int32:
		return int64(n), true
	case float64:
		return int64(n), true
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	default:
		return 0, false
	}
}

// amount is number with zero for an absent value, which is what an absent value in a status means.
func amount(obj map[string]any, path ...string) int64 {
	n, _ := number(obj, path...)
	return n
}

// items gives the maps in the list at the path and leaves out everything else.
func items(obj map[string]any, path ...string) []map[string]any {
	list, _ := at(obj, path...).([]any)
	out := make([]map[string]any, 0, len(list))
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func texts(obj map[string]any, path ...string) []string {
	list, _ := at(obj, path...).([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}

func annotation(obj map[string]any, key string) string {
	return text(obj, "metadata", "annotations", key)
}

// condition is an entry of status.conditions.
type condition struct {
	kind, status, reason, message string
	// since is when the status last changed, as text of the API.
	since string
	// severity is Cluster API's, of conditions that are not true.
	severity string
	// generation is the one that the condition speaks of; seen tells whether it says so.
	generation int64
	seen       bool
}

func conditions(obj map[string]any) []condition {
	return conditionsAt(obj, "status", "conditions")
}

func conditionsAt(obj map[string]any, path ...string) []condition {
	list := items(obj, path...)
	out := make([]condition, 0, len(list))
	for _, c := range list {
		out = append(out, readCondition(c))
	}
	return out
}

func readCondition(c map[string]any) condition {
	generation, seen := number(c, "observedGeneration")
	return condition{
		kind: text(c, "type"), status: text(c, "status"), reason: text(c, "reason"), message: text(c, "message"),
		since: text(c, "lastTransitionTime"), severity: text(c, "severity"), generation: generation, seen: seen,
	}
}

// why gives the words of the condition, or its reason when it has none.
func (c condition) why() string { return orElse(c.message, c.reason) }

// because joins what is so with why, as far as there is a why.
func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}
