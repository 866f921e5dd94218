package sops

import (
	"bytes"
	"path"
	"regexp"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/stores"
)

// document is a file as SOPS sees it: trees of values, with the metadata still in them.
type document interface {
	// tree gives the values. What is changed in it is what emit writes.
	tree() sops.TreeBranches
	// options say how the metadata lie in the tree.
	options() stores.MetadataOpts
	// emit writes the file with the values of a tree, without the metadata.
	emit(sops.TreeBranches) ([]byte, error)
}

// Marks by which an encrypted file is told from one that merely mentions SOPS, without parsing it.
var (
	mention    = []byte("sops")
	ciphertext = []byte("ENC[")
	yamlMark   = regexp.MustCompile(`(?m)^["']?sops["']?[ \t]*:`)
	jsonMark   = regexp.MustCompile(`"sops"\s*:`)
	dotenvMark = regexp.MustCompile(`(?m)^sops_(mac|lastmodified)=`)
	iniMark    = regexp.MustCompile(`(?m)^\[sops\][ \t]*\r?$`)
)

// maxFile bounds an encrypted file.
const maxFile = 16 << 20

var byteOrderMark = []byte("\xef\xbb\xbf")

// Encrypted reports whether a file looks as if it were encrypted. It does not parse the file, so a file that is written
// to look so can deceive it.
func Encrypted(name string, content []byte) bool {
	return len(candidates(name, content)) > 0
}

// candidates are the formats that the file may be an encrypted file of, by its name and a glance at the content. A file
// with a name that says nothing may be anything.
func candidates(name string, content []byte) []func(string, []byte) (document, error) {
	if !bytes.Contains(content, mention) || !bytes.Contains(content, ciphertext) {
		return nil
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(content, byteOrderMark))
	isObject := len(text) > 0 && text[0] == '{' && jsonMark.Match(text)
	extension := path.Ext(name)
	var found []func(string, []byte) (document, error)
	add := func(is bool, read func(string, []byte) (document, error)) {
		if is {
			found = append(found, read)
		}
	}
	switch extension {
	case ".yaml", ".yml":
		add(isObject || yamlMark.Match(content) || text[0] == '{', readYAML)
	case ".json":
		add(isObject, readJSON)
	case ".env":
		add(dotenvMark.Match(content), readDotenv)
		add(isObject, readBinary)
	case ".ini":
		add(iniMark.Match(content), readINI)
		add(isObject, readBinary)
	default:
		add(isObject, readBinary)
		add(iniMark.Match(content), readINI)
		add(dotenvMark.Match(content), readDotenv)
		add(yamlMark.Match(content), readYAML)
	}
	return found
}

// isMetadata tells SOPS's metadata from something else of that name, such as the values of a chart named sops.
func isMetadata(entry any) bool {
	branch, ok := entry.(sops.TreeBranch)
	if !ok {
		return false
	}
	has := map[string]bool{}
	for _, item := range branch {
		if key, ok := item.Key.(string); ok {
			has[key] = true
		}
	}
	return has["mac"] || has["lastmodified"] && has["version"]
}

// metadataEntry is the value of the key sops, or nil.
func metadataEntry(branch sops.TreeBranch) any {
	for _, item := range branch {
		if item.Key == stores.SopsMetadataKey {
			return item.Value
		}
	}
	return nil
}
