package v1alpha1_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// message is what the protobuf generator makes of a type.
type message interface {
	Marshal() ([]byte, error)
	Unmarshal(data []byte) error
}

func TestJSONLosesNothing(t *testing.T) {
	for name, s := range samples(t) {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(s.object)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			for _, lost := range missing("", s.fields, got) {
				t.Error(lost)
			}
		})
	}
}

func TestProtobufLosesNothing(t *testing.T) {
	for name, s := range samples(t) {
		t.Run(name, func(t *testing.T) {
			data, err := s.object.(message).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			got := s.object.DeepCopyObject()
			reflect.ValueOf(got).Elem().SetZero()
			if err := got.(message).Unmarshal(data); err != nil {
				t.Fatal(err)
			}
			want := s.object.DeepCopyObject()
			want.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{}) // not part of the message
			if !equality.Semantic.DeepEqual(want, got) {
				t.Errorf("protobuf changed the object:\n%s", cmp.Diff(want, got))
			}
		})
	}
}

func TestDeepCopyIsEqualAndSharesNothing(t *testing.T) {
	for name, s := range samples(t) {
		t.Run(name, func(t *testing.T) {
			duplicate := s.object.DeepCopyObject()
			if !reflect.DeepEqual(s.object, duplicate) {
				t.Fatalf("the copy differs:\n%s", cmp.Diff(s.object, duplicate))
			}
			before, err := json.Marshal(s.object)
			if err != nil {
				t.Fatal(err)
			}
			scribble(reflect.ValueOf(duplicate))
			after, err := json.Marshal(s.object)
			if err != nil {
				t.Fatal(err)
			}
			if string(before) != string(after) {
				t.Error("writing to the copy changed the original")
			}
		})
	}
}

// missing names every value of want that got does not have at the same place. What got has beyond
// that are zero values that are always written.
func missing(path string, want, got any) []string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			break
		}
		var lost []string
		for key, value := range want {
			lost = append(lost, missing(path+"."+key, value, object[key])...)
		}
		return lost
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			break
		}
		var lost []string
		for i, value := range want {
			lost = append(lost, missing(fmt.Sprintf("%s[%d]", path, i), value, list[i])...)
		}
		return lost
	}
	if reflect.DeepEqual(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: want %v, got %v", path, want, got)}
}

// scribble overwrites every string and byte that can be reached.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Map:
		v.Clear()
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				scribble(v.Field(i))
			}
		}
	case reflect.String:
		v.SetString("overwritten")
	case reflect.Uint8:
		v.SetUint('7')
	}
}
