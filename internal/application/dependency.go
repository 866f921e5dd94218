package application

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// dependency is one thing that has to be there before an Application is synced:
// another Application, or an object of its cluster.
type dependency struct {
	text string
	app  types.NamespacedName
	// object is what has to exist; the zero key when an Application is meant.
	object cluster.Key
	// condition of the object that has to have the value; "" for none.
	condition, value string
}

func (d dependency) ofApplication() bool { return d.object == cluster.Key{} }

// dependenciesOf reads the annotation of an Application.
func dependenciesOf(app *v1alpha1.Application) (list []dependency, err error) {
	text := app.Annotations[v1alpha1.AnnotationDependsOn]
	for _, entry := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\t' || c == '\r' }) {
		d, ok := parseDependency(entry, app.Namespace)
		if !ok {
			return nil, fmt.Errorf("%s has the entry %q; each has to be an Application (name or namespace/name), crd:NAME, or object:GROUP/KIND/NAMESPACE/NAME[:CONDITION=VALUE]",
				v1alpha1.AnnotationDependsOn, entry)
		}
		list = append(list, d)
	}
	return list, nil
}

func parseDependency(entry, namespace string) (d dependency, ok bool) {
	d.text = entry
	if name, is := strings.CutPrefix(entry, "crd:"); is {
		d.object = cluster.Key{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: name}
		d.condition, d.value = "Established", "True"
		return d, name != "" && !strings.ContainsAny(name, "/:")
	}
	if rest, is := strings.CutPrefix(entry, "object:"); is {
		// Names of objects may hold colons; those of conditions and values hold none.
		if at := strings.LastIndexByte(rest, ':'); at >= 0 && strings.Contains(rest[at:], "=") {
			d.condition, d.value, _ = strings.Cut(rest[at+1:], "=")
			rest = rest[:at]
			if d.condition == "" || d.value == "" {
				return d, false
			}
		}
		parts := strings.Split(rest, "/")
		if len(parts) != 4 || parts[1] == "" || parts[3] == "" {
			return d, false
		}
		d.object = cluster.Key{Group: parts[0], Kind: parts[1], Namespace: parts[2], Name: parts[3]}
		return d, true
	}
	d.app = types.NamespacedName{Namespace: namespace, Name: entry}
	if before, name, qualified := strings.Cut(entry, "/"); qualified {
		d.app = types.NamespacedName{Namespace: before, Name: name}
	}
	return d, d.app.Namespace != "" && d.app.Name != "" && !strings.ContainsAny(d.app.Name, "/:") && !strings.Contains(d.app.Namespace, ":")
}
