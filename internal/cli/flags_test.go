package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// parse reads a configuration as run does, from a command line, an environment
// and the data of argocd-cmd-params-cm.
func parse(args []string, env, params map[string]string) (*config, error) {
	cfg := &config{}
	cmd := &cobra.Command{Use: "run", RunE: func(*cobra.Command, []string) error { return nil }}
	cfg.addFlags(cmd.Flags())
	if err := cmd.Flags().Parse(args); err != nil {
		return nil, err
	}
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	if err := cfg.fromEnvironment(cmd, lookup); err != nil {
		return nil, err
	}
	if err := cfg.fromParams(cmd, params); err != nil {
		return nil, err
	}
	return cfg, cfg.validate()
}

func TestConfigurationComesFromTheNearestOrigin(t *testing.T) {
	for name, test := range map[string]struct {
		args        []string
		env, params map[string]string
		check       func(*config) bool
	}{
		"defaults": {
			check: func(c *config) bool {
				return c.namespace == "argocd" && c.listen == ":8080" && slices.Equal(c.metricsListen, []string{":8082"}) &&
					!c.insecure && !c.disableAuth && c.logLevel == "info" && len(c.applicationNamespaces) == 0 &&
					slices.Equal(c.components, []string{"api", "repo", "controller"}) && c.maxManifests == 10<<20
			},
		},
		"a flag goes before everything": {
			args:   []string{"--application-namespaces=flag"},
			env:    map[string]string{"FAIRLEAD_APPLICATION_NAMESPACES": "own", "ARGOCD_APPLICATION_NAMESPACES": "argo"},
			params: map[string]string{"application.namespaces": "params"},
			check:  func(c *config) bool { return slices.Equal(c.applicationNamespaces, []string{"flag"}) },
		},
		"a variable of our own goes before one of Argo CD's": {
			env:    map[string]string{"FAIRLEAD_APPLICATION_NAMESPACES": "own-1,own-2", "ARGOCD_APPLICATION_NAMESPACES": "argo"},
			params: map[string]string{"application.namespaces": "params"},
			check:  func(c *config) bool { return slices.Equal(c.applicationNamespaces, []string{"own-1", "own-2"}) },
		},
		"a variable of Argo CD's goes before the ConfigMap": {
			env:    map[string]string{"ARGOCD_APPLICATION_NAMESPACES": "argo"},
			params: map[string]string{"application.namespaces": "params"},
			check:  func(c *config) bool { return slices.Equal(c.applicationNamespaces, []string{"argo"}) },
		},
		"the ConfigMap goes before the default": {
			params: map[string]string{"application.namespaces": "ns1,ns2", "server.insecure": "true", "controller.log.level": "debug", "controller.self.heal.backoff.timeout.seconds": "7"},
			check: func(c *config) bool {
				return slices.Equal(c.applicationNamespaces, []string{"ns1", "ns2"}) && c.insecure && c.logLevel == "debug" &&
					c.selfHealDelay == seconds(7*time.Second)
			},
		},
		"self-healing is set as in Argo CD": {
			env: map[string]string{
				"ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_TIMEOUT_SECONDS":         "5",
				"ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_TIMEOUT_SECONDS": "0",
			},
			params: map[string]string{"controller.self.heal.backoff.cooldown.seconds": "60"},
			check: func(c *config) bool {
				return c.selfHealTimeout == seconds(5*time.Second) && c.selfHealDelay == 0 && c.selfHealCooldown == seconds(time.Minute)
			},
		},
		"an empty variable states nothing": {
			env:   map[string]string{"FAIRLEAD_NAMESPACE": ""},
			check: func(c *config) bool { return c.namespace == "argocd" },
		},
		"an address of Argo CD's gets our port": {
			params: map[string]string{"server.listen.address": "127.0.0.1", "server.metrics.listen.address": "::1"},
			check: func(c *config) bool {
				return c.listen == "127.0.0.1:8080" && slices.Equal(c.metricsListen, []string{"[::1]:8082"})
			},
		},
		"several metrics addresses": {
			args:  []string{"--metrics-listen=127.0.0.1:1,127.0.0.1:2", "--metrics-listen=127.0.0.1:3"},
			check: func(c *config) bool { return len(c.metricsListen) == 3 },
		},
		"the component repo in other processes": {
			args:   []string{"--components=api,controller"},
			env:    map[string]string{"ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_TIMEOUT_SECONDS": "90", "ARGOCD_GRPC_MAX_SIZE_MB": "200"},
			params: map[string]string{"repo.server": "repo.example.com:8081", "reposerver.disable.tls": "true"},
			check: func(c *config) bool {
				return c.repoServer == "repo.example.com:8081" && c.repoDisableTLS && !c.servesRepo() &&
					c.repoTimeout == seconds(90*time.Second) && c.grpcMaxSize == 200
			},
		},
		"the component repo alone": {
			args:   []string{"--components=repo"},
			params: map[string]string{"reposerver.listen.address": "127.0.0.1", "reposerver.metrics.listen.address": "127.0.0.1"},
			check: func(c *config) bool {
				return c.servesRepo() && !c.worksOnApplications() && c.repoListen == "127.0.0.1:8081" &&
					slices.Equal(c.metricsListen, []string{"127.0.0.1:8084"})
			},
		},
		"the component repo alone has the metrics port that it has in Argo CD": {
			args:  []string{"--components=repo"},
			check: func(c *config) bool { return slices.Equal(c.metricsListen, []string{":8084"}) },
		},
		"sizes as Kubernetes writes them": {
			env:   map[string]string{"ARGOCD_REPO_SERVER_MAX_COMBINED_DIRECTORY_MANIFESTS_SIZE": "5Mi"},
			check: func(c *config) bool { return c.maxManifests == 5<<20 },
		},
		"submodules are switched off by Argo CD's variable": {
			env:   map[string]string{"ARGOCD_GIT_MODULES_ENABLED": "false"},
			check: func(c *config) bool { return !c.gitSubmodules && c.maxRepository == 0 },
		},
		"media types of layers": {
			params: map[string]string{"reposerver.oci.layer.media.types": "application/a,application/b+gzip"},
			check: func(c *config) bool {
				return slices.Equal(c.ociMediaTypes, []string{"application/a", "application/b+gzip"})
			},
		},
		"or by its key, and are on otherwise": {
			params: map[string]string{"reposerver.enable.git.submodule": "true"},
			args:   []string{"--max-repository-size=2Gi"},
			check:  func(c *config) bool { return c.gitSubmodules && c.maxRepository == 2<<30 },
		},
		"folders of mounted trust": {
			env: map[string]string{"ARGOCD_TLS_DATA_PATH": "/tls", "ARGOCD_SSH_DATA_PATH": "/ssh", "ARGOCD_GPG_DATA_PATH": "/gpg"},
			check: func(c *config) bool {
				return c.tlsDataPath == "/tls" && c.sshDataPath == "/ssh" && c.gpgDataPath == "/gpg"
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := parse(test.args, test.env, test.params)
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(cfg) {
				t.Errorf("configuration %+v", cfg)
			}
		})
	}
}

