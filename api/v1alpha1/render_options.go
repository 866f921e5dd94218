package v1alpha1

// ConfigManagementPlugin is a plugin as argocd-cm configures it.
type ConfigManagementPlugin struct {
	// Name is the name of the plugin.
	Name string `json:"name" protobuf:"bytes,1,name=name"`
	// Init is run first.
	Init *Command `json:"init,omitempty" protobuf:"bytes,2,name=init"`
	// Generate is run to print manifests.
	Generate Command `json:"generate" protobuf:"bytes,3,name=generate"`
	// LockRepo keeps other renderings out of the repository meanwhile.
	LockRepo bool `json:"lockRepo,omitempty" protobuf:"bytes,4,name=lockRepo"`
}

// Command is a command line.
type Command struct {
	// Command is the program and its first arguments.
	Command []string `json:"command,omitempty" protobuf:"bytes,1,name=command"`
	// Args are further arguments.
	Args []string `json:"args,omitempty" protobuf:"bytes,2,rep,name=args"`
}

// HelmOptions are settings of the installation for rendering with Helm.
type HelmOptions struct {
	// ValuesFileSchemes are the URL schemes from which value files may be fetched.
	ValuesFileSchemes []string `protobuf:"bytes,1,opt,name=valuesFileSchemes"`
}

// KustomizeOptions are settings of the installation for rendering with Kustomize.
type KustomizeOptions struct {
	// BuildOptions are arguments for kustomize build.
	BuildOptions string `protobuf:"bytes,1,opt,name=buildOptions"`
	// BinaryPath is the path of a kustomize program to use. Versions is what to use instead.
	BinaryPath string `protobuf:"bytes,2,opt,name=binaryPath"`
	// Versions are the versions of Kustomize that Applications can choose from.
	Versions []KustomizeVersion `protobuf:"bytes,3,rep,name=versions"`
}

// KustomizeVersion is a version of Kustomize that Applications can choose.
type KustomizeVersion struct {
	// Name is the name to choose it by.
	Name string `protobuf:"bytes,1,opt,name=name"`
	// Path is the path of the program.
	Path string `protobuf:"bytes,2,opt,name=path"`
	// BuildOptions are arguments for kustomize build, in place of the general ones.
	BuildOptions string `protobuf:"bytes,3,opt,name=buildOptions"`
}

// RefTarget is what the Ref of a source stands for.
type RefTarget struct {
	// Repo is the repository.
	Repo Repository `protobuf:"bytes,1,opt,name=repo"`
	// TargetRevision is the revision of it.
	TargetRevision string `protobuf:"bytes,2,opt,name=targetRevision"`
	// Chart is the chart, when the repository is a Helm repository.
	Chart string `protobuf:"bytes,3,opt,name=chart"`
}

// RefTargetRevisionMapping tells for each Ref, written with its $, what it stands for.
type RefTargetRevisionMapping map[string]*RefTarget
