package sops

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/stores"
	"go.yaml.in/yaml/v3"
)

// yamlFile is a YAML file. Its nodes stay what they are; decrypted values are put into them.
type yamlFile struct {
	documents []*yaml.Node
	branches  sops.TreeBranches
	// items are the places of a sequence's items in its list of the tree, where comments stand between them.
	items map[*yaml.Node][]int
}

// sealedGroup is the API group of objects that stay encrypted until an operator in the cluster decrypts them.
const sealedGroup = "isindir.github.com/"

var errAlias = errors.New("it has aliases, which SOPS does not write")

// readYAML gives nil for a file that is not encrypted, or is no YAML at all: others will say so better.
func readYAML(name string, content []byte) (document, error) {
	f := &yamlFile{items: map[*yaml.Node][]int{}}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	encrypted := -1
	for {
		var d yaml.Node
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || d.Kind != yaml.DocumentNode || len(d.Content) != 1 {
			return nil, nil //nolint:nilerr // not YAML, so not a YAML file that SOPS has made
		}
		top := d.Content[0]
		if group := valueOf(top, "apiVersion"); group != nil && strings.HasPrefix(group.Value, sealedGroup) {
			return nil, nil
		}
		if encrypted < 0 && hasMetadata(valueOf(top, stores.SopsMetadataKey)) {
			encrypted = len(f.documents)
		}
		f.documents = append(f.documents, &d)
	}
	switch {
	case encrypted < 0:
		return nil, nil
	case encrypted > 0:
		return nil, malformed(name, "document %d has them, but the first has not; encrypt the file as a whole, or make two files of it", encrypted+1)
	}
	for _, d := range f.documents {
		branch, err := f.branch(d.Content[0])
		if err != nil {
			return nil, malformed(name, "%v", err)
		}
		f.branches = append(f.branches, branch)
	}
	return f, nil
}

// valueOf is the value of a key of a mapping, or nil.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// hasMetadata is isMetadata for a node.
func hasMetadata(entry *yaml.Node) bool {
	if entry == nil {
		return false
	}
	return valueOf(entry, "mac") != nil || valueOf(entry, "lastmodified") != nil && valueOf(entry, "version") != nil
}

// branch makes the tree of a document.
func (f *yamlFile) branch(top *yaml.Node) (sops.TreeBranch, error) {
	switch {
	case top.Kind == yaml.MappingNode:
		value, err := f.value(top)
		if err != nil {
			return nil, err
		}
		return value.(sops.TreeBranch), nil
	case top.Kind == yaml.ScalarNode && top.ShortTag() == "!!null":
		return sops.TreeBranch{}, nil
	}
	return nil, errors.New("a document of it is no mapping")
}

// value makes a tree. Comments are in it, because rules of what is encrypted may speak of them.
func (f *yamlFile) value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return f.mapping(n)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			for _, c := range comments(item.HeadComment, item.LineComment) {
				list = append(list, c)
			}
			value, err := f.value(item)
			if err != nil {
				return nil, err
			}
			f.items[n] = append(f.items[n], len(list))
			list = append(list, value)
			for _, c := range comments(item.FootComment) {
				list = append(list, c)
			}
		}
		return list, nil
	case yaml.ScalarNode:
		return scalar(n)
	}
	return nil, errAlias
}

func (f *yamlFile) mapping(n *yaml.Node) (sops.TreeBranch, error) {
	branch := sops.TreeBranch{}
	note := func(texts ...string) {
		for _, c := range comments(texts...) {
			branch = append(branch, sops.TreeItem{Key: c})
		}
	}
	note(n.HeadComment, n.LineComment)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		note(key.HeadComment, key.LineComment)
		if value.Kind == yaml.ScalarNode {
			note(value.HeadComment, value.LineComment)
		}
		name, err := scalar(key)
		if err != nil {
			return nil, err
		}
		tree, err := f.value(value)
		if err != nil {
			return nil, err
		}
		branch = append(branch, sops.TreeItem{Key: name, Value: tree})
		if value.Kind == yaml.ScalarNode {
			note(value.FootComment)
		}
		note(key.FootComment)
	}
	note(n.FootComment)
	return branch, nil
}

func scalar(n *yaml.Node) (any, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, errors.New("a key of a mapping is no plain value")
	}
	var value any
	if err := n.Decode(&value); err != nil {
		return nil, errors.New("a value does not fit its type")
	}
	return value, nil
}

// comments are the lines of comments, without their signs.
func comments(texts ...string) []sops.Comment {
	var all []sops.Comment
	for _, text := range texts {
		if text == "" {
			continue
		}
		for line := range strings.SplitSeq(text, "\n") {
			if line != "" {
				all = append(all, sops.Comment{Value: line[1:]})
			}
		}
	}
	return all
}

func (f *yamlFile) tree() sops.TreeBranches { return f.branches }

func (f *yamlFile) options() stores.MetadataOpts { return stores.MetadataOpts{} }

func (f *yamlFile) emit(branches sops.TreeBranches) ([]byte, error) {
	if len(branches) != len(f.documents) {
		return nil, errors.New("documents are missing")
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for i, d := range f.documents {
		top := d.Content[0]
		dropKey(top, stores.SopsMetadataKey)
		if top.Kind == yaml.MappingNode {
			if err := f.fill(top, branches[i]); err != nil {
				return nil, err
			}
		}
		clearComments(d)
		if err := encoder.Encode(d); err != nil {
			return nil, err
		}
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func dropKey(mapping *yaml.Node, key string) {
	if mapping.Kind != yaml.MappingNode {
		return
	}
	kept := mapping.Content[:0]
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value != key {
			kept = append(kept, mapping.Content[i], mapping.Content[i+1])
		}
	}
	mapping.Content = kept
}

var errShape = errors.New("the tree has another shape than the file")

// fill puts the values of a tree into the nodes that it was made of.
func (f *yamlFile) fill(n *yaml.Node, value any) error {
	switch n.Kind {
	case yaml.MappingNode:
		branch, ok := value.(sops.TreeBranch)
		if !ok {
			return errShape
		}
		at := 1
		for _, item := range branch {
			if _, ok := item.Key.(sops.Comment); ok {
				continue
			}
			if at >= len(n.Content) {
				return errShape
			}
			if err := f.fill(n.Content[at], item.Value); err != nil {
				return err
			}
			at += 2
		}
		return nil
	case yaml.SequenceNode:
		list, ok := value.([]any)
		if !ok || len(f.items[n]) != len(n.Content) {
			return errShape
		}
		kept := n.Content[:0:0]
		for i, at := range f.items[n] {
			if _, ok := list[at].(sops.Comment); ok {
				continue // a comment that SOPS keeps as an item
			}
			if err := f.fill(n.Content[i], list[at]); err != nil {
				return err
			}
			kept = append(kept, n.Content[i])
		}
		n.Content = kept
		return nil
	}
	if c, ok := value.(sops.Comment); ok {
		value = c.Value
	}
	if before, err := scalar(n); err == nil && reflect.DeepEqual(before, value) {
		return nil
	}
	n.Style, n.Tag = 0, ""
	return n.Encode(value)
}

// clearComments removes encrypted comments: they say nothing to anybody.
func clearComments(n *yaml.Node) {
	for _, c := range []*string{&n.HeadComment, &n.LineComment, &n.FootComment} {
		if strings.Contains(*c, "ENC[") {
			*c = ""
		}
	}
	for _, child := range n.Content {
		clearComments(child)
	}
}
