package overlay

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// PluginName is the name of the built-in plugin. A sidecar plugin of the same name can be reached as overlay-<version>.
const PluginName = "overlay"

// Layout says where things lie. In file names {cluster} and {namespace} stand for the names of these.
type Layout struct {
	// NamespacesDir and ClustersDir are relative to where the layout begins.
	NamespacesDir, ClustersDir string
	// CommonValues and CommonSecretValues are relative to the folder of the namespace, the others to the one of the
	// namespace within the cluster. An empty name leaves the file out.
	CommonValues, CommonSecretValues, ClusterValues, ClusterSecretValues string
}

// DefaultLayout is the one in the comment of this package.
func DefaultLayout() Layout {
	return Layout{
		NamespacesDir: "namespaces", ClustersDir: "clusters",
		CommonValues: "common-values.yaml", CommonSecretValues: "common-values.secret.yaml",
		ClusterValues: "{cluster}-values.yaml", ClusterSecretValues: "{cluster}-values.secret.yaml",
	}
}

// Overlay is a namespace in a cluster, as a repository has it.
type Overlay struct {
	// Cluster and Namespace are the names of the folders.
	Cluster, Namespace string
	// Base is the folder in which the layout begins; "." for the root.
	Base string
}

// namespaceDir and clusterDir are the two folders of an overlay.
func (l Layout) namespaceDir(o Overlay) string {
	return path.Join(o.Base, l.NamespacesDir, o.Namespace)
}

func (l Layout) clusterDir(o Overlay) string {
	return path.Join(o.Base, l.ClustersDir, o.Cluster, o.Namespace)
}

// Source is how an Application states the overlay, without the repository's address.
func (l Layout) Source(o Overlay) v1alpha1.ApplicationSource {
	cluster := o.Cluster
	parameters := v1alpha1.ApplicationSourcePluginParameters{{Name: parameterCluster, String_: &cluster}}
	standard := DefaultLayout()
	for _, field := range l.fields() {
		if value := *field.in(&l); value != *field.in(&standard) {
			parameters = append(parameters, v1alpha1.ApplicationSourcePluginParameter{Name: field.name, String_: &value})
		}
	}
	return v1alpha1.ApplicationSource{
		Path: l.namespaceDir(o), Plugin: &v1alpha1.ApplicationSourcePlugin{Name: PluginName, Parameters: parameters},
	}
}

// Parameters beside those of the layout.
const (
	parameterCluster     = "cluster"
	parameterReleaseName = "release-name"
)

// field is a parameter of the layout.
type field struct {
	name string
	in   func(*Layout) *string
	file bool
}

func (Layout) fields() []field {
	return []field{
		{"namespaces-dir", func(l *Layout) *string { return &l.NamespacesDir }, false},
		{"clusters-dir", func(l *Layout) *string { return &l.ClustersDir }, false},
		{"common-values", func(l *Layout) *string { return &l.CommonValues }, true},
		{"common-secret-values", func(l *Layout) *string { return &l.CommonSecretValues }, true},
		{"cluster-values", func(l *Layout) *string { return &l.ClusterValues }, true},
		{"cluster-secret-values", func(l *Layout) *string { return &l.ClusterSecretValues }, true},
	}
}

// settings are the parameters of one source.
type settings struct {
	layout               Layout
	cluster, releaseName string
}

// parse reads the parameters of a source. Without a plugin section everything is as by default.
func parse(plugin *v1alpha1.ApplicationSourcePlugin) (settings, error) {
	s := settings{layout: DefaultLayout()}
	if plugin == nil {
		return s, nil
	}
	targets := map[string]*string{parameterCluster: &s.cluster, parameterReleaseName: &s.releaseName}
	names := []string{parameterCluster, parameterReleaseName}
	for _, f := range s.layout.fields() {
		targets[f.name] = f.in(&s.layout)
		names = append(names, f.name)
	}
	for _, p := range plugin.Parameters {
		target := targets[p.Name]
		if target == nil {
			return s, invalid("parameter %q is not known; there are %s", p.Name, strings.Join(names, ", "))
		}
		if p.String_ == nil {
			return s, invalid("parameter %s has no string", p.Name)
		}
		*target = *p.String_
	}
	if s.cluster != "" && (!fs.ValidPath(s.cluster) || path.Base(s.cluster) != s.cluster || s.cluster == ".") {
		return s, invalid("parameter cluster: %q is not the name of a folder", s.cluster)
	}
	for _, f := range s.layout.fields() {
		value := f.in(&s.layout)
		if f.file && *value == "" {
			continue
		}
		if !fs.ValidPath(*value) || *value == "." {
			return s, invalid("parameter %s: %q is not a path; give it relative and without ..", f.name, *value)
		}
	}
	return s, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: plugin overlay: %s", render.ErrInvalidSource, fmt.Sprintf(format, args...))
}

// locate finds out which overlay a path of a source means.
func (s settings) locate(dir string) (Overlay, error) {
	parent, name := path.Split(dir)
	parent = strings.TrimSuffix(parent, "/")
	if base, ok := cutDir(parent, s.layout.NamespacesDir); ok && name != "" {
		if s.cluster != "" {
			return Overlay{Cluster: s.cluster, Namespace: name, Base: base}, nil
		}
		if _, isCluster := cutDir(path.Dir(parent), s.layout.ClustersDir); !isCluster {
			return Overlay{}, invalid("the parameter cluster is missing: for which cluster is %s to be rendered?", dir)
		}
	}
	if base, ok := cutDir(path.Dir(parent), s.layout.ClustersDir); ok && parent != "" && name != "" {
		cluster := path.Base(parent)
		if s.cluster != "" && s.cluster != cluster {
			return Overlay{}, invalid("the parameter cluster is %s, but the path %s is of %s", s.cluster, dir, cluster)
		}
		return Overlay{Cluster: cluster, Namespace: name, Base: base}, nil
	}
	return Overlay{}, invalid("the path %s is neither %s/<namespace> nor %s/<cluster>/<namespace>",
		dir, s.layout.NamespacesDir, s.layout.ClustersDir)
}

// cutDir gives what lies above a folder with the given path at its end.
func cutDir(dir, end string) (base string, ok bool) {
	if dir == end {
		return ".", true
	}
	return strings.CutSuffix(dir, "/"+end)
}

// valueFiles are the files of values in the order in which they count, relative to the two folders.
func (l Layout) valueFiles(o Overlay) (common, cluster []string) {
	names := strings.NewReplacer("{cluster}", o.Cluster, "{namespace}", o.Namespace)
	common = []string{names.Replace(l.CommonValues), names.Replace(l.CommonSecretValues)}
	cluster = []string{names.Replace(l.ClusterValues), names.Replace(l.ClusterSecretValues)}
	isEmpty := func(name string) bool { return name == "" }
	return slices.DeleteFunc(common, isEmpty), slices.DeleteFunc(cluster, isEmpty)
}
