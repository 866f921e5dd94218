package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AppProject is a group of Applications with rules in common: which sources they may use, where
// they may go, which kinds of objects they may contain, when they may be synchronized, and who may
// do what with them.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=appprojects,shortName=appproj;appprojs
type AppProject struct {
	metav1.TypeMeta `json:",inline"`
	// ObjectMeta is the standard object metadata.
	metav1.ObjectMeta `json:"metadata" protobuf:"bytes,1,opt,name=metadata"`
	// Spec holds the rules.
	Spec AppProjectSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// Status is kept by the API server of Fairlead.
	Status AppProjectStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
}

// AppProjectList is a page of AppProjects as the API server lists them.
//
// +kubebuilder:object:root=true
type AppProjectList struct {
	metav1.TypeMeta `json:",inline"`
	// ListMeta carries the resource version of the list and the token of its next page.
	metav1.ListMeta `json:"metadata" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the AppProjects.
	Items []AppProject `json:"items" protobuf:"bytes,2,rep,name=items"`
}

// AppProjectSpec holds the rules of an AppProject. Patterns in it are globs. In SourceRepos and
// Destinations a pattern that starts with ! forbids what it matches, whatever other patterns allow.
type AppProjectSpec struct {
	// SourceRepos are patterns of repository URLs that Applications may use.
	SourceRepos []string `json:"sourceRepos,omitempty" protobuf:"bytes,1,name=sourceRepos"`
	// Destinations are patterns of clusters and namespaces that Applications may go to.
	Destinations []ApplicationDestination `json:"destinations,omitempty" protobuf:"bytes,2,name=destination"`
	// Description is for people.
	//
	// +kubebuilder:validation:MaxLength=255
	Description string `json:"description,omitempty" protobuf:"bytes,3,opt,name=description"`
	// Roles are named sets of permissions for users, groups and machines.
	Roles []ProjectRole `json:"roles,omitempty" protobuf:"bytes,4,rep,name=roles"`
	// ClusterResourceWhitelist are the kinds of objects without a namespace that are allowed. Empty
	// allows none.
	ClusterResourceWhitelist []ClusterResourceRestrictionItem `json:"clusterResourceWhitelist,omitempty" protobuf:"bytes,5,opt,name=clusterResourceWhitelist"`
	// NamespaceResourceBlacklist are the kinds of namespaced objects that are forbidden.
	NamespaceResourceBlacklist []metav1.GroupKind `json:"namespaceResourceBlacklist,omitempty" protobuf:"bytes,6,opt,name=namespaceResourceBlacklist"`
	// OrphanedResources turns on the search for objects that no Application manages.
	OrphanedResources *OrphanedResourcesMonitorSettings `json:"orphanedResources,omitempty" protobuf:"bytes,7,opt,name=orphanedResources"`
	// SyncWindows are the times at which syncs are allowed or denied.
	SyncWindows SyncWindows `json:"syncWindows,omitempty" protobuf:"bytes,8,opt,name=syncWindows"`
	// NamespaceResourceWhitelist are the kinds of namespaced objects that are allowed. Absent
	// allows all.
	NamespaceResourceWhitelist []metav1.GroupKind `json:"namespaceResourceWhitelist,omitempty" protobuf:"bytes,9,opt,name=namespaceResourceWhitelist"`
	// SignatureKeys are keys of which one must have signed the commit that is synchronized.
	SignatureKeys []SignatureKey `json:"signatureKeys,omitempty" protobuf:"bytes,10,opt,name=signatureKeys"`
	// ClusterResourceBlacklist are the kinds of objects without a namespace that are forbidden.
	ClusterResourceBlacklist []ClusterResourceRestrictionItem `json:"clusterResourceBlacklist,omitempty" protobuf:"bytes,11,opt,name=clusterResourceBlacklist"`
	// SourceNamespaces are patterns of namespaces, beside that of the installation, in which
	// Applications of the project may lie.
	SourceNamespaces []string `json:"sourceNamespaces,omitempty" protobuf:"bytes,12,opt,name=sourceNamespaces"`
	// PermitOnlyProjectScopedClusters limits destinations to clusters that belong to the project.
	PermitOnlyProjectScopedClusters bool `json:"permitOnlyProjectScopedClusters,omitempty" protobuf:"bytes,13,opt,name=permitOnlyProjectScopedClusters"`
	// DestinationServiceAccounts name the service accounts that syncs act as.
	DestinationServiceAccounts []ApplicationDestinationServiceAccount `json:"destinationServiceAccounts,omitempty" protobuf:"bytes,14,name=destinationServiceAccounts"`
	// SourceIntegrity says what must be verified about sources before they are used.
	SourceIntegrity *SourceIntegrity `json:"sourceIntegrity,omitempty" protobuf:"bytes,15,name=sourceIntegrity"`
}

// AppProjectStatus is what is remembered about an AppProject.
type AppProjectStatus struct {
	// JWTTokensByRole are the tokens that were issued for each role.
	JWTTokensByRole map[string]JWTTokens `json:"jwtTokensByRole,omitempty" protobuf:"bytes,1,opt,name=jwtTokensByRole"`
}

// ApplicationDestinationServiceAccount names the service account that syncs to some destinations
// act as. The first entry that matches the destination holds.
type ApplicationDestinationServiceAccount struct {
	// Server is a pattern of the cluster's API address.
	Server string `json:"server" protobuf:"bytes,1,opt,name=server"`
	// Namespace is a pattern of the destination namespace.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,2,opt,name=namespace"`
	// DefaultServiceAccount is the service account to act as, as name or as namespace:name. Without
	// a namespace the destination namespace is meant.
	DefaultServiceAccount string `json:"defaultServiceAccount" protobuf:"bytes,3,opt,name=defaultServiceAccount"`
}

