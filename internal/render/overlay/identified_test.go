package overlay_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing/fstest"
)

// identifiedFS gives every file and folder an identity by its content, as a commit does.
type identifiedFS struct{ fstest.MapFS }

// Stat implements fs.StatFS.
func (f identifiedFS) Stat(name string) (fs.FileInfo, error) {
	info, err := f.MapFS.Stat(name)
	if err != nil {
		return nil, err
	}
	return identifiedInfo{info, f.identity(name)}, nil
}

// Open implements fs.FS.
func (f identifiedFS) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if err != nil {
		return nil, err
	}
	return identifiedFile{file, f, name}, nil
}

// Lstat implements fs.ReadLinkFS.
func (f identifiedFS) Lstat(name string) (fs.FileInfo, error) { return f.Stat(name) }

func (f identifiedFS) identity(name string) string {
	h := sha256.New()
	_ = fs.WalkDir(f.MapFS, ".", func(at string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (at == name || name == "." || strings.HasPrefix(at, name+"/")) {
			content, _ := f.MapFS.ReadFile(at)
			fmt.Fprintf(h, "%s %d %s", strings.TrimPrefix(at, path.Dir(name)), len(content), content)
		}
		return nil
	})
	return fmt.Sprintf("%x", h.Sum(nil))
}

type identifiedInfo struct {
	fs.FileInfo
	id string
}

// Sys is the identity.
func (i identifiedInfo) Sys() any { return i.id }

type identifiedFile struct {
	fs.File
	fsys identifiedFS
	name string
}

// Stat implements fs.File.
func (f identifiedFile) Stat() (fs.FileInfo, error) { return f.fsys.Stat(f.name) }
