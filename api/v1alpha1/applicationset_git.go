package v1alpha1

// GitGenerator yields one set for each folder or file of a Git repository that matches. Exactly one
// of Directories and Files is set.
type GitGenerator struct {
	// RepoURL is the address of the repository.
	RepoURL string `json:"repoURL" protobuf:"bytes,1,name=repoURL"`
	// Directories are patterns of folders. The parameters tell the path.
	Directories []GitDirectoryGeneratorItem `json:"directories,omitempty" protobuf:"bytes,2,name=directories"`
	// Files are patterns of JSON and YAML files. The parameters are what the file holds, and its
	// path.
	Files []GitFileGeneratorItem `json:"files,omitempty" protobuf:"bytes,3,name=files"`
	// Revision is the revision to look at.
	Revision string `json:"revision" protobuf:"bytes,4,name=revision"`
	// RequeueAfterSeconds is how often to look, in seconds. Default 180.
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty" protobuf:"bytes,5,name=requeueAfterSeconds"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,6,name=template"`
	// PathParamPrefix is put before the name of the parameter path, to tell two Git generators
	// apart.
	PathParamPrefix string `json:"pathParamPrefix,omitempty" protobuf:"bytes,7,name=pathParamPrefix"`
	// Values are parameters to add under values. They may hold parameters themselves.
	Values map[string]string `json:"values,omitempty" protobuf:"bytes,8,name=values"`
}

// GitDirectoryGeneratorItem is a pattern of folders.
type GitDirectoryGeneratorItem struct {
	// Path is the pattern, a glob.
	Path string `json:"path" protobuf:"bytes,1,name=path"`
	// Exclude leaves matching folders out. It wins over patterns that include.
	Exclude bool `json:"exclude,omitempty" protobuf:"bytes,2,name=exclude"`
}

// GitFileGeneratorItem is a pattern of files.
type GitFileGeneratorItem struct {
	// Path is the pattern, a glob.
	Path string `json:"path" protobuf:"bytes,1,name=path"`
	// Exclude leaves matching files out. It wins over patterns that include.
	Exclude bool `json:"exclude,omitempty" protobuf:"bytes,2,name=exclude"`
}

// OciGenerator yields one set for each folder or file of an OCI artifact that matches. Exactly one
// of Directories and Files is set.
type OciGenerator struct {
	// RepoURL is the address of the artifact, an oci:// URL.
	RepoURL string `json:"repoURL" protobuf:"bytes,1,name=repoURL"`
	// Directories are patterns of folders. The parameters tell the path.
	Directories []OciDirectoryGeneratorItem `json:"directories,omitempty" protobuf:"bytes,2,name=directories"`
	// Files are patterns of JSON and YAML files. The parameters are what the file holds, and its
	// path.
	Files []OciFileGeneratorItem `json:"files,omitempty" protobuf:"bytes,3,name=files"`
	// Revision is the tag, range of versions or digest to look at.
	Revision string `json:"revision" protobuf:"bytes,4,name=revision"`
	// RequeueAfterSeconds is how often to look, in seconds. Default 180.
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty" protobuf:"bytes,5,name=requeueAfterSeconds"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,6,name=template"`
	// PathParamPrefix is put before the name of the parameter path, to tell two OCI generators
	// apart.
	PathParamPrefix string `json:"pathParamPrefix,omitempty" protobuf:"bytes,7,name=pathParamPrefix"`
	// Values are parameters to add under values. They may hold parameters themselves.
	Values map[string]string `json:"values,omitempty" protobuf:"bytes,8,name=values"`
}

// OciDirectoryGeneratorItem is a pattern of folders.
type OciDirectoryGeneratorItem struct {
	// Path is the pattern, a glob.
	Path string `json:"path" protobuf:"bytes,1,name=path"`
	// Exclude leaves matching folders out. It wins over patterns that include.
	Exclude bool `json:"exclude,omitempty" protobuf:"bytes,2,name=exclude"`
}

// OciFileGeneratorItem is a pattern of files.
type OciFileGeneratorItem struct {
	// Path is the pattern, a glob.
	Path string `json:"path" protobuf:"bytes,1,name=path"`
	// Exclude leaves matching files out. It wins over patterns that include.
	Exclude bool `json:"exclude,omitempty" protobuf:"bytes,2,name=exclude"`
}
