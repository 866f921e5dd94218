package cli

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// pluginConfig is the part of the configuration that is about config management
// plugins.
type pluginConfig struct {
	exclude  globs
	usePaths bool
	timeout  seconds
	legacy   bool

	// The following have no flag.
	sockets, askPassSocket, maxMessage string
}

func (c *pluginConfig) addFlags(flags *pflag.FlagSet) {
	c.timeout = seconds(90 * time.Second)
	flags.Var(&c.exclude, "plugin-tar-exclude", "files that plugins do not get, as globs separated by semicolons")
	flags.BoolVar(&c.usePaths, "plugin-use-manifest-generate-paths", false, "send plugins only the folder that has what the annotation argocd.argoproj.io/manifest-generate-paths names")
	flags.Var(&c.timeout, "plugin-timeout", "how long a plugin may take, in seconds or as 90s")
	flags.BoolVar(&c.legacy, "enable-legacy-plugins", false, "run the plugins that configManagementPlugins of argocd-cm lists in this process's container; dangerous, since their commands work on files from repositories with all that this process may do")
}

func (c *pluginConfig) validate() error {
	var errs []error
	if c.timeout <= 0 {
		errs = append(errs, errors.New("--plugin-timeout is 0; it has to be more"))
	}
	if _, err := messageSize(c.maxMessage); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// messageSize reads ARGOCD_GRPC_MAX_SIZE_MB: how many MiB a message of gRPC may
// have.
func messageSize(text string) (int, error) {
	if text == "" {
		return 100 << 20, nil
	}
	n, err := strconv.ParseUint(text, 10, 11)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("environment variable ARGOCD_GRPC_MAX_SIZE_MB: %q is no number of MiB from 1 to 2047", text)
	}
	return int(n) << 20, nil
}

// globs are patterns of path.Match. Each use of the flag adds to them.
type globs []string

func (g *globs) Set(text string) error {
	for pattern := range strings.SplitSeq(text, ";") {
		if pattern = strings.TrimSpace(pattern); pattern == "" {
			continue
		}
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%q is no valid glob", pattern)
		}
		*g = append(*g, pattern)
	}
	return nil
}

func (g *globs) String() string { return strings.Join(*g, ";") }

// Type is the word for the value in the usage text.
func (*globs) Type() string { return "globs" }
