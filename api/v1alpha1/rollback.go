package v1alpha1

import "slices"

// GoodBefore returns the newest entry of the history that is not what the Application was last compared with; nil when
// there is none. A rollback that names no entry means this one.
func (s *ApplicationStatus) GoodBefore() *RevisionHistory {
	for i := range slices.Backward(s.History) {
		entry := &s.History[i]
		if entry.Revision != s.Sync.Revision || !slices.Equal(entry.Revisions, s.Sync.Revisions) {
			return entry
		}
	}
	return nil
}

// SyncTo is the sync that brings an Application back to an entry of its history.
func (h *RevisionHistory) SyncTo(policy *SyncPolicy) *SyncOperation {
	sync := &SyncOperation{
		Revision: h.Revision, Revisions: h.Revisions, Sources: h.Sources,
		SyncStrategy: &SyncStrategy{Apply: &SyncStrategyApply{}},
	}
	if len(h.Sources) == 0 {
		sync.Source = &h.Source
	}
	if policy != nil {
		sync.SyncOptions = policy.SyncOptions
	}
	return sync
}

// PinAnnotations are the annotations that pin an Application; each nil as a value where none is to stand.
func PinAnnotations(at, by, reason string) map[string]any {
	annotations := NoPinAnnotations()
	for name, value := range map[string]string{AnnotationPin: at, AnnotationPinBy: by, AnnotationPinReason: reason} {
		if value != "" {
			annotations[name] = value
		}
	}
	return annotations
}

// NoPinAnnotations take a pin away.
func NoPinAnnotations() map[string]any {
	return map[string]any{AnnotationPin: nil, AnnotationPinBy: nil, AnnotationPinReason: nil, AnnotationPinKeepsOut: nil}
}
