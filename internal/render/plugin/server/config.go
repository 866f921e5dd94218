package server

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// ConfigFile is the name of the file that describes the plugin, in the folder of the configuration.
const ConfigFile = "plugin.yaml"

const (
	configKind       = "ConfigManagementPlugin"
	configAPIVersion = "argoproj.io/v1alpha1"
)

// Config describes a plugin.
type Config struct {
	// Name and Version of the plugin; Version may be empty.
	Name, Version string
	// Init runs before each Generate, if it is given.
	Init v1alpha1.Command
	// Generate prints the manifests.
	Generate v1alpha1.Command
	// Discover tells which sources are the plugin's.
	Discover Discover
	// Static are parameters that all Applications of the plugin may set.
	Static []protocol.Parameter
	// Dynamic prints further ones that a source may have, as JSON.
	Dynamic v1alpha1.Command
	// PreserveFileMode lets files of the repository be executable.
	PreserveFileMode bool
	// ProvideGitCreds asks for access to the credentials of the repository.
	ProvideGitCreds bool
}

// Discover tells which sources are a plugin's. The first that is set counts.
type Discover struct {
	// FileName is a pattern of path.Match for files of the source's folder.
	FileName string
	// Glob is FileName with ** for any folders.
	Glob string
	// Command prints anything if the source is the plugin's.
	Command v1alpha1.Command
}

// IsSet reports whether there is a rule at all.
func (d Discover) IsSet() bool {
	return d.FileName != "" || d.Glob != "" || len(d.Command.Command) > 0
}

// FullName is what an Application calls the plugin.
func (c *Config) FullName() string {
	if c.Version == "" {
		return c.Name
	}
	return c.Name + "-" + c.Version
}

// file is the form of plugin.yaml.
type file struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version  string           `json:"version"`
		Init     v1alpha1.Command `json:"init"`
		Generate v1alpha1.Command `json:"generate"`
		Discover struct {
			FileName string `json:"fileName"`
			Find     struct {
				v1alpha1.Command `json:",inline"`
				Glob             string `json:"glob"`
			} `json:"find"`
		} `json:"discover"`
		Parameters struct {
			Static  []protocol.Parameter `json:"static"`
			Dynamic v1alpha1.Command     `json:"dynamic"`
		} `json:"parameters"`
		PreserveFileMode bool `json:"preserveFileMode"`
		ProvideGitCreds  bool `json:"provideGitCreds"`
		// Fields of the past, which mean nothing for a sidecar.
		AllowConcurrency bool `json:"allowConcurrency"`
		LockRepo         bool `json:"lockRepo"`
	} `json:"spec"`
}

// ParseConfig reads a plugin.yaml. The error says all that is wrong with it; warnings are about what has no effect.
func ParseConfig(data []byte) (config *Config, warnings []string, err error) {
	var f file
	if err := yaml.Unmarshal(data, &f); err != nil {
		return nil, nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if err := yaml.UnmarshalStrict(data, new(file)); err != nil {
		warnings = append(warnings, strings.TrimPrefix(err.Error(), "error unmarshaling JSON: while decoding JSON: "))
	}
	if f.APIVersion != configAPIVersion {
		warnings = append(warnings, fmt.Sprintf("apiVersion is %q; it should be %s", f.APIVersion, configAPIVersion))
	}
	c := &Config{
		Name: f.Metadata.Name, Version: f.Spec.Version, Init: f.Spec.Init, Generate: f.Spec.Generate,
		Discover: Discover{FileName: f.Spec.Discover.FileName, Glob: f.Spec.Discover.Find.Glob, Command: f.Spec.Discover.Find.Command},
		Static:   f.Spec.Parameters.Static, Dynamic: f.Spec.Parameters.Dynamic,
		PreserveFileMode: f.Spec.PreserveFileMode, ProvideGitCreds: f.Spec.ProvideGitCreds,
	}
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if f.Kind != configKind {
		wrong("kind is %q; it has to be %s", f.Kind, configKind)
	}
	switch {
	case c.Name == "":
		wrong("metadata.name is empty; it names the plugin")
	case !isFileName(c.Name):
		wrong("metadata.name is %q; it has to be a file name, because the socket is named after it", c.Name)
	}
	if c.Version != "" && !isFileName(c.Version) {
		wrong("spec.version is %q; it has to be fit for a file name, because the socket is named after it", c.Version)
	}
	if len(c.Generate.Command) == 0 {
		wrong("spec.generate.command is empty; it prints the manifests")
	}
	for _, other := range []struct {
		field   string
		command v1alpha1.Command
	}{
		{"spec.init", c.Init}, {"spec.discover.find", c.Discover.Command}, {"spec.parameters.dynamic", c.Dynamic},
	} {
		if len(other.command.Command) == 0 && len(other.command.Args) > 0 {
			wrong("%s has args and no command", other.field)
		}
	}
	if _, err := path.Match(c.Discover.FileName, ""); err != nil {
		wrong("spec.discover.fileName is %q, which is no valid pattern", c.Discover.FileName)
	}
	if !doublestar.ValidatePattern(c.Discover.Glob) {
		wrong("spec.discover.find.glob is %q, which is no valid pattern", c.Discover.Glob)
	}
	for i, p := range c.Static {
		if p.Name == "" {
			wrong("spec.parameters.static[%d] has no name", i)
		}
		switch p.CollectionType {
		case "", "string", "array", "map":
		default:
			wrong("spec.parameters.static[%d].collectionType is %q; it has to be string, array or map", i, p.CollectionType)
		}
	}
	if len(problems) > 0 {
		return nil, warnings, errors.Join(problems...)
	}
	return c, warnings, nil
}

func isFileName(name string) bool {
	return fs.ValidPath(name) && !strings.ContainsAny(name, "/\\\x00") && name != "."
}

// line is a command with its arguments.
func line(c v1alpha1.Command) []string {
	return append(append([]string(nil), c.Command...), c.Args...)
}
