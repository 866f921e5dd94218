package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// budget is what may still be unpacked for one chart, archives in archives included.
type budget struct {
	render.TreeLimit
	depth int
}

func (e *Engine) newBudget() *budget { return &budget{TreeLimit: e.o.Chart} }

// parseArchive reads a packed chart and keeps it under the key.
func (e *Engine) parseArchive(key string, content []byte, left *budget) (*parsed, error) {
	if p, ok := e.parsed.get(key); ok {
		return p, nil
	}
	files, err := unpack(content, left, e.o.MaxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("unpacking chart archive: %w", err)
	}
	p, err := e.parse(files, left)
	if err != nil {
		return nil, err
	}
	e.parsed.put(key, p, p.bytes())
	return p, nil
}

// errBadArchive means that an archive is damaged, or no chart.
var errBadArchive = errors.New("not a chart archive")

// unpack reads the files of a .tgz in memory, named without the folder that all of them lie in. Links, devices and the
// like are left out. Names that lead out of the chart are an error.
func unpack(content []byte, left *budget, maxFile int64) ([]render.File, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadArchive, err)
	}
	// Headers and padding count too: an archive of nothing but those is a bomb as well.
	stream := &boundedReader{from: zipped, left: left.Bytes + int64(left.Files)*1024 + 1<<20}
	reader := tar.NewReader(stream)
	var files []render.File
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, archiveError(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		name, err := memberName(header.Name)
		if err != nil {
			return nil, err
		}
		if left.Files--; left.Files < 0 {
			return nil, fmt.Errorf("%w: the chart has too many files", render.ErrTooLarge)
		}
		if header.Size > maxFile {
			return nil, fmt.Errorf("%w: %s has more than %d bytes", render.ErrTooLarge, name, maxFile)
		}
		if left.Bytes -= header.Size; left.Bytes < 0 {
			return nil, fmt.Errorf("%w: the chart's files have too many bytes", render.ErrTooLarge)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			return nil, archiveError(err)
		}
		files = append(files, render.File{Name: name, Mode: header.FileInfo().Mode(), Content: text})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: it has no files", errBadArchive)
	}
	return files, nil
}

func archiveError(err error) error {
	if errors.Is(err, render.ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", errBadArchive, err)
}

// memberName is the name of a file below the chart's own folder.
func memberName(name string) (string, error) {
	clean := name
	if strings.Contains(name, `\`) { // packed on Windows
		clean = strings.ReplaceAll(name, `\`, "/")
	}
	_, inner, found := strings.Cut(clean, "/")
	inner = path.Clean(inner)
	switch {
	case !found:
		return "", fmt.Errorf("%w: %q does not lie in the chart's folder", errBadArchive, name)
	case path.IsAbs(inner) || inner == "." || inner == ".." || strings.HasPrefix(inner, "../"):
		return "", fmt.Errorf("%w: %q leads out of the chart's folder", errBadArchive, name)
	case len(inner) > 1 && inner[1] == ':':
		return "", fmt.Errorf("%w: %q names a drive", errBadArchive, name)
	case strings.IndexByte(inner, 0) >= 0:
		return "", fmt.Errorf("%w: %q is not a file name", errBadArchive, name)
	}
	return inner, nil
}

// boundedReader gives an error instead of more than a number of bytes.
type boundedReader struct {
	from io.Reader
	left int64
}

func (r *boundedReader) Read(b []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("%w: it unpacks to too many bytes", render.ErrTooLarge)
	}
	if int64(len(b)) > r.left {
		b = b[:r.left]
	}
	n, err := r.from.Read(b)
	r.left -= int64(n)
	return n, err
}
