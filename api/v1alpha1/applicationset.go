package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationSet generates Applications: its generators yield sets of parameters, and its template
// makes an Application of each.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=applicationsets,shortName=appset;appsets
// +kubebuilder:subresource:status
type ApplicationSet struct {
	metav1.TypeMeta `json:",inline"`
	// ObjectMeta is the standard object metadata.
	metav1.ObjectMeta `json:"metadata" protobuf:"bytes,1,opt,name=metadata"`
	// Spec is what the user wants.
	Spec ApplicationSetSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// Status is what the controller last observed.
	Status ApplicationSetStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
}

// ApplicationSetList is a page of ApplicationSets as the API server lists them.
//
// +kubebuilder:object:root=true
type ApplicationSetList struct {
	metav1.TypeMeta `json:",inline"`
	// ListMeta carries the resource version of the list and the token of its next page.
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the ApplicationSets.
	Items []ApplicationSet `json:"items" protobuf:"bytes,2,rep,name=items"`
}

// ApplicationSetSpec is what a user asks of an ApplicationSet.
type ApplicationSetSpec struct {
	// GoTemplate fills templates in with Go's text/template and the functions of Sprig, in place of
	// plain replacement of {{name}}. Default false.
	GoTemplate bool `json:"goTemplate,omitempty" protobuf:"bytes,1,name=goTemplate"`
	// Generators yield the parameters. Their results are joined.
	Generators []ApplicationSetGenerator `json:"generators" protobuf:"bytes,2,name=generators"`
	// Template is what Applications are made of.
	Template ApplicationSetTemplate `json:"template" protobuf:"bytes,3,name=template"`
	// SyncPolicy says what the controller may do to generated Applications.
	SyncPolicy *ApplicationSetSyncPolicy `json:"syncPolicy,omitempty" protobuf:"bytes,4,name=syncPolicy"`
	// Strategy says in which order generated Applications are synchronized and deleted.
	Strategy *ApplicationSetStrategy `json:"strategy,omitempty" protobuf:"bytes,5,opt,name=strategy"`
	// PreservedFields are annotations and labels of generated Applications that others may set.
	PreservedFields *ApplicationPreservedFields `json:"preservedFields,omitempty" protobuf:"bytes,6,opt,name=preservedFields"`
	// GoTemplateOptions are options of text/template, such as missingkey=error.
	GoTemplateOptions []string `json:"goTemplateOptions,omitempty" protobuf:"bytes,7,opt,name=goTemplateOptions"`
	// ApplyNestedSelectors is disregarded: selectors of nested generators always count.
	ApplyNestedSelectors bool `json:"applyNestedSelectors,omitempty" protobuf:"bytes,8,name=applyNestedSelectors"`
	// IgnoreApplicationDifferences are fields of generated Applications that others may change.
	IgnoreApplicationDifferences ApplicationSetIgnoreDifferences `json:"ignoreApplicationDifferences,omitempty" protobuf:"bytes,9,name=ignoreApplicationDifferences"`
	// TemplatePatch is a template of YAML that is merged into each Application after Template, for
	// what the types of Template do not let through, such as lists and conditions. It is used with
	// GoTemplate.
	TemplatePatch *string `json:"templatePatch,omitempty" protobuf:"bytes,10,name=templatePatch"`
}

// ApplicationPreservedFields are annotations and labels of generated Applications that the
// controller leaves alone, though the template does not set them.
type ApplicationPreservedFields struct {
	// Annotations are the keys of annotations.
	Annotations []string `json:"annotations,omitempty" protobuf:"bytes,1,name=annotations"`
	// Labels are the keys of labels.
	Labels []string `json:"labels,omitempty" protobuf:"bytes,2,name=labels"`
}

