package compare

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/gobwas/glob"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// compiledKnownField is a field of custom resources whose value has a type of Kubernetes.
type compiledKnownField struct {
	group, kind *glob.Pattern
	path        []string
	typ         reflect.Type
}

func compileKnownField(k KnownField) (compiledKnownField, error) {
	group, kind, err := kindPatterns(k.Group, k.Kind)
	if err != nil {
		return compiledKnownField{}, err
	}
	typ, ok := knownTypes()[strings.TrimPrefix(k.Type, "k8s.io/api/")]
	if !ok {
		return compiledKnownField{}, fmt.Errorf("there is no type %q; types are named as in core/v1/PodSpec", k.Type)
	}
	if k.Field == "" {
		return compiledKnownField{}, fmt.Errorf("the field of type %s has no path", k.Type)
	}
	return compiledKnownField{group: group, kind: kind, path: strings.Split(k.Field, "."), typ: typ}, nil
}

// rewrite gives the value of the field its canonical spelling. Lists on the way are
// walked through. What does not fit the type stays as it is.
func (k compiledKnownField) rewrite(object map[string]any) { k.rewriteIn(object, k.path) }

func (k compiledKnownField) rewriteIn(node any, path []string) {
	switch node := node.(type) {
	case map[string]any:
		child, ok := node[path[0]]
		switch {
		case !ok:
		case len(path) > 1:
			k.rewriteIn(child, path[1:])
		default:
			node[path[0]] = k.canonical(child)
		}
	case []any:
		for _, item := range node {
			k.rewriteIn(item, path)
		}
	}
}

func (k compiledKnownField) canonical(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = k.canonical(v[i])
		}
		return v
	case map[string]any, string, int64, float64:
		// The converter takes maps alone, so the value becomes the field of one.
		holder := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Value", Type: k.typ, Tag: `json:"value"`}}))
		converter := runtime.DefaultUnstructuredConverter
		if err := converter.FromUnstructured(map[string]any{"value": v}, holder.Interface()); err != nil {
			return v
		}
		back, err := converter.ToUnstructured(holder.Interface())
		if err != nil {
			return v
		}
		if m, ok := v.(map[string]any); ok {
			if stored, ok := back["value"].(map[string]any); ok {
				return canonicalMap(m, stored, func(any) bool { return true })
			}
			return v
		}
		return back["value"]
	default:
		return v
	}
}

// knownTypes are the types of Kubernetes by their name: all that the types of its objects are made of.
var knownTypes = sync.OnceValue(func() map[string]reflect.Type {
	types := map[string]reflect.Type{
		"core/Quantity":    reflect.TypeFor[resource.Quantity](),
		"meta/v1/Duration": reflect.TypeFor[metav1.Duration](),
	}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			visit(t.Elem())
			return
		case reflect.Map:
			register(types, t)
			visit(t.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if !register(types, t) && t.PkgPath() != "" {
			return
		}
		for field := range t.Fields() {
			visit(field.Type)
		}
	}
	for _, t := range scheme.Scheme.AllKnownTypes() {
		visit(t)
	}
	return types
})

// register takes a type in, under its group, version and name; false when it was there, or is none of k8s.io/api.
func register(types map[string]reflect.Type, t reflect.Type) bool {
	group, ok := strings.CutPrefix(t.PkgPath(), "k8s.io/api/")
	if !ok || t.Name() == "" {
		return false
	}
	name := group + "/" + t.Name()
	if _, ok := types[name]; ok {
		return false
	}
	types[name] = t
	return true
}
