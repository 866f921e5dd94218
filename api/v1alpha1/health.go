package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AppHealthStatus is the health of an Application.
type AppHealthStatus struct {
	// Status is the health.
	Status HealthStatusCode `json:"status,omitempty" protobuf:"bytes,1,opt,name=status"`
	// Message explains it to people, where there is something to say.
	Message string `json:"message,omitempty" protobuf:"bytes,2,opt,name=message"`
	// LastTransitionTime is when the health last changed.
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty" protobuf:"bytes,3,opt,name=lastTransitionTime"`
}

// HealthStatus is the health of one object.
type HealthStatus struct {
	// Status is the health.
	Status HealthStatusCode `json:"status,omitempty" protobuf:"bytes,1,opt,name=status"`
	// Message explains it to people.
	Message string `json:"message,omitempty" protobuf:"bytes,2,opt,name=message"`
	// LastTransitionTime is no longer written. It stays so that old objects can be read.
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty" protobuf:"bytes,3,opt,name=lastTransitionTime"`
}

// HealthStatusCode is the health of an object or of an Application.
type HealthStatusCode string

// Health states. What an Application is made of decides its own: the worst of them wins, in the order
// Healthy, Suspended, Progressing, Missing, Degraded, Unknown.
const (
	// HealthStatusHealthy means that the object works.
	HealthStatusHealthy HealthStatusCode = "Healthy"
	// HealthStatusProgressing means that it does not work yet but may by itself.
	HealthStatusProgressing HealthStatusCode = "Progressing"
	// HealthStatusDegraded means that it does not work and will not by itself.
	HealthStatusDegraded HealthStatusCode = "Degraded"
	// HealthStatusSuspended means that it waits for somebody, as a paused Deployment does.
	HealthStatusSuspended HealthStatusCode = "Suspended"
	// HealthStatusMissing means that it is desired and does not exist.
	HealthStatusMissing HealthStatusCode = "Missing"
	// HealthStatusUnknown means that its health could not be assessed.
	HealthStatusUnknown HealthStatusCode = "Unknown"
)
