package sops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/stores"
)

// jsonFile is a JSON file, or a file of any kind that SOPS has put into one.
type jsonFile struct {
	branch sops.TreeBranch
	binary bool
}

// readJSON gives nil for a file that is not encrypted, or is no JSON at all.
func readJSON(_ string, content []byte) (document, error) {
	content = bytes.TrimPrefix(content, byteOrderMark)
	if !json.Valid(content) { // bounds the depth, too
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	value, err := jsonValue(decoder)
	if err != nil {
		return nil, nil //nolint:nilerr // valid JSON that SOPS cannot have written
	}
	branch, ok := value.(sops.TreeBranch)
	if !ok || !isMetadata(metadataEntry(branch)) {
		return nil, nil
	}
	return &jsonFile{branch: branch}, nil
}

// readBinary is readJSON for a file that may be another one in an envelope.
func readBinary(name string, content []byte) (document, error) {
	d, err := readJSON(name, content)
	if f, ok := d.(*jsonFile); ok && len(f.branch) == 2 {
		for _, item := range f.branch {
			_, text := item.Value.(string)
			f.binary = f.binary || item.Key == "data" && text
		}
	}
	return d, err
}

// jsonValue reads the next value, objects in the order of their keys.
func jsonValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Number:
		if i, err := t.Int64(); err == nil {
			return int(i), nil
		}
		return t.Float64()
	case json.Delim:
		if t == '[' {
			return jsonList(d)
		}
		return jsonObject(d)
	}
	return token, nil
}

func jsonList(d *json.Decoder) (any, error) {
	list := []any{}
	for d.More() {
		value, err := jsonValue(d)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := d.Token()
	return list, err
}

func jsonObject(d *json.Decoder) (any, error) {
	branch := sops.TreeBranch{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := jsonValue(d)
		if err != nil {
			return nil, err
		}
		branch = append(branch, sops.TreeItem{Key: key, Value: value})
	}
	_, err := d.Token()
	return branch, err
}

func (f *jsonFile) tree() sops.TreeBranches { return sops.TreeBranches{f.branch} }

func (f *jsonFile) options() stores.MetadataOpts { return stores.MetadataOpts{} }

func (f *jsonFile) emit(branches sops.TreeBranches) ([]byte, error) {
	if f.binary {
		for _, item := range branches[0] {
			if text, ok := item.Value.(string); ok && item.Key == "data" {
				return []byte(text), nil
			}
		}
		return nil, errors.New("there is no data")
	}
	var compact, out bytes.Buffer
	if err := writeJSON(&compact, branches[0]); err != nil {
		return nil, err
	}
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func writeJSON(out *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case sops.TreeBranch:
		out.WriteByte('{')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, fmt.Sprint(item.Key)); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := writeJSON(out, item.Value); err != nil {
				return err
			}
		}
		out.WriteByte('}')
		return nil
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case sops.Comment:
		value = v.Value
	}
	text, err := json.Marshal(value)
	out.Write(text)
	return err
}
