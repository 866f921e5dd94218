package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Application binds a place in one or more sources (Git, Helm or OCI) to a destination (a cluster
// and a namespace) and says how the two are kept equal. Spec is what the user wants, Status what
// was last observed, and Operation a request to act that has not been taken up yet.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=applications,shortName=app;apps
// +kubebuilder:printcolumn:name="Sync Status",type=string,JSONPath=`.status.sync.status`
// +kubebuilder:printcolumn:name="Health Status",type=string,JSONPath=`.status.health.status`
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.sync.revision`,priority=10
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.spec.project`,priority=10
type Application struct {
	metav1.TypeMeta `json:",inline"`
	// ObjectMeta is the standard object metadata. Its annotations and finalizers carry part of the
	// contract, see the Annotation and Finalizer constants of this package.
	metav1.ObjectMeta `json:"metadata" protobuf:"bytes,1,opt,name=metadata"`
	// Spec is the desired state.
	Spec ApplicationSpec `json:"spec" protobuf:"bytes,2,opt,name=spec"`
	// Status is what the controller last observed. Only the controller writes it. It is a plain
	// field, not a subresource, so a client that writes the whole object must leave it as it found
	// it.
	Status ApplicationStatus `json:"status,omitempty" protobuf:"bytes,3,opt,name=status"`
	// Operation is a request to synchronize. Whoever wants a sync sets it; the controller moves it
	// to status.operationState and clears it as soon as the work starts.
	Operation *Operation `json:"operation,omitempty" protobuf:"bytes,4,opt,name=operation"`
}

// ApplicationList is a page of Applications as the API server lists them.
//
// +kubebuilder:object:root=true
type ApplicationList struct {
	metav1.TypeMeta `json:",inline"`
	// ListMeta carries the resource version of the list and the token of its next page.
	metav1.ListMeta `json:"metadata" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the Applications.
	Items []Application `json:"items" protobuf:"bytes,2,rep,name=items"`
}

// ApplicationSpec is what a user asks of an Application. Exactly one of Source, Sources and
// SourceHydrator is in force: SourceHydrator wins over Sources, and Sources over Source.
type ApplicationSpec struct {
	// Source is where the desired objects come from, for an Application with one source.
	Source *ApplicationSource `json:"source,omitempty" protobuf:"bytes,1,opt,name=source"`
	// Destination is the cluster and namespace that the objects belong in.
	Destination ApplicationDestination `json:"destination" protobuf:"bytes,2,name=destination"`
	// Project is the name of the AppProject whose rules the Application obeys. Empty means
	// "default".
	Project string `json:"project" protobuf:"bytes,3,name=project"`
	// SyncPolicy says when and how a sync happens. Absent means that every sync is started by hand.
	SyncPolicy *SyncPolicy `json:"syncPolicy,omitempty" protobuf:"bytes,4,name=syncPolicy"`
	// IgnoreDifferences lists fields whose differences do not count when desired and live state are
	// compared.
	IgnoreDifferences IgnoreDifferences `json:"ignoreDifferences,omitempty" protobuf:"bytes,5,name=ignoreDifferences"`
	// Info lists facts for human readers, such as links and contacts. Nothing acts on them.
	Info []Info `json:"info,omitempty" protobuf:"bytes,6,name=info"`
	// RevisionHistoryLimit is how many finished syncs status.history remembers, which is how far
	// back a rollback can go. Default 10; zero keeps none.
	RevisionHistoryLimit *int64 `json:"revisionHistoryLimit,omitempty" protobuf:"bytes,7,name=revisionHistoryLimit"`
	// Sources are the places that desired objects come from, for an Application that joins several
	// of them. Source is disregarded when this list is not empty.
	Sources ApplicationSources `json:"sources,omitempty" protobuf:"bytes,8,opt,name=sources"`
	// SourceHydrator makes the Application render its sources into a branch and sync from that
	// branch.
	SourceHydrator *SourceHydrator `json:"sourceHydrator,omitempty" protobuf:"bytes,9,opt,name=sourceHydrator"`
}

// ApplicationDestination names a cluster and a namespace. The cluster is given by its address or by
// its name, never by both.
type ApplicationDestination struct {
	// Server is the address of the cluster's Kubernetes API, such as
	// https://kubernetes.default.svc. Exclusive with Name.
	Server string `json:"server,omitempty" protobuf:"bytes,1,opt,name=server"`
	// Namespace is given to namespaced objects that name no namespace of their own.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,2,opt,name=namespace"`
	// Name is the name that the cluster was registered under, such as in-cluster. Exclusive with
	// Server.
	Name string `json:"name,omitempty" protobuf:"bytes,3,opt,name=name"`
}

// Info is one named fact shown beside an Application or an operation.
type Info struct {
	// Name is the label of the fact.
	Name string `json:"name" protobuf:"bytes,1,name=name"`
	// Value is its text. The page shows a value that is a URL as a link.
	Value string `json:"value" protobuf:"bytes,2,name=value"`
}

// ApplicationWatchEvent is one message of a stream of changes to Applications.
type ApplicationWatchEvent struct {
	// Type tells whether the Application was added, modified or deleted.
	Type watch.EventType `json:"type" protobuf:"bytes,1,opt,name=type,casttype=k8s.io/apimachinery/pkg/watch.EventType"`
	// Application is the Application after the change, or as last seen when it was deleted.
	Application Application `json:"application" protobuf:"bytes,2,opt,name=application"`
}
