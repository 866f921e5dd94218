package v1alpha1

import "k8s.io/apimachinery/pkg/api/equality"

// ApplicationSourceDirectory holds parameters for reading a folder of manifests.
type ApplicationSourceDirectory struct {
	// Recurse also reads the folders below.
	Recurse bool `json:"recurse,omitempty" protobuf:"bytes,1,opt,name=recurse"`
	// Jsonnet holds parameters for evaluating Jsonnet files.
	Jsonnet ApplicationSourceJsonnet `json:"jsonnet,omitempty,omitzero" protobuf:"bytes,2,opt,name=jsonnet"`
	// Exclude is a glob of paths that are not read. It wins over Include.
	Exclude string `json:"exclude,omitempty" protobuf:"bytes,3,opt,name=exclude"`
	// Include is a glob of paths that are read. Empty means all of them.
	Include string `json:"include,omitempty" protobuf:"bytes,4,opt,name=include"`
	// DisableExtensionFilter reads every file, not only those ending in yaml, yml, json or jsonnet.
	DisableExtensionFilter bool `json:"disableExtensionFilter,omitempty" protobuf:"bytes,5,opt,name=disableExtensionFilter"`
}

// ApplicationSourceJsonnet holds what is given to Jsonnet files.
type ApplicationSourceJsonnet struct {
	// ExtVars are external variables, read by std.extVar.
	ExtVars []JsonnetVar `json:"extVars,omitempty" protobuf:"bytes,1,opt,name=extVars"`
	// TLAs are top-level arguments, passed to the function that a file evaluates to.
	TLAs []JsonnetVar `json:"tlas,omitempty" protobuf:"bytes,2,opt,name=tlas"`
	// Libs are folders searched for imports, relative to the root of the repository.
	Libs []string `json:"libs,omitempty" protobuf:"bytes,3,opt,name=libs"`
}

// JsonnetVar is a variable for Jsonnet.
type JsonnetVar struct {
	// Name is the name of the variable.
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
	// Value is its text.
	Value string `json:"value" protobuf:"bytes,2,opt,name=value"`
	// Code evaluates the text as Jsonnet instead of taking it as a string.
	Code bool `json:"code,omitempty" protobuf:"bytes,3,opt,name=code"`
}

// IsZero reports whether nothing is set. Empty lists are nothing.
func (d *ApplicationSourceDirectory) IsZero() bool {
	return d == nil || equality.Semantic.DeepEqual(d, &ApplicationSourceDirectory{})
}
