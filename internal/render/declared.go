package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"path"
	"strings"
)

// declaredID is the identity of the paths that an application declares to depend on, or empty when one has none. A
// glob stands for the folder above its first special character.
func declaredID(fsys fs.FS, paths []string) string {
	h := sha256.New()
	for _, p := range paths {
		if !sumPath(h, fsys, p) {
			return ""
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// declaredName is the file or folder that a declared path stands for; false when it leads out of the files, where
// nothing of ours can change.
func declaredName(declared string) (name string, ok bool) {
	name = path.Clean(strings.TrimPrefix(declared, "/"))
	if i := strings.IndexAny(name, `*?[{\`); i >= 0 {
		name = path.Dir(name[:i] + "x")
	}
	return name, fs.ValidPath(name)
}

func sumPath(h hash.Hash, fsys fs.FS, declared string) bool {
	name, ok := declaredName(declared)
	if !ok {
		return true
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		fmt.Fprintf(h, "%q absent\n", name)
		return true
	}
	id := objectID(info)
	fmt.Fprintf(h, "%q %q %v\n", name, id, info.Mode())
	return id != ""
}
