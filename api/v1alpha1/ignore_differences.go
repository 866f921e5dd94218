package v1alpha1

// IgnoreDifferences are the rules of one Application about differences that do not count.
type IgnoreDifferences []ResourceIgnoreDifferences

// ResourceIgnoreDifferences picks objects by group, kind, name and namespace, and names fields of
// them whose differences do not count. A field is named by any of the three lists.
type ResourceIgnoreDifferences struct {
	// Group is the API group of the objects, possibly a glob. Empty means the core group.
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// Kind is the kind of the objects, possibly a glob.
	Kind string `json:"kind" protobuf:"bytes,2,opt,name=kind"`
	// Name limits the rule to objects of this name. Empty means every name.
	Name string `json:"name,omitempty" protobuf:"bytes,3,opt,name=name"`
	// Namespace limits the rule to objects in this namespace. Empty means every namespace.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,4,opt,name=namespace"`
	// JSONPointers name fields in the syntax of RFC 6901, such as /spec/replicas.
	JSONPointers []string `json:"jsonPointers,omitempty" protobuf:"bytes,5,opt,name=jsonPointers"`
	// JQPathExpressions name fields by jq paths, such as .spec.template.spec.initContainers[0].
	JQPathExpressions []string `json:"jqPathExpressions,omitempty" protobuf:"bytes,6,opt,name=jqPathExpressions"`
	// ManagedFieldsManagers are field managers whose writes are trusted: a field that one of them
	// owns on the live object does not count as a difference.
	ManagedFieldsManagers []string `json:"managedFieldsManagers,omitempty" protobuf:"bytes,7,opt,name=managedFieldsManagers"`
}
