package v1alpha1_test

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// roots are types that, with what they are made of, cover every message.
var roots = []message{
	&v1alpha1.Application{}, &v1alpha1.ApplicationList{}, &v1alpha1.ApplicationWatchEvent{},
	&v1alpha1.AppProject{}, &v1alpha1.AppProjectList{},
	&v1alpha1.ApplicationSet{}, &v1alpha1.ApplicationSetList{}, &v1alpha1.ApplicationSetWatchEvent{},
	&v1alpha1.NestedMatrixGenerator{}, &v1alpha1.NestedMergeGenerator{},
	&v1alpha1.ApplicationTree{}, &v1alpha1.ApplicationSetTree{}, &v1alpha1.ResourceDiff{},
	&v1alpha1.RevisionMetadata{}, &v1alpha1.OCIMetadata{}, &v1alpha1.ChartDetails{}, &v1alpha1.ComponentParameter{},
	&v1alpha1.ResourceOverride{}, &v1alpha1.ResourceActions{}, &v1alpha1.ResourceAction{},
	&v1alpha1.RepositoryList{}, &v1alpha1.RepoCredsList{}, &v1alpha1.RefTarget{},
	&v1alpha1.RepositoryCertificateList{}, &v1alpha1.GnuPGPublicKeyList{}, &v1alpha1.ClusterList{},
	&v1alpha1.ConfigManagementPlugin{}, &v1alpha1.HelmOptions{}, &v1alpha1.KustomizeOptions{},
}

func TestRootsCoverEveryMessage(t *testing.T) {
	fields := map[string]bool{}
	for _, root := range roots {
		listFields(reflect.TypeOf(root), fields)
	}
	covered := map[string]bool{}
	for field := range fields {
		name, _, _ := strings.Cut(field, ".")
		covered[name] = true
	}
	definition, err := os.ReadFile("generated.proto")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(definition)) {
		if m := messageStart.FindStringSubmatch(strings.TrimSpace(line)); m != nil && !covered[m[1]] {
			t.Errorf("no root holds message %s", m[1])
		}
	}
}

// FuzzEncodings fills objects of every type at random and sends them through protobuf and JSON. The
// object must come out of both as it went in.
func FuzzEncodings(f *testing.F) {
	for seed := range int64(25) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		fill := filler(seed)
		for _, root := range roots {
			want := reflect.New(reflect.TypeOf(root).Elem()).Interface().(message)
			fill.Fill(want)
			dropNil(reflect.ValueOf(want))

			binary, err := want.Marshal()
			if err != nil {
				t.Fatalf("%T: write protobuf: %v", root, err)
			}
			fromBinary := reflect.New(reflect.TypeOf(root).Elem()).Interface().(message)
			if err := fromBinary.Unmarshal(binary); err != nil {
				t.Fatalf("%T: read protobuf: %v", root, err)
			}
			if !equality.Semantic.DeepEqual(want, fromBinary) {
				t.Fatalf("%T: protobuf changed it:\n%s", root, cmp.Diff(want, fromBinary))
			}

			text, err := json.Marshal(want)
			if err != nil {
				t.Fatalf("%T: write JSON: %v", root, err)
			}
			fromText := reflect.New(reflect.TypeOf(root).Elem()).Interface().(message)
			if err := json.Unmarshal(text, fromText); err != nil {
				t.Fatalf("%T: read JSON: %v", root, err)
			}
			if !equality.Semantic.DeepEqual(want, fromText) {
				t.Fatalf("%T: JSON changed it:\n%s", root, cmp.Diff(want, fromText))
			}
		}
	})
}

// filler fills values at random. Types whose fields depend on each other are filled so that they make
// sense.
func filler(seed int64) *randfill.Filler {
	rawJSON := func(c randfill.Continue) []byte {
		data, err := json.Marshal(map[string]any{"text": c.String(5), "number": c.Intn(100), "list": []any{c.Bool(), nil}})
		if err != nil {
			panic(err)
		}
		return data
	}
	return randfill.NewWithSeed(seed).NilChance(0.4).NumElements(0, 2).Funcs(
		func(*metav1.TypeMeta, randfill.Continue) {}, // not part of the messages
		func(m *metav1.ObjectMeta, c randfill.Continue) {
			c.FillNoCustom(m)
			m.ManagedFields = nil
		},
		func(r *runtime.RawExtension, c randfill.Continue) { r.Raw = rawJSON(c) },
		func(r *apiextensionsv1.JSON, c randfill.Continue) { r.Raw = rawJSON(c) },
		func(v *intstr.IntOrString, c randfill.Continue) {
			if c.Bool() {
				*v = intstr.FromInt32(c.Int31n(math.MaxInt32))
			} else {
				*v = intstr.FromString(c.String(5))
			}
		},
	)
}

// dropNil removes nil elements from lists of pointers: protobuf has no such thing.
func dropNil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			dropNil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				dropNil(v.Field(i))
			}
		}
	case reflect.Slice:
		kept := 0
		for i := range v.Len() {
			if e := v.Index(i); e.Kind() != reflect.Pointer || !e.IsNil() {
				v.Index(kept).Set(e)
				dropNil(e)
				kept++
			}
		}
		if kept < v.Len() {
			v.SetLen(kept)
		}
	}
}
