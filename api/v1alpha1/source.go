package v1alpha1

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
)

// ApplicationSource is one place that desired objects come from, and how they are rendered. At most
// one of Helm, Kustomize, Directory and Plugin may be set; when none is, the tool is recognized by
// the files that lie at Path.
type ApplicationSource struct {
	// RepoURL is the address of the Git repository, Helm repository or OCI artifact.
	RepoURL string `json:"repoURL" protobuf:"bytes,1,opt,name=repoURL"`
	// Path is the folder within the repository, relative to its root. Not used when Chart is set.
	Path string `json:"path,omitempty" protobuf:"bytes,2,opt,name=path"`
	// TargetRevision is what to take from the repository. For Git: a branch, a tag, a commit or a
	// semantic version range over tags; empty means HEAD. For Helm and OCI: a version, a range or a
	// digest; empty means the newest.
	TargetRevision string `json:"targetRevision,omitempty" protobuf:"bytes,4,opt,name=targetRevision"`
	// Helm holds parameters for rendering with Helm.
	Helm *ApplicationSourceHelm `json:"helm,omitempty" protobuf:"bytes,7,opt,name=helm"`
	// Kustomize holds parameters for rendering with Kustomize.
	Kustomize *ApplicationSourceKustomize `json:"kustomize,omitempty" protobuf:"bytes,8,opt,name=kustomize"`
	// Directory holds parameters for a folder of YAML, JSON or Jsonnet files.
	Directory *ApplicationSourceDirectory `json:"directory,omitempty" protobuf:"bytes,10,opt,name=directory"`
	// Plugin names a config management plugin and holds its parameters.
	Plugin *ApplicationSourcePlugin `json:"plugin,omitempty" protobuf:"bytes,11,opt,name=plugin"`
	// Chart is the name of a chart. RepoURL is then a Helm repository.
	Chart string `json:"chart,omitempty" protobuf:"bytes,12,opt,name=chart"`
	// Ref gives the source a name by which value files of its neighbours can point into it, as in
	// $name/path/values.yaml. Only of use within spec.sources.
	Ref string `json:"ref,omitempty" protobuf:"bytes,13,opt,name=ref"`
	// Name is shown to people and accepted by clients in place of the source's position in
	// spec.sources.
	Name string `json:"name,omitempty" protobuf:"bytes,14,opt,name=name"`
	// TagPrefix narrows TargetRevision, when that is a range, to Git tags that start with this
	// text. The prefix is left out when versions are compared: with prefix app/ the range 1.* may
	// pick app/1.4.2.
	TagPrefix string `json:"tagPrefix,omitempty" protobuf:"bytes,15,opt,name=tagPrefix"`
}

// ApplicationSources are the sources of an Application, in the order of the specification.
type ApplicationSources []ApplicationSource

// ApplicationSourceType tells which tool renders a source.
type ApplicationSourceType string

// The tools that can render a source.
const (
	// ApplicationSourceTypeHelm renders a Helm chart.
	ApplicationSourceTypeHelm ApplicationSourceType = "Helm"
	// ApplicationSourceTypeKustomize builds a kustomization.
	ApplicationSourceTypeKustomize ApplicationSourceType = "Kustomize"
	// ApplicationSourceTypeDirectory reads a folder of YAML, JSON and Jsonnet files.
	ApplicationSourceTypeDirectory ApplicationSourceType = "Directory"
	// ApplicationSourceTypePlugin asks a config management plugin.
	ApplicationSourceTypePlugin ApplicationSourceType = "Plugin"
)

// DefaultRevision is the Git revision that stands for an empty target revision.
const DefaultRevision = "HEAD"

// IsZero reports whether the source says nothing at all, not even in its parameters.
func (s *ApplicationSource) IsZero() bool {
	return s == nil || (s.RepoURL == "" && s.Path == "" && s.Chart == "" && s.Ref == "" && s.Name == "" &&
		s.TargetRevision == "" && s.TagPrefix == "" &&
		s.Helm.IsZero() && s.Kustomize.IsZero() && s.Directory.IsZero() && s.Plugin.IsZero())
}

// IsRefOnly reports whether the source only lends its files to its neighbours: it has a Ref and
// names nothing to render.
func (s *ApplicationSource) IsRefOnly() bool {
	return s != nil && s.Ref != "" && s.Path == "" && s.Chart == ""
}

// IsHelm reports whether the source is a chart of a Helm repository.
func (s *ApplicationSource) IsHelm() bool {
	return s != nil && s.Chart != ""
}

// IsOCI reports whether the source is an OCI artifact addressed by an oci:// URL.
func (s *ApplicationSource) IsOCI() bool {
	return s != nil && strings.HasPrefix(s.RepoURL, "oci://")
}

// Equals reports whether two sources ask for the same thing. Absent and empty lists are the same.
func (s *ApplicationSource) Equals(other *ApplicationSource) bool {
	return equality.Semantic.DeepEqual(s, other)
}

// Equals reports whether two lists hold equal sources in the same order.
func (s ApplicationSources) Equals(other ApplicationSources) bool {
	return equality.Semantic.DeepEqual(s, other)
}

// HasMultipleSources reports whether the list Sources is in force.
func (s *ApplicationSpec) HasMultipleSources() bool {
	return s.SourceHydrator == nil && len(s.Sources) > 0
}

// GetSource returns the source that is in force: the branch a hydrator writes to, or the first of
// several sources, or the single one. It returns the zero value when the specification has none.
func (s *ApplicationSpec) GetSource() ApplicationSource {
	switch {
	case s.SourceHydrator != nil:
		return s.SourceHydrator.GetSyncSource()
	case len(s.Sources) > 0:
		return s.Sources[0]
	case s.Source != nil:
		return *s.Source
	}
	return ApplicationSource{}
}

// GetSources returns every source that is in force, one element for an Application with a single
// source and none for one without any. The result may share memory with the specification.
func (s *ApplicationSpec) GetSources() ApplicationSources {
	if s.HasMultipleSources() {
		return s.Sources
	}
	if source := s.GetSource(); !source.IsZero() {
		return ApplicationSources{source}
	}
	return nil
}

// GetProject returns the name of the project, "default" when the specification names none.
func (s *ApplicationSpec) GetProject() string {
	if s.Project == "" {
		return DefaultAppProjectName
	}
	return s.Project
}

// GetRevisionHistoryLimit returns how many syncs to remember.
func (s *ApplicationSpec) GetRevisionHistoryLimit() int {
	if s.RevisionHistoryLimit == nil {
		return DefaultRevisionHistoryLimit
	}
	return int(*s.RevisionHistoryLimit)
}
