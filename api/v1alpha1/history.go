package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RevisionHistories remember finished syncs, the newest last.
type RevisionHistories []RevisionHistory

// RevisionHistory remembers one finished sync.
type RevisionHistory struct {
	// Revision is the revision that was applied.
	Revision string `json:"revision,omitempty" protobuf:"bytes,2,opt,name=revision"`
	// DeployedAt is when the sync ended.
	DeployedAt metav1.Time `json:"deployedAt" protobuf:"bytes,4,opt,name=deployedAt"`
	// ID counts the syncs of the Application. A rollback names the sync to return to by it.
	ID int64 `json:"id" protobuf:"bytes,5,opt,name=id"`
	// Source is the source that was applied.
	Source ApplicationSource `json:"source,omitempty" protobuf:"bytes,6,opt,name=source"`
	// DeployStartedAt is when the sync started.
	DeployStartedAt *metav1.Time `json:"deployStartedAt,omitempty" protobuf:"bytes,7,opt,name=deployStartedAt"`
	// Sources are the sources that were applied, for an Application with several.
	Sources ApplicationSources `json:"sources,omitempty" protobuf:"bytes,8,opt,name=sources"`
	// Revisions are the revisions that were applied, one for each of several sources.
	Revisions []string `json:"revisions,omitempty" protobuf:"bytes,9,opt,name=revisions"`
	// InitiatedBy tells who asked for the sync.
	InitiatedBy OperationInitiator `json:"initiatedBy,omitempty" protobuf:"bytes,10,opt,name=initiatedBy"`
}

// Find returns the entry with this ID, or nil.
func (h RevisionHistories) Find(id int64) *RevisionHistory {
	for i := range h {
		if h[i].ID == id {
			return &h[i]
		}
	}
	return nil
}

// Last returns the newest entry, or nil.
func (h RevisionHistories) Last() *RevisionHistory {
	if len(h) == 0 {
		return nil
	}
	return &h[len(h)-1]
}

// Keep returns the newest entries, at most limit of them. It shares memory with the receiver.
func (h RevisionHistories) Keep(limit int) RevisionHistories {
	return h[max(0, len(h)-max(0, limit)):]
}
