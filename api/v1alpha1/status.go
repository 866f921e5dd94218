package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationStatus is what the controller last observed about an Application.
type ApplicationStatus struct {
	// Resources are the objects that are managed, with the state of each.
	Resources []ResourceStatus `json:"resources,omitempty" protobuf:"bytes,1,opt,name=resources"`
	// Sync tells whether the live state is the desired one.
	Sync SyncStatus `json:"sync,omitempty" protobuf:"bytes,2,opt,name=sync"`
	// Health is the health of the whole.
	Health AppHealthStatus `json:"health,omitempty" protobuf:"bytes,3,opt,name=health"`
	// History remembers finished syncs, the newest last.
	History RevisionHistories `json:"history,omitempty" protobuf:"bytes,4,opt,name=history"`
	// Conditions are problems that people should know of.
	Conditions []ApplicationCondition `json:"conditions,omitempty" protobuf:"bytes,5,opt,name=conditions"`
	// ReconciledAt is when the desired state was last compared with the live state.
	ReconciledAt *metav1.Time `json:"reconciledAt,omitempty" protobuf:"bytes,6,opt,name=reconciledAt"`
	// OperationState is how far the newest operation got.
	OperationState *OperationState `json:"operationState,omitempty" protobuf:"bytes,7,opt,name=operationState"`
	// ObservedAt is no longer written. It stays so that old objects can be read.
	ObservedAt *metav1.Time `json:"observedAt,omitempty" protobuf:"bytes,8,opt,name=observedAt"`
	// SourceType is the tool that renders the source.
	SourceType ApplicationSourceType `json:"sourceType,omitempty" protobuf:"bytes,9,opt,name=sourceType"`
	// Summary collects what is interesting at a glance.
	Summary ApplicationSummary `json:"summary,omitempty" protobuf:"bytes,10,opt,name=summary"`
	// ResourceHealthSource tells where the health of single objects is kept: in Resources when
	// empty, or only in the resource tree.
	ResourceHealthSource ResourceHealthLocation `json:"resourceHealthSource,omitempty" protobuf:"bytes,11,opt,name=resourceHealthSource"`
	// SourceTypes are the tools that render each of several sources.
	SourceTypes []ApplicationSourceType `json:"sourceTypes,omitempty" protobuf:"bytes,12,opt,name=sourceTypes"`
	// ControllerNamespace is the namespace that the controller runs in.
	ControllerNamespace string `json:"controllerNamespace,omitempty" protobuf:"bytes,13,opt,name=controllerNamespace"`
	// SourceHydrator is what the controller last observed about hydration.
	SourceHydrator SourceHydratorStatus `json:"sourceHydrator,omitempty" protobuf:"bytes,14,opt,name=sourceHydrator"`
	// Plan sums up what a sync would do now. It is absent while the Application is synced. Fairlead's
	// own.
	Plan *PlanSummary `json:"plan,omitempty" protobuf:"bytes,100,opt,name=plan"`
	// OmittedResources counts the objects that Resources leaves out, so that the Application does not
	// outgrow what the API server stores. It is absent when none is. Fairlead's own.
	OmittedResources *OmittedResources `json:"omittedResources,omitempty" protobuf:"bytes,101,opt,name=omittedResources"`
}

// OmittedResources counts managed objects that a status leaves out. It is Fairlead's own.
type OmittedResources struct {
	// Count is how many there are.
	Count int64 `json:"count" protobuf:"varint,1,opt,name=count"`
	// OutOfSync is how many of them are not Synced. Those come first, so there are none unless there
	// are very many.
	OutOfSync int64 `json:"outOfSync,omitempty" protobuf:"varint,2,opt,name=outOfSync"`
}

// PlanSummary sums up the steps of a sync. It is Fairlead's own.
type PlanSummary struct {
	// Digest names the plan. A sync that is asked for it refuses when its plan has another.
	Digest string `json:"digest" protobuf:"bytes,1,opt,name=digest"`
	// Create is how many objects would be made.
	Create int64 `json:"create,omitempty" protobuf:"varint,2,opt,name=create"`
	// Change is how many objects would be changed.
	Change int64 `json:"change,omitempty" protobuf:"varint,3,opt,name=change"`
	// Prune is how many objects would be deleted, if the sync prunes.
	Prune int64 `json:"prune,omitempty" protobuf:"varint,4,opt,name=prune"`
	// Run is how many hooks would run.
	Run int64 `json:"run,omitempty" protobuf:"varint,5,opt,name=run"`
	// RestartsPods is how many of the steps make a workload replace its pods.
	RestartsPods int64 `json:"restartsPods,omitempty" protobuf:"varint,6,opt,name=restartsPods"`
	// LosesData is how many of the steps delete an object that holds data.
	LosesData int64 `json:"losesData,omitempty" protobuf:"varint,7,opt,name=losesData"`
}

// ResourceHealthLocation tells where the health of single objects is kept.
type ResourceHealthLocation string

