package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
)

// tgz makes a compressed tar file of headers; the content of regular files is their Linkname, which is then cleared.
func tgz(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content, h.Linkname = h.Linkname, ""
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openRoot(t testing.TB, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// list gives the names below a folder with their modes, contents and targets.
func list(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			found[relative+"/"] = ""
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			found[relative] = "-> " + target
		default:
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			found[relative] = info.Mode().String() + " " + string(content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func tree() fstest.MapFS {
	return fstest.MapFS{
		"README.md":          {Data: []byte("top\n"), Mode: 0o644},
		"apps/a/run.sh":      {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
		"apps/a/values.yaml": {Data: []byte("a: 1\n"), Mode: 0o600},
		"apps/a/link":        {Data: []byte("../b/file"), Mode: fs.ModeSymlink | 0o777},
		"apps/b/file":        {Data: []byte("b\n"), Mode: 0o644},
		"apps/b/dangling":    {Data: []byte("nowhere"), Mode: fs.ModeSymlink | 0o777},
		".git/HEAD":          {Data: []byte("ref: refs/heads/main\n"), Mode: 0o644},
	}
}

func TestWhatIsPackedComesOut(t *testing.T) {
	for name, c := range map[string]struct {
		root     string
		exclude  []string
		preserve bool
		want     map[string]string
	}{
		"everything but the repository's own folder, without permission to execute": {want: map[string]string{
			"README.md": "-rw-r--r-- top\n", "apps/": "", "apps/a/": "", "apps/b/": "",
			"apps/a/run.sh": "-rw-r--r-- #!/bin/sh\n", "apps/a/values.yaml": "-rw-r--r-- a: 1\n", "apps/a/link": "-> ../b/file",
			"apps/b/file": "-rw-r--r-- b\n", "apps/b/dangling": "-> nowhere",
		}},
		"one folder, with its permissions": {root: "apps/b", preserve: true, want: map[string]string{
			"file": "-rw-r--r-- b\n", "dangling": "-> nowhere",
		}},
		"without what is excluded": {root: "apps", exclude: []string{"b", "a/*.yaml", "a/link"}, preserve: true, want: map[string]string{
			"a/": "", "a/run.sh": "-rwxr-xr-x #!/bin/sh\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			packed, err := archive.Pack(t.Context(), t.TempDir(), archive.Source{Files: tree(), Root: c.root, Exclude: c.exclude})
			if err != nil {
				t.Fatal(err)
			}
			defer packed.Close()
			dir := t.TempDir()
			if err := archive.Unpack(packed.Reader(), openRoot(t, dir), archive.UnpackOptions{PreserveMode: c.preserve}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, list(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCopyKeepsPermissions(t *testing.T) {
	dir := t.TempDir()
	if err := archive.Copy(t.Context(), archive.Source{Files: tree(), Root: "apps/a", Exclude: []string{"link"}}, openRoot(t, dir)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"run.sh": "-rwxr-xr-x #!/bin/sh\n", "values.yaml": "-rw-r--r-- a: 1\n"}
	if diff := cmp.Diff(want, list(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestCopySaysWhatCannotBePacked(t *testing.T) {
	files := fstest.MapFS{"out": {Data: []byte("../../etc"), Mode: fs.ModeSymlink | 0o777}}
	err := archive.Copy(t.Context(), archive.Source{Files: files}, openRoot(t, t.TempDir()))
	if !errors.Is(err, archive.ErrInvalid) || !strings.Contains(err.Error(), "symbolic link out leads to ../../etc") {
		t.Errorf("error %v", err)
	}
}

func TestEqualTreesGiveEqualArchives(t *testing.T) {
	sum := func() string {
		packed, err := archive.Pack(t.Context(), t.TempDir(), archive.Source{Files: tree()})
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		return packed.Checksum
	}
	if a, b := sum(), sum(); a != b || len(a) != 64 {
		t.Errorf("checksums %q and %q", a, b)
	}
}

func TestAnArchiveLeavesNoFileBehind(t *testing.T) {
	dir := t.TempDir()
	packed, err := archive.Pack(t.Context(), dir, archive.Source{Files: tree()})
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	if found := list(t, dir); len(found) > 0 {
		t.Errorf("there is %v", found)
	}
}

func TestPackRefuses(t *testing.T) {
	symlink := func(target string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
	}
	for name, c := range map[string]struct {
		source archive.Source
		want   error
		says   string
	}{
		"a link to an absolute path": {
			source: archive.Source{Files: fstest.MapFS{"l": symlink("/etc/passwd")}}, want: archive.ErrInvalid, says: "l leads to /etc/passwd",
		},
		"a link out of the repository": {
			source: archive.Source{Files: fstest.MapFS{"a/l": symlink("../../x")}}, want: archive.ErrInvalid, says: "a/l leads to ../../x",
		},
		"a link out of the folder that is sent": {
			source: archive.Source{Root: "a", Files: fstest.MapFS{"a/l": symlink("../b"), "b": {}}}, want: archive.ErrInvalid, says: "send more of the repository",
		},
		"more bytes than the limit": {
			source: archive.Source{Files: fstest.MapFS{"big": {Data: make([]byte, 1001)}}, Limit: archive.Limit{Bytes: 1000}},
			want:   archive.ErrTooLarge, says: "more than 1000 bytes",
		},
		"more files than the limit": {
			source: archive.Source{Files: tree(), Limit: archive.Limit{Files: 3}}, want: archive.ErrTooLarge, says: "more than 3 files",
		},
		"a pattern that is none": {
			source: archive.Source{Files: tree(), Exclude: []string{"[a"}}, says: `exclusion "[a"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := archive.Pack(t.Context(), t.TempDir(), c.source)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestUnpackRefusesWhatWouldLeave(t *testing.T) {
	file := func(name, content string) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o777, Linkname: content}
	}
	symlink := func(name, target string) tar.Header {
		return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
	}
	for name, c := range map[string]struct {
		archive []byte
		limit   archive.Limit
		want    error
	}{
		"a name above the root":              {archive: tgz(t, file("../evil", "x")), want: archive.ErrInvalid},
		"a name that goes down and up":       {archive: tgz(t, file("a/../../evil", "x")), want: archive.ErrInvalid},
		"an absolute name":                   {archive: tgz(t, file("/evil", "x")), want: archive.ErrInvalid},
		"a link out":                         {archive: tgz(t, symlink("l", "../../evil")), want: archive.ErrInvalid},
		"a link to an absolute path":         {archive: tgz(t, symlink("l", "/etc")), want: archive.ErrInvalid},
		"links that lead out together":       {archive: tgz(t, symlink("a/b/up", "../.."), symlink("l", "a/b/up/../evil")), want: archive.ErrInvalid},
		"a file below a link":                {archive: tgz(t, symlink("l", "."), file("l/evil", "x")), want: archive.ErrInvalid},
		"a link below a link":                {archive: tgz(t, symlink("a/x", ".."), symlink("a/x/l", "../../evil")), want: archive.ErrInvalid},
		"a hard link":                        {archive: tgz(t, tar.Header{Typeflag: tar.TypeLink, Name: "l", Linkname: "/etc/passwd"}), want: archive.ErrInvalid},
		"a device":                           {archive: tgz(t, tar.Header{Typeflag: tar.TypeChar, Name: "d", Devmajor: 1, Devminor: 3}), want: archive.ErrInvalid},
		"a named pipe":                       {archive: tgz(t, tar.Header{Typeflag: tar.TypeFifo, Name: "p"}), want: archive.ErrInvalid},
		"a bomb":                             {archive: tgz(t, file("zeros", strings.Repeat("\x00", 1<<20))), limit: archive.Limit{Bytes: 1 << 16}, want: archive.ErrTooLarge},
		"too many files":                     {archive: tgz(t, file("a", ""), file("b", ""), file("c", "")), limit: archive.Limit{Files: 2}, want: archive.ErrTooLarge},
		"what is not compressed":             {archive: []byte("plain text"), want: archive.ErrInvalid},
		"an archive that is cut off":         {archive: tgz(t, file("a", strings.Repeat("x", 5000)))[:40], want: archive.ErrInvalid},
		"a name that is a file and a folder": {archive: tgz(t, file("a", ""), file("a/b", "")), want: archive.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			outer := t.TempDir()
			dir := filepath.Join(outer, "work", "here")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			err := archive.Unpack(bytes.NewReader(c.archive), openRoot(t, dir), archive.UnpackOptions{PreserveMode: true, Limit: c.limit})
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			for found := range list(t, outer) {
				if found != "work/" && found != "work/here/" && !strings.HasPrefix(found, "work/here/") {
					t.Errorf("%s was written", found)
				}
			}
		})
	}
}

func TestUnpackIgnoresSpecialPermissions(t *testing.T) {
	dir := t.TempDir()
	packed := tgz(t, tar.Header{Typeflag: tar.TypeReg, Name: "s", Mode: 0o6755, Linkname: "x"})
	if err := archive.Unpack(bytes.NewReader(packed), openRoot(t, dir), archive.UnpackOptions{PreserveMode: true}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"s": "-rwxr-xr-x x"}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(tgz(f, tar.Header{Typeflag: tar.TypeReg, Name: "a/b", Mode: 0o644, Linkname: "x"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "a"}))
	f.Add(tgz(f, tar.Header{Typeflag: tar.TypeSymlink, Name: "a/x", Linkname: ".."}, tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "a/x/../e"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var content io.Reader = bytes.NewReader(data) // the fuzzer may work on the tar file itself
		if zip, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			content = zip
		}
		unpacking := archive.UnpackTar(content, openRoot(t, dir), archive.UnpackOptions{Limit: archive.Limit{Files: 50, Bytes: 1 << 16}})
		entries, err := os.ReadDir(outer)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%v, %v", entries, err)
		}
		if unpacking != nil {
			return
		}
		for name, what := range list(t, dir) {
			if !strings.HasPrefix(what, "-> ") {
				continue
			}
			if leads, err := filepath.EvalSymlinks(filepath.Join(dir, name)); err == nil && leads != dir && !strings.HasPrefix(leads, dir+"/") {
				t.Errorf("the link %s leads to %s", name, leads)
			}
		}
	})
}
