package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConnectionStatus tells whether a repository or a cluster can be reached.
type ConnectionStatus string

// Connection states.
const (
	// ConnectionStatusSuccessful means that the last attempt succeeded.
	ConnectionStatusSuccessful ConnectionStatus = "Successful"
	// ConnectionStatusFailed means that the last attempt failed.
	ConnectionStatusFailed ConnectionStatus = "Failed"
	// ConnectionStatusUnknown means that nobody has tried.
	ConnectionStatusUnknown ConnectionStatus = "Unknown"
)

// ConnectionState is what came out of the last attempt to reach a repository or a cluster.
type ConnectionState struct {
	// Status is the outcome.
	Status ConnectionStatus `json:"status" protobuf:"bytes,1,opt,name=status"`
	// Message explains it to people.
	Message string `json:"message" protobuf:"bytes,2,opt,name=message"`
	// ModifiedAt is when the attempt was made.
	ModifiedAt *metav1.Time `json:"attemptedAt" protobuf:"bytes,3,opt,name=attemptedAt"`
}
