package tenancy

import (
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Globals gives the projects whose rules the project inherits: those of the configured ones whose selector matches its
// labels. get finds a project of the same namespace by name and gives nil when there is none.
func Globals(project *v1alpha1.AppProject, configured []settings.GlobalProject, get func(name string) *v1alpha1.AppProject) []*v1alpha1.AppProject {
	var globals []*v1alpha1.AppProject
	for _, g := range configured {
		if g.ProjectName == project.Name || !g.Selector.Matches(labels.Set(project.Labels)) {
			continue
		}
		if found := get(g.ProjectName); found != nil {
			globals = append(globals, found)
		}
	}
	return globals
}

// inherit adds to a specification what a global project hands down. Neither is changed.
func inherit(spec, global v1alpha1.AppProjectSpec) v1alpha1.AppProjectSpec {
	spec.SourceRepos = slices.Concat(spec.SourceRepos, global.SourceRepos)
	spec.Destinations = slices.Concat(spec.Destinations, global.Destinations)
	spec.DestinationServiceAccounts = slices.Concat(spec.DestinationServiceAccounts, global.DestinationServiceAccounts)
	spec.ClusterResourceWhitelist = slices.Concat(spec.ClusterResourceWhitelist, global.ClusterResourceWhitelist)
	spec.ClusterResourceBlacklist = slices.Concat(spec.ClusterResourceBlacklist, global.ClusterResourceBlacklist)
	spec.NamespaceResourceBlacklist = slices.Concat(spec.NamespaceResourceBlacklist, global.NamespaceResourceBlacklist)
	spec.SyncWindows = slices.Concat(spec.SyncWindows, global.SyncWindows)
	// An empty list allows nothing while an absent one allows everything: absence must survive, and emptiness too.
	if spec.NamespaceResourceWhitelist == nil || len(global.NamespaceResourceWhitelist) > 0 {
		merged := slices.Concat(spec.NamespaceResourceWhitelist, global.NamespaceResourceWhitelist)
		if len(merged) > 0 {
			spec.NamespaceResourceWhitelist = merged
		}
	}
	return spec
}
