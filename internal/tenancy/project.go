package tenancy

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Project is a project with its rules compiled. It is never changed; safe for concurrent use.
type Project struct {
	name              string
	spec              v1alpha1.AppProjectSpec
	sources           []pattern
	destinations      []destinationRule
	sourceNamespaces  []matcher
	windows           []*Window
	limits            []Limits
	onlyScopedCluster bool
}

type destinationRule struct {
	server, name, namespace pattern
}

// String gives the rule as it stands in the project.
func (d destinationRule) String() string {
	var parts []string
	for _, p := range []struct{ key, value string }{{"server", d.server.text}, {"name", d.name.text}, {"namespace", d.namespace.text}} {
		if p.value != "" {
			parts = append(parts, p.key+": "+p.value)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// New compiles the rules of a project and of the global projects that it inherits from. The arguments are only read,
// and must not be changed as long as the result is used.
func New(project *v1alpha1.AppProject, globals ...*v1alpha1.AppProject) *Project {
	spec := project.Spec
	for _, g := range globals {
		spec = inherit(spec, g.Spec)
	}
	p := &Project{name: project.Name, spec: spec, onlyScopedCluster: spec.PermitOnlyProjectScopedClusters}
	for _, from := range append([]*v1alpha1.AppProject{project}, globals...) {
		p.limits = append(p.limits, LimitsOf(fmt.Sprintf("the project %q", from.Name), from.Annotations))
		for i, window := range from.Spec.SyncWindows {
			if window != nil {
				p.windows = append(p.windows, compileWindow(from.Name, i, window))
			}
		}
	}
	for _, url := range spec.SourceRepos {
		p.sources = append(p.sources, compileSource(url))
	}
	for _, d := range spec.Destinations {
		p.destinations = append(p.destinations, destinationRule{compile(d.Server), compile(d.Name), compile(d.Namespace)})
	}
	for _, ns := range spec.SourceNamespaces {
		p.sourceNamespaces = append(p.sourceNamespaces, compileMatcher(ns))
	}
	return p
}

// Name is the name of the project.
func (p *Project) Name() string {
	return p.name
}

// Spec gives the specification with what the global projects add. It must not be changed.
func (p *Project) Spec() v1alpha1.AppProjectSpec {
	return p.spec
}

// Source tells whether applications of the project may take objects from the repository.
func (p *Project) Source(repoURL string) error {
	what := fmt.Sprintf("application repo %s is not permitted in project '%s'", repoURL, p.name)
	const remedy = "add the repository to the project, or use another project"
	wanted := settings.NormalizeURL(repoURL)
	allowed := false
	for _, s := range p.sources {
		if s.fits(wanted) {
			allowed = true
		} else if s.denies {
			return p.refuse("sourceRepos", s.text, what, "take another repository, or remove the entry")
		}
	}
	if !allowed {
		return p.refuse("sourceRepos", "", what, remedy)
	}
	return nil
}

// compileSource compiles an entry of sourceRepos so that it matches normalized addresses, segment by segment.
func compileSource(entry string) pattern {
	body, denies := strings.CutPrefix(entry, "!")
	normal := settings.NormalizeURL(body)
	if denies {
		normal = "!" + normal
	}
	p := compile(normal, '/')
	p.text = entry
	return p
}

// Destination is where an application brings its objects.
type Destination struct {
	// Server is the address of the cluster.
	Server string
	// Name is what the cluster is called.
	Name string
	// Namespace is the namespace; "" when the application names none.
	Namespace string
	// ClusterProject is the project that the cluster is registered for; "" when it is for all.
	ClusterProject string
}

// Destination tells whether applications of the project may bring objects to the destination.
func (p *Project) Destination(d Destination) error {
	what := fmt.Sprintf("application destination server '%s' and namespace '%s' do not match any of the allowed destinations in project '%s'", d.Server, d.Namespace, p.name)
	allowed := false
	for _, rule := range p.destinations {
		name := d.Name != "" && rule.name.fits(d.Name)
		server := d.Server != "" && rule.server.fits(d.Server)
		namespace := rule.namespace.fits(d.Namespace)
		switch {
		case (server || name) && namespace:
			allowed = true
		case namespace && (!name && rule.name.denies || !server && rule.server.denies),
			!namespace && rule.namespace.denies && server:
			return p.refuse("destinations", rule.String(), what, "choose another destination, or remove the entry")
		}
	}
	if !allowed {
		return p.refuse("destinations", "", what, "add the destination to the project, or use another project")
	}
	if p.onlyScopedCluster && d.ClusterProject != p.name {
		return p.refuse("permitOnlyProjectScopedClusters", "true", what, "register the cluster for the project by setting project in its Secret, or use one that is")
	}
	return nil
}

// Kind tells whether the applications of the project may hold an object of the kind. The name counts only for objects
// outside of namespaces.
func (p *Project) Kind(group, kind, name string, namespaced bool) error {
	what := fmt.Sprintf("resource %s:%s is not permitted in project %s", group, kind, p.name)
	if namespaced {
		if entry, ok := findKind(p.spec.NamespaceResourceBlacklist, group, kind); ok {
			return p.refuse("namespaceResourceBlacklist", entry, what, "remove the object from the sources, or the entry from the project")
		}
		if p.spec.NamespaceResourceWhitelist == nil {
			return nil
		}
		if _, ok := findKind(p.spec.NamespaceResourceWhitelist, group, kind); !ok {
			return p.refuse("namespaceResourceWhitelist", "", what, "remove the object from the sources, or add its kind to the project")
		}
		return nil
	}
	if entry, ok := findNamed(p.spec.ClusterResourceBlacklist, group, kind, name); ok {
		return p.refuse("clusterResourceBlacklist", entry, what, "remove the object from the sources, or the entry from the project")
	}
	if _, ok := findNamed(p.spec.ClusterResourceWhitelist, group, kind, name); !ok {
		return p.refuse("clusterResourceWhitelist", "", what, "remove the object from the sources, or add its kind to the project")
	}
	return nil
}

// Object tells whether applications of the project may hold an object: its kind must be allowed, and for an object in a
// namespace the destination with that namespace.
func (p *Project) Object(group, kind, name string, d Destination) error {
	if err := p.Kind(group, kind, name, d.Namespace != ""); err != nil {
		return err
	}
	if d.Namespace == "" {
		return nil
	}
	return p.Destination(d)
}

// ApplicationNamespace tells whether an application that lies in the namespace may belong to the project. Those in the
// namespace of the control plane may belong to every project.
func (p *Project) ApplicationNamespace(namespace, name, controlPlane string) error {
	if namespace == "" || namespace == controlPlane {
		return nil
	}
	for _, m := range p.sourceNamespaces {
		if m.matches(namespace) {
			return nil
		}
	}
	what := fmt.Sprintf("application '%s' in namespace '%s' is not permitted to use project '%s'", name, namespace, p.name)
	return p.refuse("sourceNamespaces", "", what, "add the namespace to the project, or use another project")
}

func findKind(list []metav1.GroupKind, group, kind string) (string, bool) {
	for _, item := range list {
		if matchesKind(item.Kind, kind) && matchesKind(item.Group, group) {
			return fmt.Sprintf("{group: %q, kind: %q}", item.Group, item.Kind), true
		}
	}
	return "", false
}

func findNamed(list []v1alpha1.ClusterResourceRestrictionItem, group, kind, name string) (string, bool) {
	for _, item := range list {
		if matchesKind(item.Kind, kind) && matchesKind(item.Group, group) && (item.Name == "" || matchesKind(item.Name, name)) {
			return fmt.Sprintf("{group: %q, kind: %q, name: %q}", item.Group, item.Kind, item.Name), true
		}
	}
	return "", false
}
