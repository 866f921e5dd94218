package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// query is what a request about Applications asks for.
type query struct {
	name      string
	names     []string
	namespace string
	projects  []string
	repo      string
	refresh   string
	selector  labels.Selector
	// after is the version after which changes are wanted; 0 for all.
	after uint64
}

func parseQuery(r *http.Request) (query, error) {
	v := r.URL.Query()
	selector, err := labels.Parse(v.Get("selector"))
	if err != nil {
		return query{}, failure(codeInvalidArgument, "the selector cannot be read: %s", err)
	}
	q := query{
		name: v.Get("name"), names: v["names"], namespace: v.Get("appNamespace"), repo: v.Get("repo"), refresh: v.Get("refresh"),
		projects: slices.Concat(v["projects"], v["project"]), selector: selector,
	}
	if q.repo != "" {
		q.repo = settings.NormalizeURL(q.repo)
	}
	if after, err := strconv.ParseUint(v.Get("resourceVersion"), 10, 64); err == nil {
		q.after = after
	}
	return q, nil
}

func (q query) matches(app *v1alpha1.Application) bool {
	return (q.name == "" || q.name == app.Name) &&
		(q.namespace == "" || q.namespace == app.Namespace) &&
		(len(q.names) == 0 || slices.ContainsFunc(q.names, func(n string) bool { return named(n, app) })) &&
		(len(q.projects) == 0 || slices.Contains(q.projects, app.Spec.GetProject())) &&
		(q.repo == "" || slices.ContainsFunc(app.Spec.GetSources(), func(s v1alpha1.ApplicationSource) bool { return settings.NormalizeURL(s.RepoURL) == q.repo })) &&
		(q.selector.Empty() || q.selector.Matches(labels.Set(app.Labels)))
}

// named tells whether an Application has the name, which may be namespace/name.
func named(name string, app *v1alpha1.Application) bool {
	if namespace, bare, ok := strings.Cut(name, "/"); ok {
		return namespace == app.Namespace && bare == app.Name
	}
	return name == app.Name
}
