package kustomize

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/kustomize/api/types"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/kustomize/kyaml/yaml/merge2"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// chartRenderer renders charts and says what they see of the destination.
type chartRenderer struct {
	engine *helm.Engine
	// given API versions of the Application, and more of the operator's flags.
	given, more []string
}

// apiVersions for charts that name none; nil leaves it to the destination, question by question.
func (c chartRenderer) apiVersions(ctx context.Context, external render.External) ([]string, error) {
	if len(c.given) > 0 || len(c.more) == 0 {
		return append(slices.Clip(c.given), c.more...), nil
	}
	all, err := external.APIVersions(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the API versions of the destination: %w", err)
	}
	return append(slices.Clip(all), c.more...), nil
}

// Ways to put inline values and those of a file together.
const (
	mergeOverride = "override"
	mergeReplace  = "replace"
	mergeMerge    = "merge"
)

// values are what helm would get by -f: one file, in which the inline values are worked, and additional ones.
func (r rewriter) values(c types.HelmChart, dir string) (map[string]any, error) {
	if c.ValuesMerge == "" {
		c.ValuesMerge = mergeOverride
	}
	if !slices.Contains([]string{mergeOverride, mergeReplace, mergeMerge}, c.ValuesMerge) {
		return nil, fmt.Errorf("%w: valuesMerge must be one of %s, %s, %s",
			render.ErrInvalidSource, mergeMerge, mergeOverride, mergeReplace)
	}
	var files []helm.ValueFile
	first, err := r.firstValues(c, dir)
	if err != nil {
		return nil, err
	}
	files = append(files, first)
	for _, name := range c.AdditionalValuesFiles {
		content, err := r.valuesFile("additionalValuesFiles", name)
		if err != nil {
			return nil, err
		}
		files = append(files, helm.ValueFile{Name: name, Content: content})
	}
	return helm.MergeValues(files...)
}

// firstValues are the values of valuesFile, or else of the chart, and the inline ones.
func (r rewriter) firstValues(c types.HelmChart, dir string) (helm.ValueFile, error) {
	file := helm.ValueFile{Name: c.ValuesFile}
	var err error
	switch {
	case len(c.ValuesInline) > 0 && c.ValuesMerge == mergeReplace:
	case c.ValuesFile != "":
		file.Content, err = r.valuesFile("valuesFile", c.ValuesFile)
	case len(c.ValuesInline) > 0:
		// Without inline values the chart's own are its defaults anyway.
		file.Content, err = r.defaults(c, dir)
	}
	if err != nil || len(c.ValuesInline) == 0 {
		return file, err
	}
	inline, err := yaml.Marshal(c.ValuesInline)
	if err != nil {
		return file, err
	}
	switch c.ValuesMerge {
	case mergeReplace:
		file.Content = inline
	case mergeOverride:
		file.Content, err = mergeText(inline, file.Content)
	case mergeMerge:
		file.Content, err = mergeText(file.Content, inline)
	}
	if err != nil {
		return file, fmt.Errorf("%w: merging inline values: %w", render.ErrInvalidSource, err)
	}
	return file, nil
}

// mergeText merges values as Kustomize does, which reads the schema of what looks like an object. Those of src win.
func mergeText(src, dest []byte) ([]byte, error) {
	nodes := make([]*kyaml.RNode, 2)
	for i, text := range [][]byte{src, dest} {
		if err := render.CheckFileAliases("values", text); err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			text = []byte("{}")
		}
		var err error
		if nodes[i], err = kyaml.Parse(string(text)); err != nil {
			return nil, err
		}
	}
	schema.RLock()
	defer schema.RUnlock()
	merged, err := merge2.Merge(nodes[0], nodes[1], kyaml.MergeOptions{})
	if err != nil || merged == nil {
		return nil, err
	}
	text, err := merged.String()
	return []byte(text), err
}

// valuesFile reads a file that a chart's entry names.
func (r rewriter) valuesFile(field, entry string) ([]byte, error) {
	rewritten, err := r.one(field, entry)
	if err != nil {
		return nil, err
	}
	virtual := path.Join(r.mount.virtual(r.dir), rewritten)
	if own, ok := r.fs.ours[virtual]; ok {
		return own, nil
	}
	m, name, err := r.fs.split(virtual)
	if err != nil {
		return nil, err
	}
	return r.fs.read(m, name)
}

// defaults are the values of a chart itself.
func (r rewriter) defaults(c types.HelmChart, dir string) ([]byte, error) {
	const base = "values.yaml"
	if dir != "" {
		name := path.Join(dir, base)
		if !r.exists(name) {
			return nil, nil
		}
		return r.fs.read(r.mount, name)
	}
	found, err := r.external.Chart(r.ctx, chartRef(c))
	if err != nil {
		return nil, err
	}
	archive, err := found.Archive(r.ctx)
	if err != nil {
		return nil, err
	}
	return archived(archive, base)
}

// maxArchive bounds how much of an unpacked chart is gone through.
const maxArchive = 64 << 20

// archived reads one file of the folder at the top of a chart's archive.
func archived(archive []byte, base string) ([]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("unpacking chart: %w", err)
	}
	for files := tar.NewReader(io.LimitReader(unpacked, maxArchive)); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unpacking chart: %w", err)
		}
		_, name, _ := strings.Cut(path.Clean(header.Name), "/")
		if name == base {
			return io.ReadAll(io.LimitReader(files, maxFileBytes))
		}
	}
}

// releaseName is that of the entry. Helm would make a name out of the time where there is none, which would differ at
// each build, so that it is the chart's then.
func releaseName(c types.HelmChart) (string, error) {
	switch {
	case strings.HasPrefix(c.ReleaseName, "-"):
		return "", fmt.Errorf("%w: releaseName must not start with '-', got %q", render.ErrInvalidSource, c.ReleaseName)
	case c.ReleaseName != "" && c.NameTemplate != "":
		return "", fmt.Errorf("%w: releaseName and nameTemplate exclude each other", render.ErrInvalidSource)
	case c.ReleaseName != "":
		return c.ReleaseName, nil
	case c.NameTemplate == "":
		return path.Base(c.Name), nil
	}
	functions := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	t, err := template.New("nameTemplate").Funcs(functions).Parse(c.NameTemplate)
	if err != nil {
		return "", fmt.Errorf("%w: nameTemplate: %w", render.ErrInvalidSource, err)
	}
	var name strings.Builder
	if err := t.Execute(&limited{to: &name, left: 256}, nil); err != nil {
		return "", fmt.Errorf("%w: nameTemplate: %w", render.ErrInvalidSource, err)
	}
	return name.String(), nil
}

// limited is a writer that takes no more than so many bytes.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errors.New("the name is too long")
	}
	return l.to.Write(p)
}
