package helm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io/fs"
	"path"
	"testing"
)

// member is one entry of an archive.
type member struct {
	name, content string
	kind          byte
	link          string
}

// packMembers makes a .tgz.
func packMembers(tb testing.TB, members ...member) []byte {
	tb.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, m := range members {
		header := tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.content)), Typeflag: m.kind, Linkname: m.link}
		if m.kind == 0 {
			header.Typeflag = tar.TypeReg
		}
		if err := archive.WriteHeader(&header); err != nil {
			tb.Fatal(err)
		}
		if _, err := archive.Write([]byte(m.content)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// pack makes a chart archive of a folder.
func pack(tb testing.TB, fsys fs.FS, name string) []byte {
	tb.Helper()
	var members []member
	err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, file)
		members = append(members, member{name: path.Join(name, file), content: string(content)})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return packMembers(tb, members...)
}
