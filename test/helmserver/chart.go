package helmserver

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Chart is a chart to be served.
type Chart struct {
	// Name and Version of the chart, AppVersion and Dependencies for its Chart.yaml.
	Name, Version, AppVersion string
	Dependencies              []Dependency
	// Deprecated marks it so.
	Deprecated bool
	// Files of the chart by their path in it, besides Chart.yaml. A Chart.yaml among them is taken instead.
	Files map[string]string
}

// Dependency is an entry of a chart's dependencies.
type Dependency struct {
	Name       string `yaml:"name"`
	Version    string `yaml:"version"`
	Repository string `yaml:"repository"`
	Alias      string `yaml:"alias,omitempty"`
	Condition  string `yaml:"condition,omitempty"`
}

// FromFolder reads a chart out of its folder.
func FromFolder(folder fs.FS) (Chart, error) {
	c := Chart{Files: map[string]string{}}
	err := fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := fs.ReadFile(folder, path)
		c.Files[path] = string(raw)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("reading a chart: %w", err)
	}
	var meta struct {
		Name       string `yaml:"name"`
		Version    string `yaml:"version"`
		AppVersion string `yaml:"appVersion"`
		Deprecated bool   `yaml:"deprecated"`
	}
	if err := yaml.Unmarshal([]byte(c.Files["Chart.yaml"]), &meta); err != nil {
		return c, fmt.Errorf("reading Chart.yaml: %w", err)
	}
	c.Name, c.Version, c.AppVersion, c.Deprecated = meta.Name, meta.Version, meta.AppVersion, meta.Deprecated
	return c, nil
}

// metadata is the chart's Chart.yaml.
func (c Chart) metadata() ([]byte, error) {
	if own, ok := c.Files["Chart.yaml"]; ok {
		return []byte(own), nil
	}
	return yaml.Marshal(map[string]any{
		"apiVersion": "v2", "name": c.Name, "version": c.Version, "appVersion": c.AppVersion,
		"deprecated": c.Deprecated, "dependencies": c.Dependencies,
	})
}

// Pack makes the archive. Equal charts make equal archives.
func (c Chart) Pack() ([]byte, error) {
	meta, err := c.metadata()
	if err != nil {
		return nil, err
	}
	files := maps.Clone(c.Files)
	if files == nil {
		files = map[string]string{}
	}
	files["Chart.yaml"] = string(meta)
	return Tarball(c.Name, files, true)
}

// Tarball makes a tar archive of files below a folder, which may be empty, compressed by gzip or not.
func Tarball(folder string, files map[string]string, compress bool) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(&out)
	if compress {
		t = tar.NewWriter(z)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := strings.TrimPrefix(folder+"/"+name, "/")
		if err := t.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			return nil, err
		}
		if _, err := t.Write([]byte(files[name])); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	if compress {
		if err := z.Close(); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// Digest is the sha256 of data in hexadecimal.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