// ResourceHealthLocationAppTree means that the health of single objects is in the resource tree and
// not in the status.
const ResourceHealthLocationAppTree ResourceHealthLocation = "appTree"

// SyncStatus tells whether the live state is the desired one.
type SyncStatus struct {
	// Status is the answer.
	Status SyncStatusCode `json:"status" protobuf:"bytes,1,opt,name=status,casttype=SyncStatusCode"`
	// ComparedTo is what the live state was compared with.
	ComparedTo ComparedTo `json:"comparedTo,omitempty" protobuf:"bytes,2,opt,name=comparedTo"`
	// Revision is the revision that was compared, a commit or a chart version.
	Revision string `json:"revision,omitempty" protobuf:"bytes,3,opt,name=revision"`
	// Revisions are the revisions that were compared, one for each of several sources.
	Revisions []string `json:"revisions,omitempty" protobuf:"bytes,4,opt,name=revisions"`
}

// SyncStatusCode tells whether live and desired state are the same.
type SyncStatusCode string

// Sync states.
const (
	// SyncStatusCodeUnknown means that the comparison failed or has not happened.
	SyncStatusCodeUnknown SyncStatusCode = "Unknown"
	// SyncStatusCodeSynced means that there is no difference.
	SyncStatusCodeSynced SyncStatusCode = "Synced"
	// SyncStatusCodeOutOfSync means that there are differences.
	SyncStatusCodeOutOfSync SyncStatusCode = "OutOfSync"
)

// ComparedTo is the part of the specification that a comparison depends on. When it no longer
// matches the specification, the comparison is outdated.
type ComparedTo struct {
	// Source is the source that was rendered.
	Source ApplicationSource `json:"source,omitempty" protobuf:"bytes,1,opt,name=source"`
	// Destination is the cluster and namespace that was looked at.
	Destination ApplicationDestination `json:"destination" protobuf:"bytes,2,opt,name=destination"`
	// Sources are the sources that were rendered, for an Application with several.
	Sources ApplicationSources `json:"sources,omitempty" protobuf:"bytes,3,opt,name=sources"`
	// IgnoreDifferences are the rules that were in force.
	IgnoreDifferences IgnoreDifferences `json:"ignoreDifferences,omitempty" protobuf:"bytes,4,opt,name=ignoreDifferences"`
}

// ResourceStatus is the state of one managed object.
type ResourceStatus struct {
	// Group is the API group of the object.
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// Version is its API version.
	Version string `json:"version,omitempty" protobuf:"bytes,2,opt,name=version"`
	// Kind is its kind.
	Kind string `json:"kind,omitempty" protobuf:"bytes,3,opt,name=kind"`
	// Namespace is its namespace, empty when it has none.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,4,opt,name=namespace"`
	// Name is its name.
	Name string `json:"name,omitempty" protobuf:"bytes,5,opt,name=name"`
	// Status tells whether the live object is as desired. Empty for hooks.
	Status SyncStatusCode `json:"status,omitempty" protobuf:"bytes,6,opt,name=status"`
	// Health is the health of the object. Absent when its kind has none.
	Health *HealthStatus `json:"health,omitempty" protobuf:"bytes,7,opt,name=health"`
	// Hook is true for an object that is a hook.
	Hook bool `json:"hook,omitempty" protobuf:"bytes,8,opt,name=hook"`
	// RequiresPruning is true for an object that is no longer desired and still exists.
	RequiresPruning bool `json:"requiresPruning,omitempty" protobuf:"bytes,9,opt,name=requiresPruning"`
	// SyncWave is the wave of a synchronization in which the object comes. Lower waves come first.
	SyncWave int64 `json:"syncWave,omitempty" protobuf:"bytes,10,opt,name=syncWave"`
	// RequiresDeletionConfirmation is true for an object that may only be deleted after a person
	// confirmed it.
	RequiresDeletionConfirmation bool `json:"requiresDeletionConfirmation,omitempty" protobuf:"bytes,11,opt,name=requiresDeletionConfirmation"`
	// Drift tells how the object left its desired state without a change of the source. Absent when it
	// did not. It is Fairlead's own.
	Drift *ResourceDrift `json:"drift,omitempty" protobuf:"bytes,100,opt,name=drift"`
}

// ApplicationSummary collects what is interesting about an Application at a glance.
type ApplicationSummary struct {
	// ExternalURLs are the addresses under which the Application can be reached.
	ExternalURLs []string `json:"externalURLs,omitempty" protobuf:"bytes,1,opt,name=externalURLs"`
	// Images are the container images that run, sorted.
	Images []string `json:"images,omitempty" protobuf:"bytes,2,opt,name=images"`
	// IsAppOfApps is true when an Application is among the managed objects.
	IsAppOfApps bool `json:"isAppOfApps,omitempty" protobuf:"bytes,3,opt,name=isAppOfApps"`
}
