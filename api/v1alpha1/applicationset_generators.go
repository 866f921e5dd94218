package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationSetGenerator yields sets of parameters. Exactly one of its generators is set.
type ApplicationSetGenerator struct {
	// List yields parameters that are written out.
	List *ListGenerator `json:"list,omitempty" protobuf:"bytes,1,name=list"`
	// Clusters yields one set for each cluster.
	Clusters *ClusterGenerator `json:"clusters,omitempty" protobuf:"bytes,2,name=clusters"`
	// Git yields one set for each folder or file of a Git repository.
	Git *GitGenerator `json:"git,omitempty" protobuf:"bytes,3,name=git"`
	// SCMProvider yields one set for each repository of an organization.
	SCMProvider *SCMProviderGenerator `json:"scmProvider,omitempty" protobuf:"bytes,4,name=scmProvider"`
	// ClusterDecisionResource yields one set for each cluster that another controller decided on.
	ClusterDecisionResource *DuckTypeGenerator `json:"clusterDecisionResource,omitempty" protobuf:"bytes,5,name=clusterDecisionResource"`
	// PullRequest yields one set for each open pull request.
	PullRequest *PullRequestGenerator `json:"pullRequest,omitempty" protobuf:"bytes,6,name=pullRequest"`
	// Matrix yields every combination of the sets of two generators.
	Matrix *MatrixGenerator `json:"matrix,omitempty" protobuf:"bytes,7,name=matrix"`
	// Merge yields the sets of its first generator, completed by those of the others.
	Merge *MergeGenerator `json:"merge,omitempty" protobuf:"bytes,8,name=merge"`
	// Selector drops sets whose parameters do not match.
	Selector *metav1.LabelSelector `json:"selector,omitempty" protobuf:"bytes,9,name=selector"`
	// Plugin yields the sets that a web service answers with.
	Plugin *PluginGenerator `json:"plugin,omitempty" protobuf:"bytes,10,name=plugin"`
	// Oci yields one set for each folder or file of an OCI artifact.
	Oci *OciGenerator `json:"oci,omitempty" protobuf:"bytes,11,name=oci"`
}

// ApplicationSetNestedGenerator is a generator within Matrix or Merge. It can hold these two once
// more, as JSON, because the schema of a resource cannot nest without end.
type ApplicationSetNestedGenerator struct {
	// List yields parameters that are written out.
	List *ListGenerator `json:"list,omitempty" protobuf:"bytes,1,name=list"`
	// Clusters yields one set for each cluster.
	Clusters *ClusterGenerator `json:"clusters,omitempty" protobuf:"bytes,2,name=clusters"`
	// Git yields one set for each folder or file of a Git repository.
	Git *GitGenerator `json:"git,omitempty" protobuf:"bytes,3,name=git"`
	// SCMProvider yields one set for each repository of an organization.
	SCMProvider *SCMProviderGenerator `json:"scmProvider,omitempty" protobuf:"bytes,4,name=scmProvider"`
	// ClusterDecisionResource yields one set for each cluster that another controller decided on.
	ClusterDecisionResource *DuckTypeGenerator `json:"clusterDecisionResource,omitempty" protobuf:"bytes,5,name=clusterDecisionResource"`
	// PullRequest yields one set for each open pull request.
	PullRequest *PullRequestGenerator `json:"pullRequest,omitempty" protobuf:"bytes,6,name=pullRequest"`
	// Matrix is a NestedMatrixGenerator.
	Matrix *apiextensionsv1.JSON `json:"matrix,omitempty" protobuf:"bytes,7,name=matrix"`
	// Merge is a NestedMergeGenerator.
	Merge *apiextensionsv1.JSON `json:"merge,omitempty" protobuf:"bytes,8,name=merge"`
	// Selector drops sets whose parameters do not match.
	Selector *metav1.LabelSelector `json:"selector,omitempty" protobuf:"bytes,9,name=selector"`
	// Plugin yields the sets that a web service answers with.
	Plugin *PluginGenerator `json:"plugin,omitempty" protobuf:"bytes,10,name=plugin"`
	// Oci yields one set for each folder or file of an OCI artifact.
	Oci *OciGenerator `json:"oci,omitempty" protobuf:"bytes,11,name=oci"`
}

// ApplicationSetNestedGenerators are generators within Matrix or Merge.
type ApplicationSetNestedGenerators []ApplicationSetNestedGenerator

// ApplicationSetTerminalGenerator is a generator within a nested Matrix or Merge. It cannot nest
// any further.
type ApplicationSetTerminalGenerator struct {
	// List yields parameters that are written out.
	List *ListGenerator `json:"list,omitempty" protobuf:"bytes,1,name=list"`
	// Clusters yields one set for each cluster.
	Clusters *ClusterGenerator `json:"clusters,omitempty" protobuf:"bytes,2,name=clusters"`
	// Git yields one set for each folder or file of a Git repository.
	Git *GitGenerator `json:"git,omitempty" protobuf:"bytes,3,name=git"`
	// SCMProvider yields one set for each repository of an organization.
	SCMProvider *SCMProviderGenerator `json:"scmProvider,omitempty" protobuf:"bytes,4,name=scmProvider"`
	// ClusterDecisionResource yields one set for each cluster that another controller decided on.
	ClusterDecisionResource *DuckTypeGenerator `json:"clusterDecisionResource,omitempty" protobuf:"bytes,5,name=clusterDecisionResource"`
	// PullRequest yields one set for each open pull request.
	PullRequest *PullRequestGenerator `json:"pullRequest,omitempty" protobuf:"bytes,6,name=pullRequest"`
	// Plugin yields the sets that a web service answers with.
	Plugin *PluginGenerator `json:"plugin,omitempty" protobuf:"bytes,7,name=plugin"`
	// Selector drops sets whose parameters do not match.
	Selector *metav1.LabelSelector `json:"selector,omitempty" protobuf:"bytes,8,name=selector"`
	// Oci yields one set for each folder or file of an OCI artifact.
	Oci *OciGenerator `json:"oci,omitempty" protobuf:"bytes,9,name=oci"`
}

