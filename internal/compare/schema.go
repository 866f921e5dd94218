package compare

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// Schema knows how the API server merges and completes the objects of one kind
// in one version. It is immutable and safe for concurrent use. A nil Schema
// stands for what this package knows by itself: Kubernetes' own kinds.
type Schema struct {
	kind *typed.ParseableType
	// complete fills in the defaults of the kind.
	complete func(object map[string]any)
}

// merger is how objects of one kind are read for merging.
type merger struct {
	typed func(obj *unstructured.Unstructured) (*typed.TypedValue, error)
	// complete fills in what the API server does after a merge; nil when
	// nothing is known of that.
	complete func(object map[string]any)
	// exact says that nothing but admission can make a difference to what the
	// API server does.
	exact bool
	// typedStorage says that the API server keeps the object in Go types of its
	// own, in which nothing and an empty list are the same.
	typedStorage bool
}

// builtins holds the schemas that come with this program.
type builtins struct {
	known   managedfields.TypeConverter
	deduced managedfields.TypeConverter
}

func newBuiltins() builtins {
	return builtins{
		known:   applyconfigurations.NewTypeConverter(scheme.Scheme),
		deduced: managedfields.NewDeducedTypeConverter(),
	}
}

// mergerFor returns how objects of a kind are merged when they fit their
// schema: the given one, or that of a kind of Kubernetes.
func (s builtins) mergerFor(own *Schema, gvk schema.GroupVersionKind) merger {
	switch {
	case own != nil:
		return merger{typed: own.typed, complete: own.complete, exact: true}
	case scheme.Scheme.Recognizes(gvk):
		return merger{typed: converted(s.known), complete: defaultsOf(gvk.GroupKind()), typedStorage: true}
	default:
		return merger{typed: converted(s.deduced)}
	}
}

// read reads two states of one object with its merger. Where one of them does
// not fit the schema, both are read by their own shape, and the merger that is
// returned is that of an object of which nothing is known.
func (s builtins) read(by merger, a, b *unstructured.Unstructured) (first, second *typed.TypedValue, used merger, err error) {
	for _, used = range []merger{by, {typed: converted(s.deduced)}} {
		if first, err = used.typed(a); err != nil {
			continue
		}
		if second, err = used.typed(b); err == nil {
			break
		}
	}
	return first, second, used, err
}

func (s *Schema) typed(obj *unstructured.Unstructured) (*typed.TypedValue, error) {
	return s.kind.FromUnstructured(obj.Object, typed.AllowDuplicates)
}

func converted(by managedfields.TypeConverter) func(*unstructured.Unstructured) (*typed.TypedValue, error) {
	return func(obj *unstructured.Unstructured) (*typed.TypedValue, error) {
		value, err := by.ObjectToTyped(obj, typed.AllowDuplicates)
		if err != nil {
			return nil, fmt.Errorf("reading it by its schema: %w", err)
		}
		return value, nil
	}
}
