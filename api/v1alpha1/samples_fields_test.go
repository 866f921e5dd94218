package v1alpha1_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// The samples are only worth something when they leave nothing out, so this test walks the types and
// the objects, and names every field that no object sets.
func TestSamplesUseEveryField(t *testing.T) {
	used := map[string]bool{}
	for _, s := range samples(t) {
		markUsed(t, reflect.ValueOf(s.object), used)
	}
	wanted := map[string]bool{}
	for _, root := range []any{
		v1alpha1.Application{}, v1alpha1.AppProject{}, v1alpha1.ApplicationSet{},
		v1alpha1.NestedMatrixGenerator{}, v1alpha1.NestedMergeGenerator{},
	} {
		listFields(reflect.TypeOf(root), wanted)
	}
	var missing []string
	for field := range wanted {
		if !used[field] {
			missing = append(missing, field)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("no object in testdata sets:\n%s", strings.Join(missing, "\n"))
	}
	if len(wanted) < 400 {
		t.Errorf("walked over %d fields only, the walk is broken", len(wanted))
	}
}

// ours reports whether the test looks into the type: structs of this package.
func ours(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[v1alpha1.Application]().PkgPath()
}

// listFields adds Type.Field for every field of the type and of those it is made of.
func listFields(t reflect.Type, fields map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		listFields(t.Elem(), fields)
		return
	}
	if !ours(t) {
		return
	}
	for i := range t.NumField() {
		name := t.Name() + "." + t.Field(i).Name
		if fields[name] {
			continue
		}
		fields[name] = true
		listFields(t.Field(i).Type, fields)
	}
}

// markUsed adds Type.Field for every field of the value, and of those in it, that is not zero.
func markUsed(t *testing.T, v reflect.Value, used map[string]bool) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			markUsed(t, v.Elem(), used)
		}
		return
	case reflect.Slice:
		for i := range v.Len() {
			markUsed(t, v.Index(i), used)
		}
		return
	case reflect.Map:
		for _, key := range v.MapKeys() {
			markUsed(t, v.MapIndex(key), used)
		}
		return
	}
	if !ours(v.Type()) {
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if v.Field(i).IsZero() {
			continue
		}
		used[v.Type().Name()+"."+field.Name] = true
		markUsed(t, v.Field(i), used)
	}
	if nested, ok := v.Interface().(v1alpha1.ApplicationSetNestedGenerator); ok {
		markNested(t, nested.Matrix, &v1alpha1.NestedMatrixGenerator{}, used)
		markNested(t, nested.Merge, &v1alpha1.NestedMergeGenerator{}, used)
	}
}

// markNested goes on within a generator that its parent holds as JSON.
func markNested(t *testing.T, raw *apiextensionsv1.JSON, into any, used map[string]bool) {
	t.Helper()
	if raw == nil {
		return
	}
	if err := json.Unmarshal(raw.Raw, into); err != nil {
		t.Fatalf("decode nested generator: %v", err)
	}
	markUsed(t, reflect.ValueOf(into), used)
}