// ApplicationSetSyncPolicy says what the controller may do to generated Applications.
type ApplicationSetSyncPolicy struct {
	// PreserveResourcesOnDeletion keeps the objects of a generated Application when that is
	// deleted. Default false.
	PreserveResourcesOnDeletion bool `json:"preserveResourcesOnDeletion,omitempty" protobuf:"bytes,1,name=syncPolicy"`
	// ApplicationsSync says which changes the controller makes. Default sync, unless the
	// installation says otherwise.
	//
	// +kubebuilder:validation:Optional
	// +kubebuilder:validation:Enum=create-only;create-update;create-delete;sync
	ApplicationsSync *ApplicationsSyncPolicy `json:"applicationsSync,omitempty" protobuf:"bytes,2,opt,name=applicationsSync,casttype=ApplicationsSyncPolicy"`
}

// ApplicationsSyncPolicy says which changes the controller makes to generated Applications.
type ApplicationsSyncPolicy string

// Policies of changing generated Applications.
const (
	// ApplicationsSyncPolicyCreateOnly creates Applications and does nothing more.
	ApplicationsSyncPolicyCreateOnly ApplicationsSyncPolicy = "create-only"
	// ApplicationsSyncPolicyCreateUpdate creates and changes them, and never deletes one.
	ApplicationsSyncPolicyCreateUpdate ApplicationsSyncPolicy = "create-update"
	// ApplicationsSyncPolicyCreateDelete creates and deletes them, and never changes one.
	ApplicationsSyncPolicyCreateDelete ApplicationsSyncPolicy = "create-delete"
	// ApplicationsSyncPolicySync creates, changes and deletes them.
	ApplicationsSyncPolicySync ApplicationsSyncPolicy = "sync"
)

// AllowsUpdate reports whether Applications may be changed.
func (p ApplicationsSyncPolicy) AllowsUpdate() bool {
	return p == ApplicationsSyncPolicySync || p == ApplicationsSyncPolicyCreateUpdate
}

// AllowsDelete reports whether Applications may be deleted.
func (p ApplicationsSyncPolicy) AllowsDelete() bool {
	return p == ApplicationsSyncPolicySync || p == ApplicationsSyncPolicyCreateDelete
}

// ApplicationSetIgnoreDifferences are rules about fields of generated Applications that others may
// change.
type ApplicationSetIgnoreDifferences []ApplicationSetResourceIgnoreDifferences

// ApplicationSetResourceIgnoreDifferences names fields of generated Applications that others may
// change.
type ApplicationSetResourceIgnoreDifferences struct {
	// Name limits the rule to the Application of this name. Empty means all.
	Name string `json:"name,omitempty" protobuf:"bytes,1,name=name"`
	// JSONPointers name fields in the syntax of RFC 6901.
	JSONPointers []string `json:"jsonPointers,omitempty" protobuf:"bytes,2,name=jsonPointers"`
	// JQPathExpressions name fields by jq paths.
	JQPathExpressions []string `json:"jqPathExpressions,omitempty" protobuf:"bytes,3,name=jqExpressions"`
}

// ApplicationSetTemplate is what Applications are made of. Every text in it may hold parameters.
type ApplicationSetTemplate struct {
	// ApplicationSetTemplateMeta is the metadata of the Applications.
	ApplicationSetTemplateMeta `json:"metadata" protobuf:"bytes,1,name=metadata"`
	// Spec is the specification of the Applications.
	Spec ApplicationSpec `json:"spec" protobuf:"bytes,2,name=spec"`
}

// ApplicationSetTemplateMeta is the metadata of generated Applications.
type ApplicationSetTemplateMeta struct {
	// Name is the name. It must differ for each set of parameters.
	Name string `json:"name,omitempty" protobuf:"bytes,1,name=name"`
	// Namespace is the namespace. Default: that of the ApplicationSet.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,2,name=namespace"`
	// Labels are the labels.
	Labels map[string]string `json:"labels,omitempty" protobuf:"bytes,3,name=labels"`
	// Annotations are the annotations.
	Annotations map[string]string `json:"annotations,omitempty" protobuf:"bytes,4,name=annotations"`
	// Finalizers are the finalizers.
	Finalizers []string `json:"finalizers,omitempty" protobuf:"bytes,5,name=finalizers"`
}
