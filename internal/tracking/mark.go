package tracking

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// maxLabel is the length of a label's value that Kubernetes accepts, in bytes.
const maxLabel = 63

var crd = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// Mark makes obj, in place, an object of the application: app is the instance name, namespace the destination
// namespace, which stands in the tracking id of an object without one of its own.
//
// A CustomResourceDefinition is left as it is, because applications share them. The error tells that the object's own
// labels or annotations are not maps of strings.
func (t Tracker) Mark(obj *unstructured.Unstructured, app, namespace string) error {
	if obj.GroupVersionKind().GroupKind() == crd {
		return nil
	}
	if t.Method == MethodLabel {
		// In full even if too long: the label is all there is to find the application by, and a shortened one would
		// name another. The API server then says what is wrong.
		return t.label(obj, app)
	}
	if err := t.annotate(obj, app, namespace); err != nil {
		return err
	}
	if t.Method != MethodAnnotationAndLabel {
		return nil
	}
	short, err := LabelValue(app)
	if err != nil {
		return err
	}
	return t.label(obj, short)
}

// LabelValue shortens an instance name to what a label may hold: 63 bytes, ending in a letter or digit.
func LabelValue(app string) (string, error) {
	if len(app) <= maxLabel {
		return app, nil
	}
	end := maxLabel
	for end > 0 && !alphanumeric(app[end-1]) {
		end--
	}
	if end == 0 {
		return "", fmt.Errorf("application name %q cannot be shortened to a label: no letter or digit in its first %d characters", app, maxLabel)
	}
	return app[:end], nil
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (t Tracker) annotate(obj *unstructured.Unstructured, app, namespace string) error {
	if own := obj.GetNamespace(); own != "" {
		namespace = own
	}
	gvk := obj.GroupVersionKind()
	id := ID{App: app, Group: gvk.Group, Kind: gvk.Kind, Namespace: namespace, Name: obj.GetName()}

	annotations, err := stringMap(obj, "metadata", "annotations")
	if err != nil {
		return err
	}
	annotations[AnnotationTrackingID] = id.String()
	if t.InstallationID != "" {
		annotations[AnnotationInstallationID] = t.InstallationID
	} else {
		delete(annotations, AnnotationInstallationID)
	}
	return unstructured.SetNestedMap(obj.Object, annotations, "metadata", "annotations")
}

func (t Tracker) label(obj *unstructured.Unstructured, value string) error {
	if err := setString(obj, t.Key(), value, "metadata", "labels"); err != nil {
		return err
	}
	if t.Key() == LegacyLabelKey && hasPodTemplate(obj.GroupVersionKind().GroupKind()) {
		return setString(obj, t.Key(), value, "spec", "template", "metadata", "labels")
	}
	return nil
}

// hasPodTemplate lists the kinds whose pod template carries the legacy label. Leaving it out would restart the pods of
// everything that an installation with that setting manages.
func hasPodTemplate(gk schema.GroupKind) bool {
	switch gk.Group {
	case "apps", "extensions":
		return gk.Kind == "Deployment" || gk.Kind == "ReplicaSet" || gk.Kind == "StatefulSet" || gk.Kind == "DaemonSet"
	case "batch":
		return gk.Kind == "Job"
	}
	return false
}

func setString(obj *unstructured.Unstructured, key, value string, path ...string) error {
	m, err := stringMap(obj, path...)
	if err != nil {
		return err
	}
	m[key] = value
	return unstructured.SetNestedMap(obj.Object, m, path...)
}

// stringMap returns a copy of the map at path, empty when there is none. "labels: null", which templates often leave
// behind, is none.
func stringMap(obj *unstructured.Unstructured, path ...string) (map[string]any, error) {
	field, _, err := unstructured.NestedFieldNoCopy(obj.Object, path...)
	if err != nil {
		return nil, fmt.Errorf("marking %s %s: %w", obj.GetKind(), obj.GetName(), err)
	}
	old, ok := field.(map[string]any)
	if !ok && field != nil {
		return nil, fmt.Errorf("marking %s %s: %v is not a map", obj.GetKind(), obj.GetName(), path)
	}
	m := make(map[string]any, len(old)+2)
	for k, v := range old {
		if _, ok := v.(string); !ok {
			return nil, fmt.Errorf("marking %s %s: the value of %q in %v is not a string, put it in quotes", obj.GetKind(), obj.GetName(), k, path)
		}
		m[k] = v
	}
	return m, nil
}
