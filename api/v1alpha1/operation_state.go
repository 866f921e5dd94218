package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OperationState is how far an operation got.
type OperationState struct {
	// Operation is the request as it was taken up.
	Operation Operation `json:"operation" protobuf:"bytes,1,opt,name=operation"`
	// Phase is how far it got.
	Phase OperationPhase `json:"phase" protobuf:"bytes,2,opt,name=phase"`
	// Message explains the phase to people.
	Message string `json:"message,omitempty" protobuf:"bytes,3,opt,name=message"`
	// SyncResult is what the operation did to each object.
	SyncResult *SyncOperationResult `json:"syncResult,omitempty" protobuf:"bytes,4,opt,name=syncResult"`
	// StartedAt is when the controller took the operation up.
	StartedAt metav1.Time `json:"startedAt" protobuf:"bytes,6,opt,name=startedAt"`
	// FinishedAt is when it ended, absent while it runs.
	FinishedAt *metav1.Time `json:"finishedAt,omitempty" protobuf:"bytes,7,opt,name=finishedAt"`
	// RetryCount is how many times it was tried again.
	RetryCount int64 `json:"retryCount,omitempty" protobuf:"bytes,8,opt,name=retryCount"`
	// Waiting is what the operation waits for. It is absent while work goes on and when the operation
	// has ended. Fairlead's own.
	Waiting *OperationWait `json:"waiting,omitempty" protobuf:"bytes,100,opt,name=waiting"`
	// FirstSync says that the Application was never synced before, so that Helm's hooks of an
	// installation run in place of those of an upgrade. Fairlead's own.
	FirstSync bool `json:"firstSync,omitempty" protobuf:"varint,101,opt,name=firstSync"`
}

// OperationWait is what a running operation waits for, since when, and until when at the latest. It is
// Fairlead's own.
type OperationWait struct {
	// For names what is waited for, such as "Job db/migrate".
	For string `json:"for" protobuf:"bytes,1,opt,name=for"`
	// Message says what that still lacks.
	Message string `json:"message,omitempty" protobuf:"bytes,2,opt,name=message"`
	// Since is when the wait began.
	Since metav1.Time `json:"since" protobuf:"bytes,3,opt,name=since"`
	// Until is when the operation gives up.
	Until metav1.Time `json:"until" protobuf:"bytes,4,opt,name=until"`
}

// SyncOperationResult is what a synchronization did.
type SyncOperationResult struct {
	// Resources tells the outcome for each object and hook.
	Resources ResourceResults `json:"resources,omitempty" protobuf:"bytes,1,opt,name=resources"`
	// Revision is the revision that was applied.
	Revision string `json:"revision" protobuf:"bytes,2,opt,name=revision"`
	// Source is the source that was applied.
	Source ApplicationSource `json:"source,omitempty" protobuf:"bytes,3,opt,name=source"`
	// Sources are the sources that were applied, for an Application with several.
	Sources ApplicationSources `json:"sources,omitempty" protobuf:"bytes,4,opt,name=sources"`
	// Revisions are the revisions that were applied, one for each of several sources.
	Revisions []string `json:"revisions,omitempty" protobuf:"bytes,5,opt,name=revisions"`
	// ManagedNamespaceMetadata is what was put onto the destination namespace.
	ManagedNamespaceMetadata *ManagedNamespaceMetadata `json:"managedNamespaceMetadata,omitempty" protobuf:"bytes,6,opt,name=managedNamespaceMetadata"`
	// OmittedResources is how many outcomes Resources leaves out, so that the Application does not
	// outgrow what the API server stores. Fairlead's own.
	OmittedResources int64 `json:"omittedResources,omitempty" protobuf:"varint,100,opt,name=omittedResources"`
}

// ResourceResults are the outcomes for all objects of a synchronization.
type ResourceResults []*ResourceResult

// ResourceResult is what a synchronization did to one object.
type ResourceResult struct {
	// Group is the API group of the object.
	Group string `json:"group" protobuf:"bytes,1,opt,name=group"`
	// Version is its API version.
	Version string `json:"version" protobuf:"bytes,2,opt,name=version"`
	// Kind is its kind.
	Kind string `json:"kind" protobuf:"bytes,3,opt,name=kind"`
	// Namespace is its namespace, empty when it has none.
	Namespace string `json:"namespace" protobuf:"bytes,4,opt,name=namespace"`
	// Name is its name.
	Name string `json:"name" protobuf:"bytes,5,opt,name=name"`
	// Status is the outcome. It stays empty for a hook that has not been created yet.
	Status ResultCode `json:"status,omitempty" protobuf:"bytes,6,opt,name=status"`
	// Message explains the outcome to people.
	Message string `json:"message,omitempty" protobuf:"bytes,7,opt,name=message"`
	// HookType is what sort of hook the object is, empty for one that is no hook.
	HookType HookType `json:"hookType,omitempty" protobuf:"bytes,8,opt,name=hookType"`
	// HookPhase is how far the hook got. For an object that is no hook it tells whether the object
	// became healthy.
	HookPhase OperationPhase `json:"hookPhase,omitempty" protobuf:"bytes,9,opt,name=hookPhase"`
	// SyncPhase is the phase of the synchronization in which the object came.
	SyncPhase SyncPhase `json:"syncPhase,omitempty" protobuf:"bytes,10,opt,name=syncPhase"`
	// Images are the container images that the object names.
	Images []string `json:"images,omitempty" protobuf:"bytes,11,opt,name=images"`
}

