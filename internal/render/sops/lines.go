package sops

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/stores"
	"gopkg.in/ini.v1"
)

// dotenvFile is a file of lines NAME=value.
type dotenvFile struct {
	branch sops.TreeBranch
}

func readDotenv(name string, content []byte) (document, error) {
	f := &dotenvFile{}
	for line := range strings.SplitSeq(string(content), "\n") {
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "":
		case line[0] == '#':
			f.branch = append(f.branch, sops.TreeItem{Key: sops.Comment{Value: line[1:]}})
		case !ok:
			return nil, malformed(name, "a line of it is not NAME=value")
		default:
			f.branch = append(f.branch, sops.TreeItem{Key: key, Value: strings.ReplaceAll(value, `\n`, "\n")})
		}
	}
	return f, nil
}

func (f *dotenvFile) tree() sops.TreeBranches { return sops.TreeBranches{f.branch} }

func (f *dotenvFile) options() stores.MetadataOpts {
	return stores.MetadataOpts{Flatten: stores.MetadataFlattenFull}
}

// emit leaves comments out.
func (f *dotenvFile) emit(branches sops.TreeBranches) ([]byte, error) {
	var out bytes.Buffer
	for _, item := range branches[0] {
		if key, ok := item.Key.(string); ok {
			fmt.Fprintf(&out, "%s=%s\n", key, strings.ReplaceAll(stores.ValToString(item.Value), "\n", `\n`))
		}
	}
	return out.Bytes(), nil
}

// iniFile is a file of sections. Comments are left out.
type iniFile struct {
	branch sops.TreeBranch
}

func readINI(name string, content []byte) (document, error) {
	parsed, err := ini.LoadSources(ini.LoadOptions{AllowNonUniqueSections: true}, content)
	if err != nil {
		return nil, malformed(name, "it is not an INI file")
	}
	f := &iniFile{}
	for _, section := range parsed.Sections() {
		keys := sops.TreeBranch{}
		for _, key := range section.Keys() {
			keys = append(keys, sops.TreeItem{Key: key.Name(), Value: key.Value()})
		}
		f.branch = append(f.branch, sops.TreeItem{Key: section.Name(), Value: keys})
	}
	return f, nil
}

func (f *iniFile) tree() sops.TreeBranches { return sops.TreeBranches{f.branch} }

func (f *iniFile) options() stores.MetadataOpts {
	return stores.MetadataOpts{Flatten: stores.MetadataFlattenBelowTop, EscapeNewlines: true}
}

func (f *iniFile) emit(branches sops.TreeBranches) ([]byte, error) {
	file := ini.Empty(ini.LoadOptions{AllowNonUniqueSections: true})
	for _, item := range branches[0] {
		name, isName := item.Key.(string)
		keys, isBranch := item.Value.(sops.TreeBranch)
		if !isName || !isBranch {
			return nil, errors.New("a section is none")
		}
		section := file.Section(ini.DefaultSection)
		if name != ini.DefaultSection {
			var err error
			if section, err = file.NewSection(name); err != nil {
				return nil, err
			}
		}
		for _, key := range keys {
			if _, err := section.NewKey(fmt.Sprint(key.Key), stores.ValToString(key.Value)); err != nil {
				return nil, err
			}
		}
	}
	var out bytes.Buffer
	_, err := file.WriteTo(&out)
	return out.Bytes(), err
}
