package render

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
)

// maxListDepth bounds lists inside of lists.
const maxListDepth = 8

// ParseManifests reads the objects of a file. ignored is not empty when the file, or some documents of it, are no
// manifests and are left out: values for other tools often lie beside manifests, and nobody means them to be applied.
func ParseManifests(file string, content []byte) (objects []Object, ignored string, err error) {
	content = decodeText(content)
	if path.Ext(file) == ".json" {
		return parseJSON(file, content)
	}
	documents := splitYAML(content)
	for i, d := range documents {
		at := ManifestError{File: file, Line: d.line}
		if len(documents) > 1 {
			at.Document = i + 1
		}
		value, err := parseYAML(d.text, at)
		var failure *ManifestError
		switch {
		case errors.As(err, &failure) && len(objects) == 0 && !resembles(content):
			return nil, "it is not valid YAML, and does not look like a manifest", nil
		case err != nil:
			return nil, "", err
		}
		at.Line = d.says
		found, why, err := expand(value, at)
		if err != nil {
			return nil, "", err
		}
		objects = append(objects, found...)
		if why != "" {
			ignored = why
		}
	}
	return objects, ignored, nil
}

// ParseRendered reads the objects of a text that was made out of a file, such as a rendered template. It is YAML whatever
// the file's name, and every document that says anything must be an object: what a template gives is meant to be applied.
func ParseRendered(file string, content []byte) ([]Object, error) {
	var objects []Object
	for _, d := range splitYAML(content) {
		at := ManifestError{File: file, Line: d.line, Rendered: true}
		value, err := parseYAML(d.text, at)
		if err != nil {
			return nil, err
		}
		at.Line = d.says
		found, why, err := expand(value, at)
		if err != nil {
			return nil, err
		}
		if why != "" {
			at.Problem = why
			return nil, &at
		}
		objects = append(objects, found...)
	}
	for i := range objects {
		objects[i].Line = 0 // the line of the text is not one of the file
	}
	return objects, nil
}

// resembles reports whether a text that is not YAML was probably meant to be a manifest.
func resembles(content []byte) bool {
	n := 0
	for _, field := range []string{"apiVersion:", "kind:", "metadata:"} {
		if bytes.Contains(content, []byte(field)) {
			n++
		}
	}
	return n >= 2
}

func parseYAML(text []byte, at ManifestError) (any, error) {
	if err := checkAliases(text, at); err != nil {
		return nil, err
	}
	value, err := decodeYAML(text)
	if err != nil {
		return nil, at.syntax(err)
	}
	return value, nil
}

