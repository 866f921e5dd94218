package helm

import (
	"encoding/json"
	"math"
	"testing"

	"sigs.k8s.io/yaml"
)

// FuzzMarshalYAML holds the quick way to write YAML against the library's.
func FuzzMarshalYAML(f *testing.F) {
	for _, seed := range []string{
		`{"a": 1, "b": [1.5, null, true, "x"], "c": {}}`, `["yes", "no", "007", "1e3", "~", "", " a", "a ", "a: b", "- a", "#", "x #y", "\n", "a\nb\n", "\t", "<<"]`,
		`{"<<": {"a": 1}, "=": 2, "1": 3, "true": 4, "2020-01-01": 5, "": 6}`, `[0, -0, 1e20, 1e21, 123456789012345678901234567890, 0.1e-7, 9007199254740993]`, `"ü\u0001\u2028\ud83d\ude00"`,
		`{"a10": 1, "a9": 2, "A": 3, "_": 4, "a-b": 5, "a.b": 6}`, `"long words that are folded when they are more than eighty characters long, or are they not folded at all"`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, numbers bool) {
		var value any
		read := json.Unmarshal
		if numbers {
			read = func(text []byte, v any) error { return yaml.Unmarshal(text, v, useNumber) }
		}
		if read(text, &value) != nil {
			t.Skip()
		}
		want, wantErr := yaml.Marshal(value)
		got, gotErr := marshalYAML(value)
		if got != string(want) && wantErr == nil || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%s: the library gives %q, %v; we give %q, %v", text, want, wantErr, got, gotErr)
		}
	})
}

func useNumber(d *json.Decoder) *json.Decoder { d.UseNumber(); return d }

func TestMarshalYAMLWritesNumbersAsTheLibraryDoes(t *testing.T) {
	for _, v := range []any{
		0.0, math.Copysign(0, -1), 1.0, -1.5, 1e6, 1e15, 9007199254740992.0, 1e18, 1e19, 1e20, 1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64,
		float32(1.5), int32(7), uint64(math.MaxUint64), math.MaxInt64, int64(math.MinInt64), json.Number("1"), json.Number("01"), json.Number("-0"), json.Number("1.0"),
		[]any(nil), map[string]any(nil), []string{"a"}, map[string]string{"a": "b"}, []byte("x"), true, nil,
	} {
		want, wantErr := yaml.Marshal(map[string]any{"v": v})
		got, gotErr := marshalYAML(map[string]any{"v": v})
		if got != string(want) || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%v (%T): the library gives %q, %v; we give %q, %v", v, v, want, wantErr, got, gotErr)
		}
	}
}
