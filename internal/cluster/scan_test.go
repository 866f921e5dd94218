package cluster

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// scanned reads JSON with the functions under test, into what encoding/json makes of it.
func scanned(data []byte) (any, error) {
	switch data[space(data, 0)] {
	case '{':
		out := map[string]any{}
		return out, members(data, func(key, value []byte) (err error) {
			out[string(key)], err = scanned(value)
			return err
		})
	case '[':
		out := []any{}
		err := elements(data, func(value []byte) error {
			v, err := scanned(value)
			out = append(out, v)
			return err
		})
		return out, err
	case '"':
		return text(data), nil
	}
	var v any
	return v, json.Unmarshal(data, &v)
}

func TestScanReadsWhatJSONSays(t *testing.T) {
	for _, in := range []string{
		`{}`, `[]`, ` { } `, `{"a":1}`, `{"a":{"b":[1,2,{"c":"}"}]},"d":null}`,
		`{"a\"b":"c\\","d":"\u00e9\n","e":"\\\""}`, "{\n\t\"a\" : [ true , false ] ,\r\n \"b\" : -1.5e3\n}\n",
		`["[","{",",","\"]"]`, `{"":""}`, `{"a":[],"b":{},"c":[[]]}`,
	} {
		var want any
		if err := json.Unmarshal([]byte(in), &want); err != nil {
			t.Fatal(err)
		}
		if got, err := scanned([]byte(in)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %v, %v", in, got, err)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(`{"a":{"b":[1,2,{"c":"}"}]},"d":null,"e\"":"\\"}`)
	f.Add(`{"a":`)
	f.Add(`[1,,2]`)
	f.Fuzz(func(t *testing.T, in string) {
		if strings.TrimSpace(in) == "" {
			return
		}
		var want any
		valid := json.Unmarshal([]byte(in), &want) == nil
		got, err := scanned(bytes.TrimSpace([]byte(in))) // must not panic, whatever comes
		if valid && err != nil {
			t.Errorf("valid JSON is refused: %v", err)
		}
		if valid && !duplicated(in) && !reflect.DeepEqual(got, want) {
			t.Errorf("read as %v, want %v", got, want)
		}
	})
}

// duplicated tells that an object may have a key twice, or text that encoding/json repairs.
func duplicated(in string) bool {
	return strings.Count(in, ":") > 1 || strings.ToValidUTF8(in, "") != in
}

func TestScanRefusesWhatEndsTooEarly(t *testing.T) {
	whole := `{"a":{"b":[1,"x",{"c":"}"}]},"d":null}`
	for n := range len(whole) {
		if n == 0 {
			continue
		}
		if _, err := scanned([]byte(whole[:n])); err == nil {
			t.Errorf("%s is accepted", whole[:n])
		}
	}
}
