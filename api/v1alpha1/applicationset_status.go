package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// ApplicationSetStatus is what the controller last observed about an ApplicationSet.
type ApplicationSetStatus struct {
	// Conditions tell how it fares.
	Conditions []ApplicationSetCondition `json:"conditions,omitempty" protobuf:"bytes,1,name=conditions"`
	// ApplicationStatus tells how far a rollout got with each Application.
	ApplicationStatus []ApplicationSetApplicationStatus `json:"applicationStatus,omitempty" protobuf:"bytes,2,name=applicationStatus"`
	// Resources are the generated Applications. There may be more than are listed.
	Resources []ResourceStatus `json:"resources,omitempty" protobuf:"bytes,3,opt,name=resources"`
	// ResourcesCount is how many Applications there are.
	ResourcesCount int64 `json:"resourcesCount,omitempty" protobuf:"varint,4,opt,name=resourcesCount"`
	// Health is the health of the whole.
	Health HealthStatus `json:"health,omitempty" protobuf:"bytes,5,opt,name=health"`
}

// ApplicationSetCondition tells how one side of an ApplicationSet fares.
type ApplicationSetCondition struct {
	// Type is the side.
	Type ApplicationSetConditionType `json:"type" protobuf:"bytes,1,opt,name=type"`
	// Message explains the condition to people.
	Message string `json:"message" protobuf:"bytes,2,opt,name=message"`
	// LastTransitionTime is when the condition last changed.
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty" protobuf:"bytes,3,opt,name=lastTransitionTime"`
	// Status is whether the condition holds.
	Status ApplicationSetConditionStatus `json:"status" protobuf:"bytes,4,opt,name=status"`
	// Reason tells why, for programs.
	Reason string `json:"reason" protobuf:"bytes,5,opt,name=reason"`
}

// ApplicationSetConditionStatus is whether a condition holds.
type ApplicationSetConditionStatus string

// Values of a condition's status.
const (
	// ApplicationSetConditionStatusTrue means that the condition holds.
	ApplicationSetConditionStatusTrue ApplicationSetConditionStatus = "True"
	// ApplicationSetConditionStatusFalse means that it does not hold.
	ApplicationSetConditionStatusFalse ApplicationSetConditionStatus = "False"
	// ApplicationSetConditionStatusUnknown means that nobody knows.
	ApplicationSetConditionStatusUnknown ApplicationSetConditionStatus = "Unknown"
)

// ApplicationSetConditionType is the side of an ApplicationSet that a condition is about.
type ApplicationSetConditionType string

// Types of conditions of an ApplicationSet.
const (
	// ApplicationSetConditionErrorOccurred holds when something went wrong.
	ApplicationSetConditionErrorOccurred ApplicationSetConditionType = "ErrorOccurred"
	// ApplicationSetConditionParametersGenerated holds when all generators yielded their parameters.
	ApplicationSetConditionParametersGenerated ApplicationSetConditionType = "ParametersGenerated"
	// ApplicationSetConditionResourcesUpToDate holds when all Applications are as the template wants them.
	ApplicationSetConditionResourcesUpToDate ApplicationSetConditionType = "ResourcesUpToDate"
	// ApplicationSetConditionRolloutProgressing holds while a rollout is under way.
	ApplicationSetConditionRolloutProgressing ApplicationSetConditionType = "RolloutProgressing"
	// ApplicationSetConditionInvalidRolloutConfig holds when the steps contradict each other.
	ApplicationSetConditionInvalidRolloutConfig ApplicationSetConditionType = "InvalidRolloutConfig"
)

