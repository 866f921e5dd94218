package helm

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	yamlv2 "go.yaml.in/yaml/v2"
	"helm.sh/helm/v4/pkg/chart/common"
	"sigs.k8s.io/yaml"
)

// marshalYAML is yaml.Marshal of sigs.k8s.io/yaml. That one writes JSON, reads it as YAML and writes it again; what values
// files are made of is the same in one step, and the rest is left to it.
func marshalYAML(v any) (string, error) {
	var text []byte
	var err error
	if plain, ok := plainYAML(v, 0); ok {
		text, err = yamlv2.Marshal(plain)
	} else {
		text, err = yaml.Marshal(v)
	}
	return string(text), err
}

const (
	// maxPlainDepth bounds values in values.
	maxPlainDepth = 100
	// maxPlainKey bounds keys: YAML readers refuse very long ones.
	maxPlainKey = 256
)

// plainYAML gives a value as it would be after JSON and back, if that is sure.
func plainYAML(v any, depth int) (plain any, ok bool) {
	if depth > maxPlainDepth {
		return nil, false
	}
	switch v := v.(type) {
	case nil:
		return nil, true
	case bool:
		return v, true
	case int:
		return v, true
	case int64:
		return v, true
	case string:
		return v, isPlainText(v)
	case float64:
		return plainFloat(v)
	case json.Number:
		return plainNumber(string(v))
	case common.Values:
		return plainMap(v, depth)
	case map[string]any:
		return plainMap(v, depth)
	case []any:
		if v == nil {
			return nil, true
		}
		items := make([]any, len(v))
		for i, item := range v {
			if items[i], ok = plainYAML(item, depth+1); !ok {
				return nil, false
			}
		}
		return items, true
	}
	return nil, false
}

func plainMap(from map[string]any, depth int) (any, bool) {
	if from == nil {
		return nil, true
	}
	fields := make(map[string]any, len(from))
	for key, value := range from {
		plain, ok := plainYAML(value, depth+1)
		if !ok || len(key) > maxPlainKey || !isPlainText(key) {
			return nil, false
		}
		fields[key] = plain
	}
	return fields, true
}

// isPlainText reports whether a text is of ASCII characters that no encoding changes or refuses.
func isPlainText(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// plainFloat is an integer when JSON writes it like one.
func plainFloat(f float64) (any, bool) {
	const exact = 1 << 53
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, false
	case f != math.Trunc(f):
		return f, true
	}
	return int64(f), math.Abs(f) < exact
}

func plainNumber(text string) (any, bool) {
	if strings.ContainsAny(text, ".eE") {
		return nil, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}
