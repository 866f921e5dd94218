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

func sumPath(h hash.Hash, fsys fs.FS, name string) bool {
	name = path.Clean(strings.TrimPrefix(name, "/"))
	if i := strings.IndexAny(name, `*?[{\`); i >= 0 {
		name = path.Dir(name[:i] + "x")
	}
	if !fs.ValidPath(name) {
		return true // leads out of the files, where nothing of ours can change
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
