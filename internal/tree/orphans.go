package tree

import (
	"github.com/gobwas/glob"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// Search says which objects of a namespace count as orphaned.
type Search struct {
	Namespace string
	// Ignore are those that may be there.
	Ignore []v1alpha1.OrphanedResourceKey
	// Owned tells whether an application with that instance name exists.
	Owned func(app string) bool
	// Permitted tells whether the project may hold objects of the kind; others are none of its business.
	Permitted func(group, kind, name string) bool
}

// Orphans returns the objects in a namespace that belong to nobody, and what came of them, ordered by kind and name.
func Orphans(live Live, s Search, health Health) []v1alpha1.ResourceNode {
	ignored := compile(s.Ignore)
	var out []v1alpha1.ResourceNode
	for _, o := range live.Orphans(s.Namespace, s.Owned) {
		if madeByKubernetes(o.Key) || ignored(o.Key) || !s.Permitted(o.Group, o.Kind, o.Name) {
			continue
		}
		out = append(out, nodeOf(live, o, health))
		for _, child := range live.Descendants(o.UID) {
			if child.App == "" || !s.Owned(child.App) {
				out = append(out, nodeOf(live, child, health))
			}
		}
	}
	sortNodes(out)
	return out
}

// madeByKubernetes are objects that every namespace has.
func madeByKubernetes(key cluster.Key) bool {
	if key.Group != "" {
		return false
	}
	switch key.Kind {
	case "ServiceAccount":
		return key.Name == "default"
	case "ConfigMap":
		return key.Name == "kube-root-ca.crt"
	case "Service", "Endpoints":
		return key.Namespace == "default" && key.Name == "kubernetes"
	default:
		return false
	}
}

// compile turns the rules of a project into one question. An empty kind or name matches all; a rule that is no pattern
// matches only its own text.
func compile(rules []v1alpha1.OrphanedResourceKey) func(cluster.Key) bool {
	type compiled struct{ group, kind, name func(string) bool }
	list := make([]compiled, 0, len(rules))
	for _, r := range rules {
		list = append(list, compiled{matcher(r.Group, false), matcher(r.Kind, true), matcher(r.Name, true)})
	}
	return func(key cluster.Key) bool {
		for _, c := range list {
			if c.group(key.Group) && c.kind(key.Kind) && c.name(key.Name) {
				return true
			}
		}
		return false
	}
}

func matcher(pattern string, emptyIsAll bool) func(string) bool {
	if pattern == "" && emptyIsAll {
		return func(string) bool { return true }
	}
	g, err := glob.Compile(pattern)
	if err != nil {
		return func(s string) bool { return s == pattern }
	}
	return g.Match
}
