package tracking

import (
	"fmt"
	"strings"
)

// ID is the content of a tracking id annotation: the application, and the object the annotation was written for.
type ID struct {
	App       string // instance name, see InstanceName
	Group     string
	Kind      string
	Namespace string // for cluster-scoped objects the destination namespace of the application
	Name      string
}

// String returns the annotation's value.
func (id ID) String() string {
	return id.App + ":" + id.Group + "/" + id.Kind + ":" + id.Namespace + "/" + id.Name
}

// ParseID reads an annotation's value. Names may hold colons (RBAC roles often do), all other parts may not.
func ParseID(value string) (ID, error) {
	app, rest, ok1 := strings.Cut(value, ":")
	kind, object, ok2 := strings.Cut(rest, ":")
	group, kind, ok3 := strings.Cut(kind, "/")
	namespace, name, ok4 := strings.Cut(object, "/")
	if !ok1 || !ok2 || !ok3 || !ok4 || strings.Contains(kind, "/") || strings.Contains(name, "/") {
		return ID{}, fmt.Errorf("tracking id %q is not of the form <application>:<group>/<kind>:<namespace>/<name>", value)
	}
	return ID{App: app, Group: group, Kind: kind, Namespace: namespace, Name: name}, nil
}

// names reports whether the id was written for this object. A cluster-scoped object (empty namespace) is found by kind
// and name alone, because its id carries the destination namespace.
func (id ID) names(group, kind, namespace, name string) bool {
	return id.Name == name && id.Kind == kind && id.Group == group && (namespace == "" || id.Namespace == namespace)
}
