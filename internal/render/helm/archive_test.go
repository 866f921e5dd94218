package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// tgz makes an archive of headers and their content.
func tgz(tb testing.TB, members ...tar.Header) []byte {
	tb.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, h := range members {
		content := h.Linkname
		if h.Typeflag == 0 {
			h.Typeflag, h.Size, h.Linkname = tar.TypeReg, int64(len(content)), ""
		}
		h.Mode = 0o644
		if err := archive.WriteHeader(&h); err != nil {
			tb.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := archive.Write([]byte(content)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// file is a member whose content is text.
func file(name, text string) tar.Header { return tar.Header{Name: name, Linkname: text} }

func TestArchivesAreUnpackedInMemory(t *testing.T) {
	chart := "apiVersion: v2\nname: c\nversion: 1.0.0\n"
	many := []tar.Header{file("c/Chart.yaml", chart)}
	for i := range 20 {
		many = append(many, file(fmt.Sprintf("c/f%d", i), "x"))
	}
	zeros := strings.Repeat("\x00", 3000)
	nested := tgz(t, file("d/Chart.yaml", "apiVersion: v2\nname: d\nversion: 1.0.0\n"), file("d/f", zeros))
	for name, test := range map[string]struct {
		archive []byte
		is      error // nil: no error
		want    string
	}{
		"a chart":                       {archive: tgz(t, file("c/Chart.yaml", chart), file("c/templates/a.yaml", "x"))},
		"a chart of Windows":            {archive: tgz(t, file(`c\Chart.yaml`, chart))},
		"links are left out":            {archive: tgz(t, file("c/Chart.yaml", chart), tar.Header{Name: "c/l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, tar.Header{Name: "c/h", Typeflag: tar.TypeLink, Linkname: "c/Chart.yaml"})},
		"devices are left out":          {archive: tgz(t, file("c/Chart.yaml", chart), tar.Header{Name: "c/null", Typeflag: tar.TypeChar}, tar.Header{Name: "c/fifo", Typeflag: tar.TypeFifo})},
		"text":                          {archive: []byte("text"), is: errBadArchive},
		"nothing":                       {archive: tgz(t), is: errBadArchive},
		"half of an archive":            {archive: nested[:len(nested)/2], is: errBadArchive},
		"no Chart.yaml":                 {archive: tgz(t, file("c/values.yaml", "")), is: render.ErrInvalidSource, want: "Chart.yaml file is missing"},
		"a file beside the folder":      {archive: tgz(t, file("Chart.yaml", chart)), is: errBadArchive, want: `"Chart.yaml"`},
		"a way out":                     {archive: tgz(t, file("c/../../x", "")), is: errBadArchive, want: "leads out"},
		"a way out of Windows":          {archive: tgz(t, file(`c\..\..\x`, "")), is: errBadArchive, want: "leads out"},
		"an absolute path":              {archive: tgz(t, file("c//etc/passwd", "")), is: errBadArchive, want: "leads out"},
		"a drive":                       {archive: tgz(t, file("c/c:/x", "")), is: errBadArchive, want: "drive"},
		"too many files":                {archive: tgz(t, many...), is: render.ErrTooLarge, want: "files"},
		"a file that is too large":      {archive: tgz(t, file("c/Chart.yaml", chart+"# "+strings.Repeat("x", 4000))), is: render.ErrTooLarge, want: "Chart.yaml has more than 4000 bytes"},
		"files that are too large":      {archive: tgz(t, file("c/Chart.yaml", chart), file("c/1", zeros), file("c/2", zeros), file("c/3", zeros), file("c/4", zeros)), is: render.ErrTooLarge},
		"archives in it, too large":     {archive: tgz(t, file("c/Chart.yaml", chart), file("c/1", zeros), file("c/2", zeros), file("c/charts/a.tgz", string(nested)), file("c/charts/b.tgz", string(nested)+" ")), is: render.ErrTooLarge},
		"a folder named as an archive":  {archive: tgz(t, file("c/Chart.yaml", chart), file("c/charts/a.tgz/Chart.yaml", chart))},
		"a chart whose name leads away": {archive: tgz(t, file("c/Chart.yaml", "apiVersion: v2\nname: ../x\nversion: 1.0.0\n")), is: render.ErrInvalidSource},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(Options{Chart: render.TreeLimit{Files: 10, Bytes: 10_000}, MaxFileBytes: 4000})
			_, err := e.Archive(test.archive)
			if test.is == nil && err != nil || test.is != nil && !errors.Is(err, test.is) {
				t.Fatalf("got %v, want %v", err, test.is)
			}
			if err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q is missing in %q", test.want, err)
			}
		})
	}
}

func TestABombOfHeadersIsRefused(t *testing.T) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for range 5000 {
		if err := archive.WriteHeader(&tar.Header{Name: "c/", Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	_, err := New(Options{Chart: render.TreeLimit{Files: 10, Bytes: 10_000}}).Archive(out.Bytes())
	if !errors.Is(err, render.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestChartsThatWereNotUsedForLongestAreForgotten(t *testing.T) {
	e := New(Options{CacheBytes: 3 * 4600})
	archives := make([][]byte, 4)
	for i := range archives {
		archives[i] = tgz(t, file("c/Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: c%d\nversion: 1.0.0\n", i)))
	}
	known := func(i int) bool { return e.parsed.byKey[contentKey(archives[i])] != nil }
	for _, i := range []int{0, 1, 2, 0, 3} {
		if _, err := e.Archive(archives[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !known(0) || known(1) || !known(2) || !known(3) {
		t.Errorf("known are %v %v %v %v", known(0), known(1), known(2), known(3))
	}
	if e.parsed.bytes > e.parsed.limit || len(e.parsed.byKey) != e.parsed.recent.Len() {
		t.Errorf("it holds %d bytes in %d and %d entries", e.parsed.bytes, len(e.parsed.byKey), e.parsed.recent.Len())
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(tgz(f, file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"), file("c/charts/d/Chart.yaml", "name: d\nversion: 1\n")))
	f.Add(tgz(f, file("c/../x", "")))
	f.Add([]byte("\x1f\x8b\x08"))
	limit := render.TreeLimit{Files: 100, Bytes: 1 << 20}
	f.Fuzz(func(t *testing.T, content []byte) {
		files, err := unpack(content, &budget{TreeLimit: limit}, 1<<18)
		total := 0
		for _, f := range files {
			total += len(f.Content)
			if path.IsAbs(f.Name) || path.Clean(f.Name) != f.Name || f.Name == ".." || strings.HasPrefix(f.Name, "../") || len(f.Content) > 1<<18 {
				t.Errorf("unpacked %q of %d bytes", f.Name, len(f.Content))
			}
		}
		if err == nil && len(files) == 0 || len(files) > limit.Files || int64(total) > limit.Bytes {
			t.Errorf("unpacked %d files, %d bytes, %v", len(files), total, err)
		}
		if err == nil {
			_, _ = New(Options{}).Archive(content) // must not panic
		}
	})
}