// lineInMessage finds the line of a document in the YAML library's messages.
var lineInMessage = regexp.MustCompile(`^(?:error converting YAML to JSON: )?yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// syntax makes an error out of the YAML library's, with the line counted from the beginning of the file.
func (e ManifestError) syntax(err error) error {
	message := err.Error()
	if m := lineInMessage.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		if n, err := strconv.Atoi(m[1]); err == nil {
			e.Line += n - 1
		}
	}
	e.Problem = "invalid YAML: " + message
	return &e
}

func parseJSON(file string, content []byte) (objects []Object, ignored string, err error) {
	at := ManifestError{File: file, Line: 1}
	decoder := stdjson.NewDecoder(bytes.NewReader(content))
	var raw stdjson.RawMessage
	if err := decoder.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, "", nil
		}
		offset := decoder.InputOffset()
		var syntax *stdjson.SyntaxError
		if errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		at.Line += bytes.Count(content[:min(offset, int64(len(content)))], []byte("\n"))
		at.Problem = "invalid JSON: " + err.Error()
		return nil, "", &at
	}
	if decoder.More() {
		at.Line += bytes.Count(content[:decoder.InputOffset()], []byte("\n"))
		at.Problem = "the file has more than one JSON value; put objects into an array or a List, or into one file each"
		return nil, "", &at
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		at.Problem = "invalid JSON: " + err.Error()
		return nil, "", &at
	}
	return expandAll(value, at)
}

// expandAll is expand for a JSON file, whose value may be an array of objects.
func expandAll(value any, at ManifestError) (objects []Object, ignored string, err error) {
	items, ok := value.([]any)
	if !ok {
		return expand(value, at)
	}
	for i, item := range items {
		at.Document = i + 1
		found, why, err := expand(item, at)
		if err != nil {
			return nil, "", err
		}
		objects = append(objects, found...)
		if why != "" {
			ignored = why
		}
	}
	return objects, ignored, nil
}

// expand turns one document into objects: itself, or the items of a list.
func expand(value any, at ManifestError) (objects []Object, ignored string, err error) {
	if value == nil {
		return nil, "", nil
	}
	content, ok := value.(map[string]any)
	if !ok {
		if _, isList := value.([]any); isList {
			return nil, "it is an array and not an object", nil
		}
		return nil, "it is a plain value and not an object", nil
	}
	if !isManifest(content) {
		return nil, "it has no apiVersion, kind and metadata", nil
	}
	objects, err = expandList(content, at, 0)
	return objects, "", err
}

// isManifest reports whether somebody meant this to be a manifest, even if something is missing from it.
func isManifest(content map[string]any) bool {
	_, kind := content["kind"]
	_, apiVersion := content["apiVersion"]
	_, metadata := content["metadata"]
	return kind || apiVersion && metadata
}

func expandList(content map[string]any, at ManifestError, depth int) ([]Object, error) {
	items, ok := content["items"]
	if ok && items == nil {
		_, spec := content["spec"]
		_, status := content["status"]
		if !spec && !status {
			return nil, nil // a list without items
		}
	}
	list, isList := items.([]any)
	if !isList {
		if problem := validate(content); problem != "" {
			at.Problem = problem
			return nil, &at
		}
		intern(content)
		return []Object{{Unstructured: &unstructured.Unstructured{Object: content}, File: at.File, Line: at.Line}}, nil
	}
	if depth >= maxListDepth {
		at.Problem = fmt.Sprintf("lists are nested more than %d deep", maxListDepth)
		return nil, &at
	}
	var objects []Object
	for i, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			at.Problem = fmt.Sprintf("item %d of the list is not an object", i+1)
			return nil, &at
		}
		inheritType(object, content)
		found, err := expandList(object, at, depth+1)
		var failure *ManifestError
		if errors.As(err, &failure) {
			failure.Problem = fmt.Sprintf("item %d of the list: %s", i+1, failure.Problem)
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// inheritType completes an item of a typed list, such as a ConfigMapList, whose items need not repeat their type.
func inheritType(item, list map[string]any) {
	kind, _ := list["kind"].(string)
	kind, ok := strings.CutSuffix(kind, "List")
	if !ok || kind == "" {
		return
	}
	if _, ok := item["kind"]; !ok {
		item["kind"] = kind
		if _, ok := item["apiVersion"]; !ok {
			item["apiVersion"] = list["apiVersion"]
		}
	}
}

// validate says what an object lacks to be one for a cluster, or nothing.
func validate(content map[string]any) string {
	for _, field := range []string{"apiVersion", "kind"} {
		switch value := content[field].(type) {
		case nil:
			return fmt.Sprintf("the object has no %s; add it, or mark the file with # %s when it is no manifest", field, skipMarker)
		case string:
			if value == "" {
				return fmt.Sprintf("%s is empty", field)
			}
		default:
			return fmt.Sprintf("%s is not a string", field)
		}
	}
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return fmt.Sprintf("the %v has no metadata; add metadata.name, or mark the file with # %s when it is no manifest",
			content["kind"], skipMarker)
	}
	for _, field := range []string{"name", "generateName"} {
		switch value := metadata[field].(type) {
		case string:
			if value != "" {
				return ""
			}
		case nil:
		default:
			return fmt.Sprintf("metadata.%s of the %v is not a string; put it in quotes", field, content["kind"])
		}
	}
	return fmt.Sprintf("the %v has no metadata.name; add it", content["kind"])
}
