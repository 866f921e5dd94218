package helm

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"time"

	"helm.sh/helm/v4/pkg/ignore"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// withoutIgnored leaves out what the chart's .helmignore names.
func withoutIgnored(files []render.File) ([]render.File, error) {
	rules := ignore.Empty()
	for _, f := range files {
		if f.Name != ignore.HelmIgnore {
			continue
		}
		var err error
		if rules, err = ignore.Parse(bytes.NewReader(f.Content)); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", render.ErrInvalidSource, ignore.HelmIgnore, err)
		}
	}
	rules.AddDefaults()
	w := ignoring{rules: rules, folders: map[string]bool{}}
	kept := make([]render.File, 0, len(files))
	for _, f := range files {
		if w.folder(path.Dir(f.Name)) || rules.Ignore(f.Name, entry{f.Name, false}) {
			continue
		}
		kept = append(kept, f)
	}
	return kept, nil
}

// ignoring remembers which folders are ignored.
type ignoring struct {
	rules   *ignore.Rules
	folders map[string]bool
}

// folder reports whether a folder, or one that it lies in, is ignored.
func (w *ignoring) folder(name string) bool {
	if name == "." {
		return false
	}
	ignored, ok := w.folders[name]
	if !ok {
		ignored = w.folder(path.Dir(name)) || w.rules.Ignore(name, entry{name, true})
		w.folders[name] = ignored
	}
	return ignored
}

// entry is what the rules want to know of a file.
type entry struct {
	name string
	dir  bool
}

func (e entry) Name() string       { return path.Base(e.name) }
func (e entry) Size() int64        { return 0 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return e.dir }
func (e entry) Sys() any           { return nil }
func (e entry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir
	}
	return 0
}
