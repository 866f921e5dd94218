package v1alpha1_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// sample is one hand-written object of testdata.
type sample struct {
	json   []byte         // the object as JSON
	fields map[string]any // the same, decoded without a type
	object runtime.Object // the same, decoded strictly into its type
}

// samples reads the hand-written objects, by file name. Unknown and repeated fields fail the test.
func samples(t *testing.T) map[string]sample {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no objects in testdata: %v", err)
	}
	out := map[string]sample{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s sample
		if s.json, err = yaml.YAMLToJSONStrict(text); err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		if err := json.Unmarshal(s.json, &s.fields); err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		if s.object, _, err = decoder.Decode(s.json, nil, nil); err != nil {
			t.Fatalf("decode %s: %v", file, err)
		}
		out[filepath.Base(file)] = s
	}
	return out
}
