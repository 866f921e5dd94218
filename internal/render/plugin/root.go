package plugin

import (
	"path"
	"strings"
)

// commonRoot is the deepest folder that has the path of the source and all paths that the application declares in it.
// Without such paths it is the root of the repository.
func commonRoot(source string, paths []string) string {
	if len(paths) == 0 || source == "." {
		return "."
	}
	common := strings.Split(source, "/")
	for _, p := range paths {
		parts := fixedParts(p)
		n := 0
		for n < len(common) && n < len(parts) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	if len(common) == 0 {
		return "."
	}
	return strings.Join(common, "/")
}

// fixedParts are the names of a path up to the first that is a pattern.
func fixedParts(p string) []string {
	p = strings.TrimPrefix(path.Clean(p), "/")
	if p == "." {
		return nil
	}
	parts := strings.Split(p, "/")
	for i, part := range parts {
		if strings.ContainsAny(part, `*?[{\`) {
			return parts[:i]
		}
	}
	return parts
}

// inside is a path relative to a folder that has it.
func inside(root, name string) string {
	switch {
	case root == ".":
		return name
	case root == name:
		return "."
	}
	return strings.TrimPrefix(name, root+"/")
}
