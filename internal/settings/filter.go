package settings

import (
	"fmt"
	"slices"

	"github.com/gobwas/glob"
	"sigs.k8s.io/yaml"
)

// ResourceFilter says which kinds of objects are looked at in which cluster.
type ResourceFilter struct {
	// Exclusions are kinds that are left alone, in addition to the events, metrics and leases that always are.
	Exclusions []ResourceRule
	// Inclusions, where there are some for a cluster, are the only kinds that are looked at there.
	Inclusions []ResourceRule
}

// ResourceRule matches kinds of objects in clusters. An empty list matches everything.
type ResourceRule struct {
	// APIGroups are glob patterns of API groups; the empty text is the core group.
	APIGroups []Pattern
	// Kinds are exact kinds, or "*".
	Kinds []string
	// Clusters are glob patterns of cluster addresses.
	Clusters []Pattern
}

// Excludes tells whether objects of this kind are left alone in the cluster with this address. An exclusion goes before
// an inclusion.
func (f ResourceFilter) Excludes(group, kind, cluster string) bool {
	if alwaysExcluded(group, kind) {
		return true
	}
	matches := func(r ResourceRule) bool { return r.matches(group, kind, cluster) }
	if slices.ContainsFunc(f.Exclusions, matches) {
		return true
	}
	if slices.ContainsFunc(f.Inclusions, matches) {
		return false
	}
	return slices.ContainsFunc(f.Inclusions, func(r ResourceRule) bool { return anyPattern(r.Clusters, cluster) })
}

// alwaysExcluded holds for objects that nobody keeps in Git and that change all the time.
func alwaysExcluded(group, kind string) bool {
	switch group {
	case "events.k8s.io", "metrics.k8s.io":
		return true
	case "":
		return kind == "Event"
	case "coordination.k8s.io":
		return kind == "Lease"
	default:
		return false
	}
}

func (r ResourceRule) matches(group, kind, cluster string) bool {
	kinds := len(r.Kinds) == 0 || slices.Contains(r.Kinds, "*") || slices.Contains(r.Kinds, kind)
	return kinds && anyPattern(r.APIGroups, group) && anyPattern(r.Clusters, cluster)
}

func anyPattern(patterns []Pattern, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(s) })
}

// Pattern is a compiled glob pattern, in which * stands for any text.
type Pattern struct {
	text string
	glob *glob.Pattern
}

// NewPattern compiles a glob pattern.
func NewPattern(text string) (Pattern, error) {
	g, err := glob.Compile(text)
	if err != nil {
		return Pattern{}, fmt.Errorf("%q is not a glob pattern: %w", text, err)
	}
	return Pattern{text: text, glob: g}, nil
}

// Match tells whether the whole text matches.
func (p Pattern) Match(s string) bool {
	return p.text == s || p.glob != nil && p.glob.Match(s)
}

// String gives the pattern as it was written.
func (p Pattern) String() string {
	return p.text
}

func resourceRules(s string) ([]ResourceRule, error) {
	var list []struct {
		APIGroups []string `json:"apiGroups"`
		Kinds     []string `json:"kinds"`
		Clusters  []string `json:"clusters"`
	}
	if err := yaml.Unmarshal([]byte(s), &list); err != nil {
		return nil, fmt.Errorf("the value is not a YAML list of apiGroups, kinds and clusters: %w", err)
	}
	rules := make([]ResourceRule, 0, len(list))
	for _, r := range list {
		groups, err := patterns(r.APIGroups)
		if err != nil {
			return nil, err
		}
		clusters, err := patterns(r.Clusters)
		if err != nil {
			return nil, err
		}
		rules = append(rules, ResourceRule{APIGroups: groups, Kinds: r.Kinds, Clusters: clusters})
	}
	return rules, nil
}

func patterns(texts []string) ([]Pattern, error) {
	out := make([]Pattern, 0, len(texts))
	for _, t := range texts {
		p, err := NewPattern(t)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