func TestBadConfigurationIsRefusedWithItsOrigin(t *testing.T) {
	for name, test := range map[string]struct {
		args        []string
		env, params map[string]string
		want        string
	}{
		"a variable":            {env: map[string]string{"FAIRLEAD_INSECURE": "perhaps"}, want: "environment variable FAIRLEAD_INSECURE"},
		"a variable of Argo CD": {env: map[string]string{"ARGOCD_SERVER_INSECURE": "perhaps"}, want: "environment variable ARGOCD_SERVER_INSECURE"},
		"a key":                 {params: map[string]string{"server.insecure": "perhaps"}, want: "key server.insecure of ConfigMap argocd-cmd-params-cm"},
		"an unknown component":  {args: []string{"--components=api,kitchen"}, want: `there is no component "kitchen"; choose from api, repo, controller`},
		"a later component":     {args: []string{"--components=dex"}, want: `"dex" is not part of this build`},
		"a message size":        {args: []string{"--grpc-max-size-mb=0"}, want: "from 1 to 2047"},
		"no time for calls":     {env: map[string]string{"ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_TIMEOUT_SECONDS": "0"}, want: "more than 0"},
		"no component":          {args: []string{"--components="}, want: "no component is chosen"},
		"no worker":             {args: []string{"--status-processors=0"}, want: "at least 1"},
		"a negative duration":   {args: []string{"--self-heal-backoff=-1s"}, want: "no duration"},
		"a size":                {args: []string{"--max-combined-directory-manifests-size=big"}, want: "no size"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(test.args, test.env, test.params)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestIntervalsOfTheEnvironmentAreDefaults(t *testing.T) {
	cfg, err := parse(nil, map[string]string{"ARGOCD_RECONCILIATION_TIMEOUT": "300", "ARGOCD_RECONCILIATION_JITTER": "0s"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := cfg.defaultSettings()
	if err != nil {
		t.Fatal(err)
	}
	if defaults.Reconciliation != 5*time.Minute || defaults.ReconciliationJitter != 0 {
		t.Errorf("intervals %+v", defaults.Intervals)
	}
	cfg.reconciliation = "soon"
	if _, err := cfg.defaultSettings(); err == nil || !strings.Contains(err.Error(), "ARGOCD_RECONCILIATION_TIMEOUT") {
		t.Errorf("error %v, want one that names the variable", err)
	}
}

func TestHelpNamesEveryCommandAndFlag(t *testing.T) {
	root := NewRoot(func(string) (string, bool) { return "", false })
	for _, command := range root.Commands() {
		if command.Short == "" {
			t.Errorf("command %s has no description", command.Name())
		}
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--help"}, "Run Fairlead's components in one process"},
		{[]string{"run", "--help"}, "--application-namespaces"},
		{[]string{"version"}, "fairlead dev"},
	} {
		var out strings.Builder
		root.SetOut(&out)
		root.SetArgs(test.args)
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), test.want) {
			t.Errorf("%q printed %q (error %v), want %q in it", test.args, out.String(), err, test.want)
		}
	}
}
