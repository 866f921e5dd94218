package render

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	yamlv2 "go.yaml.in/yaml/v2"
)

// decodeYAML reads a document into what a JSON decoder would give for it: maps with keys of strings, int64, float64. It
// is sigs.k8s.io/yaml and a JSON decoder in one step, without the JSON.
func decodeYAML(text []byte) (any, error) {
	var value any
	if err := yamlv2.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	return jsonValue(value)
}

func jsonValue(value any) (any, error) {
	var err error
	switch value := value.(type) {
	case nil, bool, int64:
		return value, nil
	case int:
		return int64(value), nil
	case uint64:
		if value > math.MaxInt64 {
			return float64(value), nil
		}
		return int64(value), nil
	case float64:
		return jsonNumber(value)
	case string:
		if utf8.ValidString(value) {
			return value, nil
		}
	case []any:
		for i := range value {
			if value[i], err = jsonValue(value[i]); err != nil {
				return nil, err
			}
		}
		return value, nil
	case map[any]any:
		out := make(map[string]any, len(value))
		for k, v := range value {
			name, err := jsonKey(k)
			if err != nil {
				return nil, err
			}
			if out[name], err = jsonValue(v); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	// Timestamps and binary data.
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(encoded, &out)
}

// jsonNumber is an integer when the number's JSON text would have neither a point nor an exponent.
func jsonNumber(f float64) (any, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, fmt.Errorf("%v is not a number that JSON has", f)
	case f == math.Trunc(f) && f >= math.MinInt64 && f < math.MaxInt64:
		return int64(f), nil
	}
	return f, nil
}

// jsonKey is the name that a key of a map gets.
func jsonKey(key any) (string, error) {
	switch key := key.(type) {
	case string:
		if utf8.ValidString(key) {
			return key, nil
		}
	case int:
		return strconv.Itoa(key), nil
	case int64:
		return strconv.FormatInt(key, 10), nil
	case bool:
		return strconv.FormatBool(key), nil
	case float64:
		switch {
		case math.IsNaN(key):
			return ".nan", nil
		case math.IsInf(key, 1):
			return ".inf", nil
		case math.IsInf(key, -1):
			return "-.inf", nil
		}
		return strconv.FormatFloat(key, 'g', -1, 32), nil
	}
	return "", fmt.Errorf("a key of a map is neither text nor a number, but %T", key)
}