// ClusterResourceRestrictionItem names objects that lie in no namespace.
type ClusterResourceRestrictionItem struct {
	// Group is a pattern of the API group.
	Group string `json:"group" protobuf:"bytes,1,opt,name=group"`
	// Kind is a pattern of the kind.
	Kind string `json:"kind" protobuf:"bytes,2,opt,name=kind"`
	// Name is a pattern of the name. Empty means every name.
	Name string `json:"name,omitempty" protobuf:"bytes,3,opt,name=name"`
}

// SignatureKey names a GnuPG key.
type SignatureKey struct {
	// KeyID is the ID of the key, in hexadecimal.
	KeyID string `json:"keyID" protobuf:"bytes,1,name=keyID"`
}

// OrphanedResourcesMonitorSettings turns on the search for objects that lie in the namespace of an
// Application and that no Application manages.
type OrphanedResourcesMonitorSettings struct {
	// Warn adds a warning to the conditions of Applications whose namespace holds such objects.
	// Default true.
	Warn *bool `json:"warn,omitempty" protobuf:"bytes,1,name=warn"`
	// Ignore are objects that may be there.
	Ignore []OrphanedResourceKey `json:"ignore,omitempty" protobuf:"bytes,2,opt,name=ignore"`
}

// OrphanedResourceKey names objects that may be there though no Application manages them.
type OrphanedResourceKey struct {
	// Group is a pattern of the API group.
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// Kind is a pattern of the kind.
	Kind string `json:"kind,omitempty" protobuf:"bytes,2,opt,name=kind"`
	// Name is a pattern of the name. Empty means every name.
	Name string `json:"name,omitempty" protobuf:"bytes,3,opt,name=name"`
}

// Warns reports whether orphaned objects lead to a warning, as they do unless that is switched off.
func (s *OrphanedResourcesMonitorSettings) Warns() bool {
	return s != nil && (s.Warn == nil || *s.Warn)
}

// Role returns the role of this name, or nil.
func (p *AppProject) Role(name string) *ProjectRole {
	for i := range p.Spec.Roles {
		if p.Spec.Roles[i].Name == name {
			return &p.Spec.Roles[i]
		}
	}
	return nil
}
