package helm

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"text/template"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
	yamlv3 "sigs.k8s.io/yaml/goyaml.v3"
)

// templateFunctions are what templates may call: those of Sprig that depend on nothing outside, and those that Helm
// documents beside them. include and tpl are bound to a set when there is one.
func templateFunctions() template.FuncMap {
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	maps.Copy(functions, template.FuncMap{
		"include":  func(string, any) (string, error) { return "", errUncommon },
		"tpl":      func(string, any) (string, error) { return "", errUncommon },
		"required": required,
		"fail":     func(message string) (string, error) { return "", errors.New(message) },
		// There is neither a cluster nor a network.
		"lookup":        func(_, _, _, _ string) (map[string]any, error) { return map[string]any{}, nil },
		"getHostByName": func(string) string { return "" },

		"toYaml":        toYAML,
		"mustToYaml":    func(v any) (string, error) { text, err := marshalYAML(v); return strings.TrimSuffix(text, "\n"), err },
		"toYamlPretty":  toYAMLPretty,
		"fromYaml":      reads(func(text string, into any) error { return yaml.Unmarshal([]byte(text), into) }).object,
		"fromYamlArray": reads(func(text string, into any) error { return yaml.Unmarshal([]byte(text), into) }).list,
		"toJson":        func(v any) string { text, _ := json.Marshal(v); return string(text) },
		"mustToJson":    func(v any) (string, error) { text, err := json.Marshal(v); return string(text), err },
		"fromJson":      reads(func(text string, into any) error { return json.Unmarshal([]byte(text), into) }).object,
		"fromJsonArray": reads(func(text string, into any) error { return json.Unmarshal([]byte(text), into) }).list,
		"toToml":        toTOML,
		"mustToToml":    marshalTOML,
		"fromToml":      reads(func(text string, into any) error { return toml.Unmarshal([]byte(text), into) }).object,
	})
	maps.Copy(functions, durationFunctions())
	return functions
}

// required refuses a value that is missing: nil, or an empty text.
func required(message string, value any) (any, error) {
	if value == nil || value == "" {
		return nil, errors.New(message)
	}
	return value, nil
}

// toYAML gives nothing for what cannot be written.
func toYAML(v any) string {
	text, err := marshalYAML(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(text, "\n")
}

// toYAMLPretty indents lists too.
func toYAMLPretty(v any) string {
	var text bytes.Buffer
	encoder := yamlv3.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// toTOML gives the error in the place of what cannot be written.
func toTOML(v any) string {
	text, err := marshalTOML(v)
	if err != nil {
		return err.Error()
	}
	return text
}

func marshalTOML(v any) (string, error) {
	var text bytes.Buffer
	err := toml.NewEncoder(&text).Encode(v)
	return text.String(), err
}

// reads is how a text is read into a value. An error becomes part of the value, since templates may look for it there.
type reads func(text string, into any) error

func (read reads) object(text string) map[string]any {
	value := map[string]any{}
	if err := read(text, &value); err != nil {
		value["Error"] = err.Error()
	}
	return value
}

func (read reads) list(text string) []any {
	value := []any{}
	if err := read(text, &value); err != nil {
		return []any{err.Error()}
	}
	return value
}
