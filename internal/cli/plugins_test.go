package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

func TestWhatIsSaidAboutPluginsIsRead(t *testing.T) {
	for name, test := range map[string]struct {
		args        []string
		env, params map[string]string
		check       func(pluginConfig) bool
	}{
		"defaults": {check: func(c pluginConfig) bool {
			return len(c.exclude) == 0 && !c.usePaths && c.timeout == seconds(90*time.Second) && !c.legacy && c.sockets == ""
		}},
		"flags": {
			args: []string{"--plugin-tar-exclude=a;b/*", "--plugin-tar-exclude=c", "--plugin-use-manifest-generate-paths", "--plugin-timeout=5", "--enable-legacy-plugins"},
			check: func(c pluginConfig) bool {
				return slices.Equal(c.exclude, globs{"a", "b/*", "c"}) && c.usePaths && c.timeout == seconds(5*time.Second) && c.legacy
			},
		},
		"the environment of Argo CD": {
			env: map[string]string{
				"ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS": "a; b", "ARGOCD_REPO_SERVER_PLUGIN_USE_MANIFEST_GENERATE_PATHS": "true",
				"ARGOCD_EXEC_TIMEOUT": "2m", "ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_TIMEOUT_SECONDS": "30", "ARGOCD_PLUGINSOCKFILEPATH": "/sockets",
				"ARGOCD_ASK_PASS_SOCK": "/ask", "ARGOCD_GRPC_MAX_SIZE_MB": "7",
			},
			check: func(c pluginConfig) bool {
				return slices.Equal(c.exclude, globs{"a", "b"}) && c.usePaths && c.timeout == seconds(2*time.Minute) &&
					c.sockets == "/sockets" && c.askPassSocket == "/ask" && c.maxMessage == "7"
			},
		},
		"the ConfigMap": {
			params: map[string]string{"reposerver.plugin.tar.exclusions": "x;y", "reposerver.plugin.use.manifest.generate.paths": "true", "controller.repo.server.timeout.seconds": "30"},
			check: func(c pluginConfig) bool {
				return slices.Equal(c.exclude, globs{"x", "y"}) && c.usePaths && c.timeout == seconds(90*time.Second)
			},
		},
		"the switch that is dangerous has no name of Argo CD's": {
			env:    map[string]string{"ARGOCD_ENABLE_LEGACY_PLUGINS": "true"},
			params: map[string]string{"enable.legacy.plugins": "true"},
			check:  func(c pluginConfig) bool { return !c.legacy },
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := parse(test.args, test.env, test.params)
			if err != nil || !test.check(c.plugins) {
				t.Errorf("configuration %+v, %v", c, err)
			}
		})
	}
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"a pattern":   {args: []string{"--plugin-tar-exclude=[a"}, want: `"[a" is no valid glob`},
		"a time":      {args: []string{"--plugin-timeout=0"}, want: "--plugin-timeout is 0"},
		"a size":      {env: map[string]string{"ARGOCD_GRPC_MAX_SIZE_MB": "many"}, want: "ARGOCD_GRPC_MAX_SIZE_MB"},
		"a huge size": {env: map[string]string{"ARGOCD_GRPC_MAX_SIZE_MB": "2048"}, want: "ARGOCD_GRPC_MAX_SIZE_MB"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(test.args, test.env, nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestTheProgramStandsInForThoseOfArgoCD(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want []string
	}{
		"its own name":              {args: []string{"/bin/fairlead", "run", "--insecure"}, want: []string{"run", "--insecure"}},
		"a sidecar":                 {args: []string{"/var/run/argocd/argocd-cmp-server", "--loglevel=debug"}, want: []string{"cmp-server", "--loglevel=debug"}},
		"what git runs":             {args: []string{"argocd-git-ask-pass", "Username for x"}, want: []string{"git-ask-pass", "Username for x"}},
		"what git runs in a plugin": {args: []string{"/var/run/argocd/argocd-cmp-server", "Password"}, env: map[string]string{"ARGOCD_BINARY_NAME": "argocd-git-ask-pass"}, want: []string{"git-ask-pass", "Password"}},
		"another name":              {args: []string{"fairlead", "version"}, env: map[string]string{"ARGOCD_BINARY_NAME": "argocd"}, want: []string{"version"}},
		"nothing":                   {},
	} {
		t.Run(name, func(t *testing.T) {
			lookup := func(name string) (string, bool) { value, ok := test.env[name]; return value, ok }
			if got := arguments(test.args, lookup); !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestASidecarSaysWhatIsWrongWithIt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plugin.yaml"), []byte("kind: Plugin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want []string
	}{
		"no configuration":     {args: []string{"--config-dir-path", filepath.Join(dir, "absent")}, want: []string{"give --config-dir-path"}},
		"a configuration":      {args: []string{"--config-dir-path", dir}, want: []string{"plugin.yaml: ", `kind is "Plugin"`, "metadata.name is empty", "spec.generate.command is empty"}},
		"the log's level":      {env: map[string]string{"ARGOCD_CMP_SERVER_LOGLEVEL": "loud"}, want: []string{`"loud"`}},
		"several durations":    {env: map[string]string{"ARGOCD_EXEC_TIMEOUT": "90", "ARGOCD_EXEC_FATAL_TIMEOUT": "-1s"}, want: []string{`ARGOCD_EXEC_TIMEOUT: "90"`, `ARGOCD_EXEC_FATAL_TIMEOUT: "-1s"`}},
		"an argument":          {args: []string{"extra"}, want: []string{"extra"}},
		"a flag of no meaning": {args: []string{"--otlp-insecure", "--otlp-address=x", "--config-dir-path", filepath.Join(dir, "absent")}, want: []string{"give --config-dir-path"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := NewRoot(func(name string) (string, bool) { value, ok := test.env[name]; return value, ok })
			root.SetArgs(append([]string{"cmp-server"}, test.args...))
			root.SetErr(&strings.Builder{})
			err := root.ExecuteContext(t.Context())
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
		})
	}
}

func TestPluginsOfTheConfigMapRunOnlyWhenThatIsSwitchedOn(t *testing.T) {
	stored := settings.Defaults()
	stored.Rendering.Plugins = []v1alpha1.ConfigManagementPlugin{{Name: "old", Generate: v1alpha1.Command{Command: []string{"echo", "a: 1"}}}}
	for _, on := range []bool{false, true} {
		p := &process{
			config: &config{dataDir: t.TempDir(), plugins: pluginConfig{legacy: on, timeout: seconds(time.Minute), sockets: filepath.Join(t.TempDir(), "absent")}},
			logger: slog.New(slog.DiscardHandler), settings: settings.New(settings.Options{Defaults: stored}),
		}
		client, serve, err := p.newPlugins()
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		serve(ended)
		out, err := client.Generate(t.Context(), plugin.Request{PluginCall: render.PluginCall{Name: "old", Path: "."}, Files: os.DirFS(t.TempDir())})
		if on && (err != nil || string(out) != "a: 1\n") || !on && !errors.Is(err, plugin.ErrNoPlugin) {
			t.Errorf("switched on %v: %q, %v", on, out, err)
		}
		client.Close()
	}
}
