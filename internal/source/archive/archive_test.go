package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/archive"
)

type entry struct {
	name, content, link string
	kind                byte
	mode                int64
}

func file(name, content string) entry { return entry{name: name, content: content, kind: tar.TypeReg} }

func pack(t testing.TB, compress bool, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.Writer = &out
	z := gzip.NewWriter(&out)
	if compress {
		w = z
	}
	tw := tar.NewWriter(w)
	for _, e := range entries {
		if e.mode == 0 {
			e.mode = 0o644
		}
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: e.mode, Size: int64(len(e.content))}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if compress {
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func unpack(t testing.TB, entries ...entry) *archive.Files {
	t.Helper()
	f, err := archive.Unpack(bytes.NewReader(pack(t, true, entries...)), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAnArchiveIsAFileSystem(t *testing.T) {
	for _, compress := range []bool{true, false} {
		raw := pack(t, compress,
			entry{name: "demo/", kind: tar.TypeDir},
			file("demo/Chart.yaml", "name: demo\n"),
			entry{name: "./demo/templates/run.sh", content: "#!/bin/sh\n", kind: tar.TypeReg, mode: 0o755},
			entry{name: "demo/templates/link.yaml", link: "../Chart.yaml", kind: tar.TypeSymlink},
			entry{name: "demo/folder", link: "templates", kind: tar.TypeSymlink},
			entry{name: "demo/hard.yaml", link: "demo/Chart.yaml", kind: tar.TypeLink},
			entry{name: "demo/empty/", kind: tar.TypeDir},
		)
		f, err := archive.Unpack(bytes.NewReader(raw), archive.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(f, "demo/Chart.yaml", "demo/templates/run.sh", "demo/templates/link.yaml", "demo/hard.yaml", "demo/empty"); err != nil {
			t.Error(err)
		}
		if f.Top() != "demo" {
			t.Errorf("Top = %q, want demo", f.Top())
		}
		demo, err := f.Folder("demo")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Chart.yaml", "templates/link.yaml", "folder/link.yaml", "hard.yaml"} {
			if data, err := demo.ReadFile(name); err != nil || string(data) != "name: demo\n" {
				t.Errorf("%s = %q, %v", name, data, err)
			}
		}
		if info, err := demo.Stat("templates/run.sh"); err != nil || info.Mode() != 0o755 {
			t.Errorf("run.sh = %v, %v; want it executable", info, err)
		}
		if target, err := demo.ReadLink("folder"); err != nil || target != "templates" {
			t.Errorf("ReadLink = %q, %v", target, err)
		}
		if _, err := demo.ReadFile("Chart.yaml/x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("below a file: %v", err)
		}
	}
}

func TestEqualContentHasEqualIdentities(t *testing.T) {
	a := unpack(t, file("x/a", "1"), file("x/b", "2"), file("y/a", "1"), file("y/b", "2"), file("z/a", "1"))
	b := unpack(t, file("y/b", "2"), file("y/a", "1"), file("x/b", "2"), file("z/a", "1"), file("x/a", "old"), file("x/a", "1"))
	if a.Root() != b.Root() {
		t.Error("the order of entries changes the identity")
	}
	id := func(f *archive.Files, name string) string {
		info, err := f.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(string)
	}
	if id(a, "x") != id(a, "y") || id(a, "x/a") != id(a, "z/a") {
		t.Error("equal files or folders have different identities")
	}
	all := map[string]bool{id(a, "x"): true, id(a, "z"): true, id(a, "x/a"): true, id(a, "x/b"): true, a.Root(): true}
	if len(all) != 5 {
		t.Error("different things have the same identity")
	}
	others := [][]entry{
		{file("x/a", "1"), file("x/b", "2"), file("y/a", "1"), file("y/b", "2"), file("z/a", "2")},
		{file("x/a", "1"), file("x/b", "2"), file("y/a", "1"), file("y/b", "2"), file("z/c", "1")},
		{file("x/a", "1"), file("x/b", "2"), file("y/a", "1"), file("y/b", "2"), {name: "z/a", content: "1", kind: tar.TypeReg, mode: 0o755}},
		{file("x/a", "1"), file("x/b", "2"), file("y/a", "1"), file("y/b", "2"), {name: "z/a", link: "1", kind: tar.TypeSymlink}},
	}
	for i, entries := range others {
		if unpack(t, entries...).Root() == a.Root() {
			t.Errorf("variation %d has the same identity", i)
		}
	}
}

func TestWhatLeadsOutIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		entries []entry
		want    error
	}{
		"a path with ..":          {[]entry{file("a/../../b", "")}, source.ErrLinkOutside},
		"a path that comes back":  {[]entry{file("a/../b", "")}, source.ErrLinkOutside},
		"an absolute path":        {[]entry{file("/etc/passwd", "")}, source.ErrLinkOutside},
		"a link out":              {[]entry{{name: "a/l", link: "../../x", kind: tar.TypeSymlink}}, source.ErrLinkOutside},
		"an absolute link":        {[]entry{{name: "l", link: "/etc", kind: tar.TypeSymlink}}, source.ErrLinkOutside},
		"a hard link out":         {[]entry{{name: "l", link: "../x", kind: tar.TypeLink}}, source.ErrLinkOutside},
		"a hard link to nothing":  {[]entry{{name: "l", link: "x", kind: tar.TypeLink}}, source.ErrLinkOutside},
		"a file through a link":   {[]entry{{name: "l", link: ".", kind: tar.TypeSymlink}, file("l/x", "")}, fs.ErrInvalid},
		"a device":                {[]entry{{name: "d", kind: tar.TypeBlock}}, fs.ErrInvalid},
		"a pipe":                  {[]entry{{name: "d", kind: tar.TypeFifo}}, fs.ErrInvalid},
		"a file and a folder":     {[]entry{file("a/b", ""), file("a", "")}, fs.ErrInvalid},
		"a backslash":             {[]entry{file(`a\b`, "")}, fs.ErrInvalid},
		"a name that is not text": {[]entry{file("a\xff", "")}, fs.ErrInvalid},
		"nothing":                 {nil, source.ErrDamaged},
		"folders too deep":        {[]entry{file(strings.Repeat("a/", 41)+"b", "")}, source.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := archive.Unpack(bytes.NewReader(pack(t, true, test.entries...)), archive.Limits{})
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("Unpack = %v, want %v", err, test.want)
			}
		})
	}
	t.Run("a link that leaves by way of another", func(t *testing.T) {
		f := unpack(t, file("a/b/x", "1"), entry{name: "a/up", link: "../c", kind: tar.TypeSymlink},
			file("c/x", "1"), entry{name: "l", link: "a/up/../../x", kind: tar.TypeSymlink},
			file("x", "outside of nothing"),
			entry{name: "m", link: "m", kind: tar.TypeSymlink})
		if _, err := f.ReadFile("l"); err == nil {
			t.Error("it can be read")
		}
		if _, err := f.ReadFile("m"); !errors.Is(err, source.ErrLinkLoop) {
			t.Errorf("a circle of links: %v", err)
		}
		if data, err := f.ReadFile("a/up/x"); err != nil || string(data) != "1" {
			t.Errorf("links inside = %q, %v", data, err)
		}
		sub, err := f.Folder("a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sub.ReadFile("up/x"); !errors.Is(err, source.ErrLinkOutside) {
			t.Errorf("a link out of the folder: %v", err)
		}
	})
}

