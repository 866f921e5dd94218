package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/server"
)

// newCMPServer is the sidecar of a config management plugin. Its flags and
// variables are those of argocd-cmp-server.
func newCMPServer(lookup func(string) (string, bool)) *cobra.Command {
	var dir, level, format string
	cmd := &cobra.Command{
		Use:   "cmp-server",
		Short: "Serve a config management plugin from its sidecar container",
		Long: `Cmp-server reads plugin.yaml and does what it says for the repo component
beside it, over a socket in a volume that both containers mount. It does the same
under the name argocd-cmp-server.

Environment variables: ARGOCD_PLUGINSOCKFILEPATH is the folder of the socket,
ARGOCD_CMP_WORKDIR the folder that gets one for the files of requests,
ARGOCD_EXEC_TIMEOUT how long a command may take (90s) and
ARGOCD_EXEC_FATAL_TIMEOUT how long it then has to end by itself (10s),
ARGOCD_GRPC_MAX_SIZE_MB the largest answer (100).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flagFrom(cmd, lookup, "loglevel", "ARGOCD_CMP_SERVER_LOGLEVEL")
			flagFrom(cmd, lookup, "logformat", "ARGOCD_CMP_SERVER_LOGFORMAT")
			if strings.EqualFold(level, "trace") {
				level = "debug"
			}
			logger, err := newLogger(cmd.ErrOrStderr(), level, format)
			if err != nil {
				return err
			}
			for _, name := range tracingFlags() {
				if cmd.Flags().Changed(name) {
					logger.Warn("a flag has no effect: no traces are sent", "flag", name)
				}
			}
			options, err := cmpServerOptions(lookup)
			if err != nil {
				return err
			}
			file := filepath.Join(dir, server.ConfigFile)
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("reading the plugin's configuration: %w; mount it, or give --config-dir-path", err)
			}
			config, warnings, err := server.ParseConfig(data)
			for _, warning := range warnings {
				logger.Warn("the plugin's configuration has something of no effect", "file", file, "problem", warning)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			options.Config, options.Logger = config, logger
			return server.New(*options).Run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "config-dir-path", "/home/argocd/cmp-server/config", "folder of plugin.yaml")
	flags.StringVar(&level, "loglevel", "info", "debug, info, warn or error")
	flags.StringVar(&format, "logformat", "text", "text or json")
	for _, name := range tracingFlags() {
		flags.String(name, "", "accepted and without effect: no traces are sent")
		flags.Lookup(name).NoOptDefVal = "true"
	}
	return cmd
}

// tracingFlags are flags of argocd-cmp-server that a sidecar's manifest may
// have.
func tracingFlags() []string {
	return []string{"otlp-address", "otlp-insecure", "otlp-headers", "otlp-attrs"}
}

// flagFrom fills in a flag that the command line does not state.
func flagFrom(cmd *cobra.Command, lookup func(string) (string, bool), flag, variable string) {
	if value, ok := lookup(variable); ok && value != "" && !cmd.Flags().Changed(flag) {
		_ = cmd.Flags().Set(flag, value) // any text can be set, and is checked by its use
	}
}

// cmpServerOptions are what the environment says.
func cmpServerOptions(lookup func(string) (string, bool)) (*server.Options, error) {
	get := func(name, byDefault string) string {
		if value, ok := lookup(name); ok && value != "" {
			return value
		}
		return byDefault
	}
	timeout, err := positive(get("ARGOCD_EXEC_TIMEOUT", "90s"))
	if err != nil {
		err = fmt.Errorf("environment variable ARGOCD_EXEC_TIMEOUT: %w", err)
	}
	grace, graceErr := positive(get("ARGOCD_EXEC_FATAL_TIMEOUT", "10s"))
	if graceErr != nil {
		err = errors.Join(err, fmt.Errorf("environment variable ARGOCD_EXEC_FATAL_TIMEOUT: %w", graceErr))
	}
	size, sizeErr := messageSize(get("ARGOCD_GRPC_MAX_SIZE_MB", ""))
	executable, executableErr := os.Executable()
	if executableErr != nil {
		executableErr = fmt.Errorf("finding the file of this program: %w", executableErr)
	}
	if err := errors.Join(err, sizeErr, executableErr); err != nil {
		return nil, err
	}
	return &server.Options{
		SocketDir: get("ARGOCD_PLUGINSOCKFILEPATH", plugin.DefaultSocketDir),
		WorkDir:   filepath.Join(get("ARGOCD_CMP_WORKDIR", os.TempDir()), "_cmp_server"),
		Environ:   os.Environ(),
		Timeout:   timeout, Grace: grace, MaxMessage: size,
		AskPass: executable,
	}, nil
}

func positive(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no duration such as 90s", text)
	}
	return d, nil
}

// newGitAskPass answers git in a plugin.
func newGitAskPass(lookup func(string) (string, bool)) *cobra.Command {
	return &cobra.Command{
		Use:   "git-ask-pass PROMPT",
		Short: "Answer git in a plugin with the credentials of the repository",
		Long: `Git-ask-pass is what git runs in a config management plugin that has
provideGitCreds when it needs a user name or a password: under the name
argocd-git-ask-pass, by the variables GIT_ASKPASS and ARGOCD_BINARY_NAME. It asks
the repo component over the socket that ARGOCD_ASK_PASS_SOCK names.`,
		Args:               cobra.ExactArgs(1),
		DisableFlagParsing: true, // the prompt is git's
		RunE: func(cmd *cobra.Command, args []string) error {
			socket, _ := lookup(askpass.EnvSocket)
			nonce, _ := lookup(askpass.EnvNonce)
			return askpass.Answer(cmd.Context(), cmd.OutOrStdout(), args[0], socket, nonce)
		},
	}
}
