package helm_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

func TestValueFilesAreMerged(t *testing.T) {
	for name, test := range map[string]struct {
		files []string
		want  string
	}{
		"nothing":                  {nil, `{}`},
		"an empty file":            {[]string{"", "# only a comment\n", "---\n"}, `{}`},
		"maps":                     {[]string{"a: {b: 1, c: 2}", "a: {c: 3, d: 4}"}, `{"a":{"b":1,"c":3,"d":4}}`},
		"lists are replaced":       {[]string{"a: [1, 2, 3]", "a: [4]"}, `{"a":[4]}`},
		"a map over a scalar":      {[]string{"a: 1", "a: {b: 2}"}, `{"a":{"b":2}}`},
		"a scalar over a map":      {[]string{"a: {b: 2}", "a: x"}, `{"a":"x"}`},
		"null stays, for defaults": {[]string{"a: {b: 2}", "a: null"}, `{"a":null}`},
		"JSON":                     {[]string{`{"a": {"b": [1, "x"]}}`}, `{"a":{"b":[1,"x"]}}`},
		"several documents":        {[]string{"a: 1\nb: 1\n---\nb: 2\n"}, `{"a":1,"b":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			var files []helm.ValueFile
			for _, text := range test.files {
				files = append(files, helm.ValueFile{Name: "values.yaml", Content: []byte(text)})
			}
			merged, err := helm.MergeValues(files...)
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := json.Marshal(merged); string(text) != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
}

func FuzzMergeValues(f *testing.F) {
	f.Add("a: {b: 1}", "a: null")
	f.Add("a: &x [1]\nb: *x", "{\"a\": {\"b\": {}}}")
	f.Add(bomb(), "a: 1\n---\nb: 2")
	f.Fuzz(func(t *testing.T, a, b string) {
		first, second := helm.ValueFile{Name: "a.yaml", Content: []byte(a)}, helm.ValueFile{Name: "b.yaml", Content: []byte(b)}
		merged, err := helm.MergeValues(first, second)
		if err != nil {
			if merged != nil || !errors.Is(err, render.ErrInvalidSource) && !errors.Is(err, render.ErrTooLarge) {
				t.Errorf("got %v, %v", merged, err)
			}
			return
		}
		last, err := helm.MergeValues(second)
		if err != nil {
			t.Fatalf("only together it is valid: %v", err)
		}
		for key := range last {
			if _, ok := merged[key]; !ok {
				t.Errorf("%q of the last file is missing", key)
			}
		}
	})
}
