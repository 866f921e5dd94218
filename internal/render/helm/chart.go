package helm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// Chart is a chart that was read. It does not change and may be rendered any number of times.
type Chart struct {
	parsed *parsed
	home   home
}

// home is where the files of a chart lie, so that its file:// dependencies can be found. It has no file system when the
// chart comes from an archive.
type home struct {
	fsys fs.FS
	dir  string
}

// Name of the chart.
func (c Chart) Name() string { return c.parsed.metadata.Name }

// Version of the chart.
func (c Chart) Version() string { return c.parsed.metadata.Version }

// Folder reads a chart that lies unpacked in a folder. Its .helmignore counts.
func (e *Engine) Folder(fsys fs.FS, dir string) (Chart, error) {
	files, err := render.ReadTree(fsys, dir, e.o.Chart)
	if err != nil {
		return Chart{}, fmt.Errorf("reading chart %s: %w", dir, err)
	}
	return e.Files(fsys, dir, files)
}

// Files makes a chart of files that are at hand, named relative to the chart, in the order of their names. A
// .helmignore among them counts. dir is the folder of fsys that the chart's file:// dependencies are relative to; fsys
// may be nil when there are none.
func (e *Engine) Files(fsys fs.FS, dir string, files []render.File) (Chart, error) {
	p, err := e.parseFolder(files)
	if err != nil {
		return Chart{}, fmt.Errorf("chart %s: %w", dir, err)
	}
	return Chart{parsed: p, home: home{fsys, dir}}, nil
}

// Archive reads a packed chart, a .tgz.
func (e *Engine) Archive(content []byte) (Chart, error) {
	p, err := e.parseArchive(contentKey(content), content, e.newBudget())
	if err != nil {
		return Chart{}, err
	}
	return Chart{parsed: p}, nil
}

// Fetch gets a chart of a Helm repository or a registry.
func (e *Engine) Fetch(ctx context.Context, in render.Inputs, ref render.ChartRef) (Chart, error) {
	p, err := e.fetch(ctx, external(in), ref)
	if err != nil {
		return Chart{}, err
	}
	return Chart{parsed: p}, nil
}

// fetch asks for a chart, and for its archive only when it is not known already.
func (e *Engine) fetch(ctx context.Context, from render.External, ref render.ChartRef) (*parsed, error) {
	found, err := from.Chart(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", ref, err)
	}
	key := "sha256:" + found.Digest
	if found.Digest != "" {
		if p, ok := e.parsed.get(key); ok {
			return p, nil
		}
	}
	content, err := found.Archive(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", ref, err)
	}
	if found.Digest == "" {
		key = contentKey(content)
	}
	p, err := e.parseArchive(key, content, e.newBudget())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	return p, nil
}

// external is the External of the inputs, never nil.
func external(in render.Inputs) render.External {
	if in.External == nil {
		return render.NoExternal{}
	}
	return in.External
}

// contentKey names an archive by its content.
func contentKey(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// filesKey names a folder by its content.
func filesKey(files []render.File) string {
	h := sha256.New()
	var length [8]byte
	for _, f := range files {
		for _, part := range [][]byte{[]byte(f.Name), f.Content} {
			binary.BigEndian.PutUint64(length[:], uint64(len(part)))
			h.Write(length[:])
			h.Write(part)
		}
	}
	return "files:" + hex.EncodeToString(h.Sum(nil))
}
