package v1alpha1

// Operation is a request to act on an Application.
type Operation struct {
	// Sync asks for a synchronization. It is the only kind of operation there is.
	Sync *SyncOperation `json:"sync,omitempty" protobuf:"bytes,1,opt,name=sync"`
	// InitiatedBy tells who asked.
	InitiatedBy OperationInitiator `json:"initiatedBy,omitempty" protobuf:"bytes,2,opt,name=initiatedBy"`
	// Info are facts to show beside the operation.
	Info []*Info `json:"info,omitempty" protobuf:"bytes,3,name=info"`
	// Retry says whether and when the operation is tried again when it fails.
	Retry RetryStrategy `json:"retry,omitempty" protobuf:"bytes,4,opt,name=retry"`
}

// OperationInitiator tells who asked for an operation.
type OperationInitiator struct {
	// Username is the name of the user who asked. Empty for the controller.
	Username string `json:"username,omitempty" protobuf:"bytes,1,opt,name=username"`
	// Automated is true when the controller started the operation under an automated policy.
	Automated bool `json:"automated,omitempty" protobuf:"bytes,2,opt,name=automated"`
}

// SyncOperation says what to synchronize and how.
type SyncOperation struct {
	// Revision is the revision to apply. Empty means the target revision of the Application.
	Revision string `json:"revision,omitempty" protobuf:"bytes,1,opt,name=revision"`
	// Prune deletes objects that are no longer desired.
	Prune bool `json:"prune,omitempty" protobuf:"bytes,2,opt,name=prune"`
	// DryRun asks the cluster to check everything and to change nothing.
	DryRun bool `json:"dryRun,omitempty" protobuf:"bytes,3,opt,name=dryRun"`
	// SyncStrategy says how objects are applied. Default: with hooks.
	SyncStrategy *SyncStrategy `json:"syncStrategy,omitempty" protobuf:"bytes,4,opt,name=syncStrategy"`
	// Resources limits the operation to these objects. Hooks do not run then. Empty means
	// everything.
	Resources []SyncOperationResource `json:"resources,omitempty" protobuf:"bytes,6,opt,name=resources"`
	// Source replaces the source of the specification for this operation, as a rollback does.
	Source *ApplicationSource `json:"source,omitempty" protobuf:"bytes,7,opt,name=source"`
	// Manifests replace what the sources render to, each element one object in JSON or YAML.
	Manifests []string `json:"manifests,omitempty" protobuf:"bytes,8,opt,name=manifests"`
	// SyncOptions add to, or override, those of the specification.
	SyncOptions SyncOptions `json:"syncOptions,omitempty" protobuf:"bytes,9,opt,name=syncOptions"`
	// Sources replace the sources of the specification for this operation, as a rollback does.
	Sources ApplicationSources `json:"sources,omitempty" protobuf:"bytes,10,opt,name=sources"`
	// Revisions are the revisions to apply, one for each of several sources. Empty means their
	// target revisions.
	Revisions []string `json:"revisions,omitempty" protobuf:"bytes,11,opt,name=revisions"`
	// SelfHealAttemptsCount is how many times in a row the controller has tried to put the same
	// revision right again.
	SelfHealAttemptsCount int64 `json:"autoHealAttemptsCount,omitempty" protobuf:"bytes,12,opt,name=autoHealAttemptsCount"`
}

// SyncOperationResource names one object to synchronize.
type SyncOperationResource struct {
	// Group is the API group. Empty means the core group.
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// Kind is the kind.
	Kind string `json:"kind" protobuf:"bytes,2,opt,name=kind"`
	// Name is the name.
	Name string `json:"name" protobuf:"bytes,3,opt,name=name"`
	// Namespace is the namespace. Empty for objects without one, and for any namespace.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,4,opt,name=namespace"`
}

// SyncStrategy says how objects are applied. At most one of the two is set.
type SyncStrategy struct {
	// Apply only applies objects and runs no hooks.
	Apply *SyncStrategyApply `json:"apply,omitempty" protobuf:"bytes,1,opt,name=apply"`
	// Hook applies objects and runs hooks. It is the default.
	Hook *SyncStrategyHook `json:"hook,omitempty" protobuf:"bytes,2,opt,name=hook"`
}

// SyncStrategyApply applies objects without running hooks.
type SyncStrategyApply struct {
	// Force deletes and creates an object anew when it cannot be changed in place.
	Force bool `json:"force,omitempty" protobuf:"bytes,1,opt,name=force"`
}

// SyncStrategyHook applies objects and runs hooks.
type SyncStrategyHook struct {
	// SyncStrategyApply holds what is common to both strategies.
	//
	// +optional
	SyncStrategyApply `json:",inline" protobuf:"bytes,1,opt,name=syncStrategyApply"`
}

// DryRun reports whether the operation must change nothing.
func (o *Operation) DryRun() bool {
	return o.Sync != nil && o.Sync.DryRun
}

// RunsHooks reports whether the operation runs hooks: unless it asks for the apply strategy or for
// single objects.
func (s *SyncOperation) RunsHooks() bool {
	return len(s.Resources) == 0 && (s.SyncStrategy == nil || s.SyncStrategy.Apply == nil)
}

// Force reports whether objects that cannot be changed in place are to be made anew.
func (s *SyncStrategy) Force() bool {
	switch {
	case s == nil:
		return false
	case s.Apply != nil:
		return s.Apply.Force
	case s.Hook != nil:
		return s.Hook.Force
	}
	return false
}