// OperationPhase is how far an operation, or a hook, got.
type OperationPhase string

// Phases of an operation.
const (
	// OperationRunning means that work is going on.
	OperationRunning OperationPhase = "Running"
	// OperationTerminating means that somebody asked to break the operation off and it is being wound up.
	OperationTerminating OperationPhase = "Terminating"
	// OperationFailed means that the operation ended because an object could not be applied, a hook
	// failed or an object became unhealthy.
	OperationFailed OperationPhase = "Failed"
	// OperationError means that the operation ended because it could not be carried out at all.
	OperationError OperationPhase = "Error"
	// OperationSucceeded means that everything was done.
	OperationSucceeded OperationPhase = "Succeeded"
)

// Running reports whether work is going on.
func (p OperationPhase) Running() bool {
	return p == OperationRunning || p == OperationTerminating
}

// Completed reports whether the operation has ended, well or not.
func (p OperationPhase) Completed() bool {
	return p == OperationFailed || p == OperationError || p == OperationSucceeded
}

// Successful reports whether the operation has ended well.
func (p OperationPhase) Successful() bool {
	return p == OperationSucceeded
}

// SyncPhase is one of the stages that a synchronization goes through, in the order of the constants.
type SyncPhase string

// Phases of a synchronization.
const (
	// SyncPhasePreSync comes before objects are applied.
	SyncPhasePreSync SyncPhase = "PreSync"
	// SyncPhaseSync is when objects are applied.
	SyncPhaseSync SyncPhase = "Sync"
	// SyncPhasePostSync comes when all objects are applied and healthy.
	SyncPhasePostSync SyncPhase = "PostSync"
	// SyncPhaseSyncFail comes when one of the phases before it failed.
	SyncPhaseSyncFail SyncPhase = "SyncFail"
)

// HookType tells when a hook runs. An object is made a hook by AnnotationHook.
type HookType string

// Types of hooks.
const (
	// HookTypePreSync runs before objects are applied.
	HookTypePreSync HookType = "PreSync"
	// HookTypeSync runs together with the objects.
	HookTypeSync HookType = "Sync"
	// HookTypePostSync runs when all objects are applied and healthy.
	HookTypePostSync HookType = "PostSync"
	// HookTypeSyncFail runs when the synchronization failed.
	HookTypeSyncFail HookType = "SyncFail"
	// HookTypeSkip is never applied.
	HookTypeSkip HookType = "Skip"
	// HookTypePreDelete runs before the objects of a deleted Application are deleted.
	HookTypePreDelete HookType = "PreDelete"
	// HookTypePostDelete runs when the objects of a deleted Application are gone.
	HookTypePostDelete HookType = "PostDelete"
)

// HookDeletePolicy tells when a hook is deleted. It is set by AnnotationHookDeletePolicy.
type HookDeletePolicy string

// Policies of deleting hooks.
const (
	// HookDeletePolicyHookSucceeded deletes a hook that succeeded.
	HookDeletePolicyHookSucceeded HookDeletePolicy = "HookSucceeded"
	// HookDeletePolicyHookFailed deletes a hook that failed.
	HookDeletePolicyHookFailed HookDeletePolicy = "HookFailed"
	// HookDeletePolicyBeforeHookCreation deletes what is left of a hook before it is created anew. It
	// is the default.
	HookDeletePolicyBeforeHookCreation HookDeletePolicy = "BeforeHookCreation"
)

// ResultCode is what became of one object of a synchronization.
type ResultCode string

// Outcomes for one object.
const (
	// ResultCodeSynced means that the object was applied.
	ResultCodeSynced ResultCode = "Synced"
	// ResultCodeSyncFailed means that it could not be applied or deleted.
	ResultCodeSyncFailed ResultCode = "SyncFailed"
	// ResultCodePruned means that it was no longer desired and was deleted.
	ResultCodePruned ResultCode = "Pruned"
	// ResultCodePruneSkipped means that it is no longer desired and was kept.
	ResultCodePruneSkipped ResultCode = "PruneSkipped"
)

// Find returns the outcome for one object in one phase, or nil.
func (r ResourceResults) Find(group, kind, namespace, name string, phase SyncPhase) *ResourceResult {
	for _, result := range r {
		if result.Name == name && result.Kind == kind && result.Group == group &&
			result.Namespace == namespace && result.SyncPhase == phase {
			return result
		}
	}
	return nil
}