// ApplicationSetTerminalGenerators are generators within a nested Matrix or Merge.
type ApplicationSetTerminalGenerators []ApplicationSetTerminalGenerator

// ListGenerator yields parameters that are written out.
type ListGenerator struct {
	// Elements are the sets, each an object.
	//
	// +kubebuilder:validation:Optional
	Elements []apiextensionsv1.JSON `json:"elements" protobuf:"bytes,1,name=elements"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,2,name=template"`
	// ElementsYaml is YAML text with a list of further sets. As all text it may hold parameters, of
	// the other generator of a Matrix.
	ElementsYaml string `json:"elementsYaml,omitempty" protobuf:"bytes,3,opt,name=elementsYaml"`
}

// MatrixGenerator yields every combination of the sets of two generators. The second may use
// parameters of the first.
type MatrixGenerator struct {
	// Generators are the two.
	Generators []ApplicationSetNestedGenerator `json:"generators" protobuf:"bytes,1,name=generators"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,2,name=template"`
}

// NestedMatrixGenerator is a MatrixGenerator within another Matrix or Merge.
type NestedMatrixGenerator struct {
	// Generators are the two.
	Generators ApplicationSetTerminalGenerators `json:"generators" protobuf:"bytes,1,name=generators"`
}

// MergeGenerator yields the sets of its first generator. Sets of the others that agree with one of
// them in MergeKeys are put over it.
type MergeGenerator struct {
	// Generators are at least two.
	Generators []ApplicationSetNestedGenerator `json:"generators" protobuf:"bytes,1,name=generators"`
	// MergeKeys are the names of the parameters in which sets must agree.
	MergeKeys []string `json:"mergeKeys" protobuf:"bytes,2,name=mergeKeys"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,3,name=template"`
}

// NestedMergeGenerator is a MergeGenerator within another Matrix or Merge.
type NestedMergeGenerator struct {
	// Generators are at least two.
	Generators ApplicationSetTerminalGenerators `json:"generators" protobuf:"bytes,1,name=generators"`
	// MergeKeys are the names of the parameters in which sets must agree.
	MergeKeys []string `json:"mergeKeys" protobuf:"bytes,2,name=mergeKeys"`
}

// ClusterGenerator yields one set for each cluster, with its name, server, labels and annotations.
type ClusterGenerator struct {
	// Selector picks clusters by the labels of their Secrets. Empty picks all, the local one
	// included.
	Selector metav1.LabelSelector `json:"selector,omitempty" protobuf:"bytes,1,name=selector"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,2,name=template"`
	// Values are parameters to add under values. They may hold parameters themselves.
	Values map[string]string `json:"values,omitempty" protobuf:"bytes,3,name=values"`
	// FlatList yields a single set, with all clusters as the list clusters.
	FlatList bool `json:"flatList,omitempty" protobuf:"bytes,4,name=flatList"`
}

// DuckTypeGenerator yields one set for each cluster that the status of some other object names.
type DuckTypeGenerator struct {
	// ConfigMapRef is the name of a ConfigMap that tells the kind of the object and how to read it.
	ConfigMapRef string `json:"configMapRef" protobuf:"bytes,1,name=configMapRef"`
	// Name is the name of the object. Exclusive with LabelSelector.
	Name string `json:"name,omitempty" protobuf:"bytes,2,name=name"`
	// RequeueAfterSeconds is how often to look, in seconds. Default 180.
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty" protobuf:"bytes,3,name=requeueAfterSeconds"`
	// LabelSelector picks objects by their labels.
	LabelSelector metav1.LabelSelector `json:"labelSelector,omitempty" protobuf:"bytes,4,name=labelSelector"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,5,name=template"`
	// Values are parameters to add under values. They may hold parameters themselves.
	Values map[string]string `json:"values,omitempty" protobuf:"bytes,6,name=values"`
}

// PluginGenerator yields the sets that a web service answers with.
type PluginGenerator struct {
	// ConfigMapRef names the ConfigMap that tells the address of the service.
	ConfigMapRef PluginConfigMapRef `json:"configMapRef" protobuf:"bytes,1,name=configMapRef"`
	// Input is sent to the service.
	Input PluginInput `json:"input,omitempty" protobuf:"bytes,2,name=input"`
	// RequeueAfterSeconds is how often to ask, in seconds. Default 1800.
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty" protobuf:"varint,3,opt,name=requeueAfterSeconds"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,4,name=template"`
	// Values are parameters to add under values. They may hold parameters themselves.
	Values map[string]string `json:"values,omitempty" protobuf:"bytes,5,name=values"`
}

// PluginConfigMapRef names a ConfigMap.
type PluginConfigMapRef struct {
	// Name is its name.
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
}

// PluginInput is what is sent to the service of a plugin.
type PluginInput struct {
	// Parameters are passed on as they are.
	Parameters PluginParameters `json:"parameters,omitempty" protobuf:"bytes,1,name=parameters"`
}

// PluginParameters are values of any form.
type PluginParameters map[string]apiextensionsv1.JSON