// Reasons of conditions of an ApplicationSet.
const (
	// ApplicationSetReasonErrorOccurred is for errors without a reason of their own.
	ApplicationSetReasonErrorOccurred = "ErrorOccurred"
	// ApplicationSetReasonApplicationSetUpToDate means that there is nothing to do.
	ApplicationSetReasonApplicationSetUpToDate = "ApplicationSetUpToDate"
	// ApplicationSetReasonParametersGenerated means that the generators yielded their parameters.
	ApplicationSetReasonParametersGenerated = "ParametersGenerated"
	// ApplicationSetReasonApplicationParamsGenerationError means that a generator failed.
	ApplicationSetReasonApplicationParamsGenerationError = "ApplicationGenerationFromParamsError"
	// ApplicationSetReasonRenderTemplateParamsError means that the template could not be filled in.
	ApplicationSetReasonRenderTemplateParamsError = "RenderTemplateParamsError"
	// ApplicationSetReasonApplicationValidationError means that a generated Application is invalid.
	ApplicationSetReasonApplicationValidationError = "ApplicationValidationError"
	// ApplicationSetReasonCreateApplicationError means that an Application could not be created.
	ApplicationSetReasonCreateApplicationError = "CreateApplicationError"
	// ApplicationSetReasonUpdateApplicationError means that an Application could not be changed.
	ApplicationSetReasonUpdateApplicationError = "UpdateApplicationError"
	// ApplicationSetReasonDeleteApplicationError means that an Application could not be deleted.
	ApplicationSetReasonDeleteApplicationError = "DeleteApplicationError"
	// ApplicationSetReasonRefreshApplicationError means that an Application could not be refreshed.
	ApplicationSetReasonRefreshApplicationError = "RefreshApplicationError"
	// ApplicationSetReasonApplicationSetModified means that a rollout was started by a change.
	ApplicationSetReasonApplicationSetModified = "ApplicationSetModified"
	// ApplicationSetReasonApplicationSetRolloutComplete means that the rollout is over.
	ApplicationSetReasonApplicationSetRolloutComplete = "ApplicationSetRolloutComplete"
	// ApplicationSetReasonApplicationSetRolloutError means that the rollout failed.
	ApplicationSetReasonApplicationSetRolloutError = "ApplicationSetRolloutError"
	// ApplicationSetReasonInvalidRolloutConfig means that the steps contradict each other.
	ApplicationSetReasonInvalidRolloutConfig = "ApplicationSetInvalidRolloutConfig"
	// ApplicationSetReasonValidRolloutConfig means that the steps are sound.
	ApplicationSetReasonValidRolloutConfig = "ApplicationSetValidRolloutConfig"
)

// ApplicationSetApplicationStatus tells how far a rollout got with one Application.
type ApplicationSetApplicationStatus struct {
	// Application is the name of the Application.
	Application string `json:"application" protobuf:"bytes,1,opt,name=application"`
	// LastTransitionTime is when its status last changed.
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty" protobuf:"bytes,2,opt,name=lastTransitionTime"`
	// Message explains the status to people.
	Message string `json:"message" protobuf:"bytes,3,opt,name=message"`
	// Status is how far the rollout got with it.
	Status ProgressiveSyncStatusCode `json:"status" protobuf:"bytes,4,opt,name=status"`
	// Step is the number of the step that it belongs to, counted from one, or -1 for none.
	Step string `json:"step" protobuf:"bytes,5,opt,name=step"`
	// TargetRevisions are the revisions that it is to have.
	TargetRevisions []string `json:"targetRevisions" protobuf:"bytes,6,opt,name=targetrevisions"`
}

// ProgressiveSyncStatusCode is how far a rollout got with an Application.
type ProgressiveSyncStatusCode string

// States of an Application in a rollout.
const (
	// ProgressiveSyncWaiting means that its step has not come yet.
	ProgressiveSyncWaiting ProgressiveSyncStatusCode = "Waiting"
	// ProgressiveSyncPending means that a sync was asked for and has not begun.
	ProgressiveSyncPending ProgressiveSyncStatusCode = "Pending"
	// ProgressiveSyncProgressing means that it is being synchronized or is not healthy yet.
	ProgressiveSyncProgressing ProgressiveSyncStatusCode = "Progressing"
	// ProgressiveSyncHealthy means that it has its revisions and is healthy.
	ProgressiveSyncHealthy ProgressiveSyncStatusCode = "Healthy"
)

// ApplicationSetWatchEvent is one message of a stream of changes to ApplicationSets.
type ApplicationSetWatchEvent struct {
	// Type tells whether the ApplicationSet was added, modified or deleted.
	Type watch.EventType `json:"type" protobuf:"bytes,1,opt,name=type,casttype=k8s.io/apimachinery/pkg/watch.EventType"`
	// ApplicationSet is the ApplicationSet after the change, or as last seen when it was deleted.
	ApplicationSet ApplicationSet `json:"applicationSet" protobuf:"bytes,2,opt,name=applicationSet"`
}