// zeros is a gzip archive of one file of so many bytes.
func zeros(t testing.TB, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "zeros", Size: size, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for left := size; left > 0; left -= int64(len(block)) {
		if _, err := w.Write(block[:min(left, int64(len(block)))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAnArchiveThatUnpacksToTooMuchIsRefused(t *testing.T) {
	many := make([]entry, 0, 200)
	for i := range 200 {
		many = append(many, file(strings.Repeat("d/", i%3)+"f"+strings.Repeat("x", i), "0123456789"))
	}
	for name, test := range map[string]struct {
		raw    []byte
		limits archive.Limits
	}{
		"the archive itself":         {pack(t, false, file("a", strings.Repeat("x", 4000))), archive.Limits{Compressed: 2000}},
		"one file":                   {zeros(t, 4<<20), archive.Limits{File: 1 << 20}},
		"all files":                  {pack(t, true, many...), archive.Limits{Unpacked: 1000}},
		"the number of files":        {pack(t, true, many...), archive.Limits{Files: 100}},
		"a file and all of the rest": {zeros(t, 4<<20), archive.Limits{Unpacked: 1 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := archive.Unpack(bytes.NewReader(test.raw), test.limits); !errors.Is(err, source.ErrTooLarge) {
				t.Errorf("Unpack = %v, want ErrTooLarge", err)
			}
		})
	}
	t.Run("the memory follows the limits, not the archive", func(t *testing.T) {
		bomb := zeros(t, 16<<20)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := archive.Unpack(bytes.NewReader(bomb), archive.Limits{File: 1 << 30, Unpacked: 2 << 20, Files: 100})
		runtime.ReadMemStats(&after)
		if !errors.Is(err, source.ErrTooLarge) {
			t.Errorf("Unpack = %v, want ErrTooLarge", err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%d bytes were allocated", used)
		}
	})
	t.Run("a header that promises more than comes", func(t *testing.T) {
		raw := zeros(t, 1<<20)
		_, err := archive.Unpack(bytes.NewReader(raw[:len(raw)/2]), archive.Limits{})
		if !errors.Is(err, source.ErrDamaged) {
			t.Errorf("Unpack = %v, want ErrDamaged", err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack(f, true, file("a/b", "x"), entry{name: "l", link: "a", kind: tar.TypeSymlink}))
	f.Add(pack(f, false, file("a", "x"), entry{name: "h", link: "a", kind: tar.TypeLink}))
	f.Add([]byte{0x1f, 0x8b})
	limits := archive.Limits{Compressed: 1 << 20, Unpacked: 1 << 20, File: 1 << 18, Files: 100, Depth: 8}
	f.Fuzz(func(t *testing.T, raw []byte) {
		files, err := archive.Unpack(bytes.NewReader(raw), limits)
		if err != nil {
			return
		}
		total, count := 0, 0
		err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if count++; strings.Count(name, "/") > limits.Depth {
				t.Errorf("%q is too deep", name)
			}
			if !d.Type().IsRegular() {
				return nil
			}
			data, err := files.ReadFile(name)
			total += len(data)
			return err
		})
		// Hard links count once.
		if err != nil || count > limits.Files+1 || total > int(limits.Unpacked)*limits.Files {
			t.Errorf("%d files, %d bytes, %v", count, total, err)
		}
		again, err := archive.Unpack(bytes.NewReader(raw), limits)
		if err != nil || again.Root() != files.Root() {
			t.Errorf("unpacking again: %v, %s", err, cmp.Diff(files.Root(), again.Root()))
		}
	})
}
