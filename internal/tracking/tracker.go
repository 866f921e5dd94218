package tracking

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Tracker reads and writes the marks of one installation. The zero value tracks by annotation, without an installation
// id. It is immutable and safe for concurrent use.
type Tracker struct {
	// Method is how objects are marked; empty means MethodAnnotation.
	Method Method
	// LabelKey is the instance label's key; empty means DefaultLabelKey.
	LabelKey string
	// InstallationID is this installation's id; empty when there is only one installation.
	InstallationID string
}

// Object is what Owner needs to know of an object. Typed objects, *unstructured.Unstructured and
// *metav1.PartialObjectMetadata all have it.
type Object interface {
	GetObjectKind() schema.ObjectKind
	GetNamespace() string
	GetName() string
	GetLabels() map[string]string
	GetAnnotations() map[string]string
	GetOwnerReferences() []metav1.OwnerReference
}

// Marks are an object's identity and the marks found on it.
type Marks struct {
	Group, Kind, Namespace, Name string
	// Label is the value of the label Tracker.Key.
	Label string
	// TrackingID and InstallationID are the values of the annotations of these names.
	TrackingID, InstallationID string
	// Owned tells that the object has owner references.
	Owned bool
}

// Key returns the key of the instance label.
func (t Tracker) Key() string {
	if t.LabelKey == "" {
		return DefaultLabelKey
	}
	return t.LabelKey
}

// ByLabel reports whether the label alone decides.
func (t Tracker) ByLabel() bool { return t.Method == MethodLabel }

// Owner returns the instance name of the application that the object belongs to; ok is false when it belongs to none.
func (t Tracker) Owner(obj Object) (app string, ok bool) {
	gvk := obj.GetObjectKind().GroupVersionKind()
	annotations := obj.GetAnnotations()
	return t.OwnerOf(Marks{
		Group:          gvk.Group,
		Kind:           gvk.Kind,
		Namespace:      obj.GetNamespace(),
		Name:           obj.GetName(),
		Label:          obj.GetLabels()[t.Key()],
		TrackingID:     annotations[AnnotationTrackingID],
		InstallationID: annotations[AnnotationInstallationID],
		Owned:          len(obj.GetOwnerReferences()) > 0,
	})
}

// OwnerOf is Owner for a caller that has read the marks itself.
//
// The label carries no identity, and controllers copy labels to the objects they make: by label, an object with owner
// references belongs to its owner and not to an application.
func (t Tracker) OwnerOf(m Marks) (app string, ok bool) {
	if t.Method == MethodLabel {
		return m.Label, m.Label != "" && !m.Owned
	}
	if m.TrackingID == "" || t.InstallationID != "" && m.InstallationID != t.InstallationID {
		return "", false
	}
	id, err := ParseID(m.TrackingID)
	if err != nil || id.App == "" || !id.names(m.Group, m.Kind, m.Namespace, m.Name) {
		return "", false
	}
	return id.App, true
}
