package helm

import (
	"encoding/base64"
	"path"
	"strings"

	"github.com/gobwas/glob"
	"helm.sh/helm/v4/pkg/chart/common"
)

// chartFiles are .Files: what a chart has beside its templates and values, by name. The methods are those that Helm
// documents.
type chartFiles map[string][]byte

func newChartFiles(from []*common.File) chartFiles {
	files := make(chartFiles, len(from))
	for _, f := range from {
		files[f.Name] = f.Data
	}
	return files
}

// GetBytes is the content of a file; nothing when there is none of that name.
func (f chartFiles) GetBytes(name string) []byte {
	if content, ok := f[name]; ok {
		return content
	}
	return []byte{}
}

// Get is GetBytes as text.
func (f chartFiles) Get(name string) string { return string(f[name]) }

// Glob are the files whose names match a pattern; a pattern that cannot be read matches all.
func (f chartFiles) Glob(pattern string) chartFiles {
	matcher, err := glob.Compile(pattern, '/')
	if err != nil {
		matcher = glob.MustCompile("**")
	}
	found := chartFiles{}
	for name, content := range f {
		if matcher.Match(name) {
			found[name] = content
		}
	}
	return found
}

// AsConfig is YAML for the data of a ConfigMap: file names without folders, and contents.
func (f chartFiles) AsConfig() string {
	return f.asMap(func(content []byte) string { return string(content) })
}

// AsSecrets is YAML for the data of a Secret: as AsConfig, with the contents in base64.
func (f chartFiles) AsSecrets() string { return f.asMap(base64.StdEncoding.EncodeToString) }

func (f chartFiles) asMap(encode func([]byte) string) string {
	if f == nil {
		return ""
	}
	data := make(map[string]string, len(f))
	for name, content := range f {
		data[path.Base(name)] = encode(content)
	}
	return toYAML(data)
}

// Lines are the lines of a file.
func (f chartFiles) Lines(name string) []string {
	if len(f[name]) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}
