package v1alpha1

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationCondition is a problem that people should know of.
type ApplicationCondition struct {
	// Type tells the sort of problem.
	Type ApplicationConditionType `json:"type" protobuf:"bytes,1,opt,name=type"`
	// Message explains it to people.
	Message string `json:"message" protobuf:"bytes,2,opt,name=message"`
	// LastTransitionTime is when the condition, with this message, was first observed.
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty" protobuf:"bytes,3,opt,name=lastTransitionTime"`
}

// ApplicationConditionType is the sort of a condition. Types ending in Error are errors, those
// ending in Warning and others are not.
type ApplicationConditionType string

// Types of conditions of an Application.
const (
	// ApplicationConditionDeletionError means that the objects of a deleted Application could not be deleted.
	ApplicationConditionDeletionError ApplicationConditionType = "DeletionError"
	// ApplicationConditionDeletionHeld means that the deletion of the Application waits for that of others. It is no error.
	ApplicationConditionDeletionHeld ApplicationConditionType = "DeletionHeld"
	// ApplicationConditionInvalidSpecError means that the specification contradicts itself or its project.
	ApplicationConditionInvalidSpecError ApplicationConditionType = "InvalidSpecError"
	// ApplicationConditionComparisonError means that desired and live state could not be compared.
	ApplicationConditionComparisonError ApplicationConditionType = "ComparisonError"
	// ApplicationConditionSyncError means that an automated sync could not be started or failed.
	ApplicationConditionSyncError ApplicationConditionType = "SyncError"
	// ApplicationConditionSyncHeld means that an automated sync would start and waits: for a sync window, a
	// dependency, an earlier stage, an approval. It is no error.
	ApplicationConditionSyncHeld ApplicationConditionType = "SyncHeld"
	// ApplicationConditionPinned means that the Application is held at a revision other than its target. It is no error.
	ApplicationConditionPinned ApplicationConditionType = "Pinned"
	// ApplicationConditionUnknownError means that something unforeseen went wrong in the controller.
	ApplicationConditionUnknownError ApplicationConditionType = "UnknownError"
	// ApplicationConditionSharedResourceWarning means that another Application claims one of the objects too.
	ApplicationConditionSharedResourceWarning ApplicationConditionType = "SharedResourceWarning"
	// ApplicationConditionRepeatedResourceWarning means that the sources name the same object more than once.
	ApplicationConditionRepeatedResourceWarning ApplicationConditionType = "RepeatedResourceWarning"
	// ApplicationConditionExcludedResourceWarning means that an object is of a kind that the installation excludes.
	ApplicationConditionExcludedResourceWarning ApplicationConditionType = "ExcludedResourceWarning"
	// ApplicationConditionOrphanedResourceWarning means that the namespace holds objects that no Application manages.
	ApplicationConditionOrphanedResourceWarning ApplicationConditionType = "OrphanedResourceWarning"
)

// IsError reports whether the condition is an error and not a warning.
func (c *ApplicationCondition) IsError() bool {
	return strings.HasSuffix(string(c.Type), "Error")
}

// SetConditions replaces the conditions of the evaluated types by the observed ones and leaves those
// of other types alone. A condition that was there before with the same message keeps its time; a new
// one gets the given time. The result is sorted by type and message.
func (s *ApplicationStatus) SetConditions(now metav1.Time, observed []ApplicationCondition, evaluated ...ApplicationConditionType) {
	var conditions []ApplicationCondition
	for _, condition := range s.Conditions {
		if !slices.Contains(evaluated, condition.Type) {
			conditions = append(conditions, condition)
		}
	}
	for _, condition := range observed {
		condition.LastTransitionTime = &now
		for _, before := range s.Conditions {
			if before.Type == condition.Type && before.Message == condition.Message && before.LastTransitionTime != nil {
				condition.LastTransitionTime = before.LastTransitionTime
				break
			}
		}
		conditions = append(conditions, condition)
	}
	slices.SortStableFunc(conditions, func(a, b ApplicationCondition) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Message, b.Message))
	})
	s.Conditions = conditions
}

// GetConditions returns the conditions of these types, in their order.
func (s *ApplicationStatus) GetConditions(types ...ApplicationConditionType) []ApplicationCondition {
	var conditions []ApplicationCondition
	for _, condition := range s.Conditions {
		if slices.Contains(types, condition.Type) {
			conditions = append(conditions, condition)
		}
	}
	return conditions
}
