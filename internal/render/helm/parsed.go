package helm

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// parsed is a chart as Helm's loader gives it, without its dependencies from elsewhere. It is shared between renderings
// and does not change.
type parsed struct {
	metadata  *chartv2.Metadata
	lock      *chartv2.Lock
	templates []*common.File
	files     []*common.File
	values    map[string]any
	schema    *schema
	// vendored are the charts below charts/, in the order of their file names.
	vendored []*parsed
	// listsAPIs: a template does more with .Capabilities.APIVersions than to ask it for one version.
	listsAPIs bool
	size      int64
}

// maxChartDepth bounds charts in charts.
const maxChartDepth = 20

var byteOrderMark = []byte("\xef\xbb\xbf")

// parseFolder reads an unpacked chart.
func (e *Engine) parseFolder(files []render.File) (*parsed, error) {
	kept, err := withoutIgnored(files)
	if err != nil {
		return nil, err
	}
	return e.parse(kept, e.newBudget())
}

// vendored is one entry of the folder charts: an archive, or the files of a folder.
type vendored struct {
	archive []byte
	files   []render.File
}

// parse reads the files of a chart, named relative to it.
func (e *Engine) parse(files []render.File, left *budget) (*parsed, error) {
	if left.depth++; left.depth > maxChartDepth {
		return nil, fmt.Errorf("%w: charts are nested more than %d deep", render.ErrTooLarge, maxChartDepth)
	}
	defer func() { left.depth-- }()
	own := make([]*archive.BufferedFile, 0, len(files))
	below := map[string]vendored{}
	p := &parsed{}
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f.Name, "charts/"); ok && path.Ext(f.Name) != ".prov" {
			addVendored(below, rest, f)
			continue
		}
		if isChartYAML(f.Name) {
			if err := render.CheckAliases(f.Name, f.Content); err != nil {
				return nil, err
			}
		}
		p.size += int64(len(f.Content))
		own = append(own, &archive.BufferedFile{Name: f.Name, Data: bytes.TrimPrefix(f.Content, byteOrderMark)})
	}
	c, err := loader.LoadFiles(own)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", render.ErrInvalidSource, err)
	}
	p.metadata, p.lock, p.templates, p.files, p.values = c.Metadata, c.Lock, c.Templates, c.Files, c.Values
	if len(c.Schema) > 0 {
		p.schema = &schema{text: c.Schema}
	}
	p.listsAPIs = mentionsAPIs(c.Values) ||
		slices.ContainsFunc(c.Templates, func(f *common.File) bool { return listsAPIs(string(f.Data)) })
	for _, name := range slices.Sorted(maps.Keys(below)) {
		child, err := e.parseVendored(below[name], left)
		if err != nil {
			return nil, fmt.Errorf("charts/%s: %w", name, err)
		}
		p.vendored = append(p.vendored, child)
	}
	return p, nil
}

// isChartYAML reports whether Helm's loader parses a file as YAML.
func isChartYAML(name string) bool {
	switch name {
	case "Chart.yaml", "Chart.lock", "values.yaml", "requirements.yaml", "requirements.lock":
		return true
	}
	return false
}

// addVendored sorts a file of the folder charts to the entry that it belongs to. Names that begin with a dot or an
// underscore are no charts.
func addVendored(to map[string]vendored, rest string, f render.File) {
	name, inner, nested := strings.Cut(rest, "/")
	if strings.IndexAny(name, "_.") == 0 {
		return
	}
	v := to[name]
	switch {
	case nested:
		f.Name = inner
		v.files = append(v.files, f)
	case path.Ext(name) == ".tgz":
		v.archive = f.Content
	}
	to[name] = v
}

func (e *Engine) parseVendored(v vendored, left *budget) (*parsed, error) {
	if v.archive == nil {
		return e.parse(v.files, left)
	}
	return e.parseArchive(contentKey(v.archive), v.archive, left)
}

// bytes is roughly the memory of the chart.
func (p *parsed) bytes() int64 {
	n := 3*p.size + 4096
	for _, v := range p.vendored {
		n += v.bytes()
	}
	return n
}

// instance gives a chart object that Helm may change. It has no dependencies yet.
func (p *parsed) instance() *chartv2.Chart {
	c := &chartv2.Chart{Metadata: cloneMetadata(p.metadata), Lock: p.lock, Templates: p.templates, Files: p.files, Values: p.values}
	if p.schema != nil {
		c.Schema = p.schema.text
	}
	return c
}

// cloneMetadata copies everything that templates or Helm could reach and change.
func cloneMetadata(from *chartv2.Metadata) *chartv2.Metadata {
	to := *from
	to.Sources = slices.Clone(from.Sources)
	to.Keywords = slices.Clone(from.Keywords)
	to.Annotations = maps.Clone(from.Annotations)
	to.Maintainers = slices.Clone(from.Maintainers)
	for i, m := range to.Maintainers {
		one := *m
		to.Maintainers[i] = &one
	}
	to.Dependencies = cloneDependencies(from.Dependencies)
	return &to
}

func cloneDependencies(from []*chartv2.Dependency) []*chartv2.Dependency {
	to := slices.Clone(from)
	for i, d := range to {
		one := *d
		one.Tags = slices.Clone(d.Tags)
		one.ImportValues = slices.Clone(d.ImportValues)
		to[i] = &one
	}
	return to
}
