package render

import (
	"io/fs"
	"reflect"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// seenEverything is a result with every kind of entry in its read set.
func seenEverything() *variant {
	reads := &fileReads{
		root: "r", single: []read{
			{readKey: readKey{"a", seenContent}, id: "1", mode: 0o644, linked: true},
			{readKey: readKey{"d", seenNames}, id: "2", mode: fs.ModeDir, names: namesHash{1, 2, 3}},
			{readKey: readKey{"n", seenNothing}},
		},
		groups: []readGroup{{folder: "app", id: "3", reads: []read{{readKey: readKey{"app/x", seenTree}, id: "4"}}}},
	}
	return &variant{
		roots: "roots", declared: "declared", bytes: 1 << 20,
		reads: &readSet{
			files: reads, vague: true, refs: map[string]*fileReads{"values": reads},
			repositories: map[repositoryName]*fileReads{{"https://example.com/a", "main"}: {root: "o", vague: true}},
			answers:      map[question]string{{askVariable, "X"}: "1", {askChart, "{}"}: "d"},
		},
		result: &Result{Digest: "d", Objects: []Object{{
			Unstructured: &unstructured.Unstructured{Object: map[string]any{"kind": "X"}}, File: "f", Hash: "h",
		}}},
	}
}

func TestAVariantComesBackAsItWent(t *testing.T) {
	v := seenEverything()
	encoded, err := appendVariant(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeVariant(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(v, back) { //nolint:govet // both have no error
		t.Errorf("before %+v, after %+v", v, back)
	}
}

func FuzzDecodeVariant(f *testing.F) {
	encoded, err := appendVariant(nil, seenEverything())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	in := Inputs{Files: fstest.MapFS{"app/x": {Data: []byte("x"), Sys: "4"}}, Refs: map[string]fs.FS{"values": fstest.MapFS{}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decodeVariant(b)
		if err != nil {
			return
		}
		v.reads.holds(t.Context(), in, false, false)
		v.reads.holds(t.Context(), in, true, false)
	})
}
