package cli

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
	"github.com/fairlead-cd/fairlead/internal/source/oci"
)

// config is the configuration of `fairlead run`, read once at the start.
type config struct {
	kubeconfig            string
	namespace             string
	applicationNamespaces []string
	listen                string
	metricsListen         []string
	insecure              bool
	disableAuth           bool
	components            []string
	redis                 redisConfig
	rendering             renderConfig
	dataDir               string
	logLevel              string
	logFormat             string

	profile          bool
	statusProcessors int
	replicas         int
	shard            int
	sharding         string
	persistHealth    bool
	maxStatus        quantity
	serverSideDiff   bool
	jqTimeout        seconds
	gitTimeout       time.Duration
	gitSubmodules    bool
	ociMediaTypes    []string
	maxRepository    quantity
	maxManifests     quantity
	selfHealDelay    seconds
	selfHealFactor   float64
	selfHealCap      seconds
	selfHealCooldown seconds
	selfHealTimeout  seconds
	syncTimeout      seconds
	waitTimeout      time.Duration
	waveDelay        string
	plugins          pluginConfig

	repoServer     string
	repoListen     string
	repoPlaintext  bool
	repoStrictTLS  bool
	repoDisableTLS bool
	repoTimeout    seconds
	grpcMaxSize    int

	// The following have no flag; they are set by environment variables that
	// installations of Argo CD set.
	tlsDataPath, sshDataPath, gpgDataPath string
	reconciliation, reconciliationJitter  string
	hardReconciliation                    string
}

// origin says where the value of a flag comes from when the command line does
// not state it: the environment variable FAIRLEAD_<NAME>, then the variables
// that Argo CD's components read, then keys of argocd-cmd-params-cm.
type origin struct {
	flag   string
	argocd []string
	params []string
	// adapt turns a value of Argo CD's into one of the flag's form.
	adapt func(string) string
}

// origins lists the flags that have more than a variable of their own.
var origins = slices.Concat(processOrigins, redisOrigins, renderOrigins)

// processOrigins are those of the process as a whole.
var processOrigins = []origin{
	{flag: "application-namespaces", argocd: []string{"ARGOCD_APPLICATION_NAMESPACES"}, params: []string{"application.namespaces"}},
	{flag: "listen", argocd: []string{"ARGOCD_SERVER_LISTEN_ADDRESS"}, params: []string{"server.listen.address"}, adapt: withPort("8080")},
	{flag: "metrics-listen", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_METRICS_LISTEN_ADDRESS", "ARGOCD_SERVER_METRICS_LISTEN_ADDRESS", "ARGOCD_REPO_SERVER_METRICS_LISTEN_ADDRESS"}, params: []string{"server.metrics.listen.address"}, adapt: withPort("8082")},
	{flag: "insecure", argocd: []string{"ARGOCD_SERVER_INSECURE"}, params: []string{"server.insecure"}},
	{flag: "disable-auth", argocd: []string{"ARGOCD_SERVER_DISABLE_AUTH"}, params: []string{"server.disable.auth"}},
	{flag: "log-level", argocd: []string{"ARGOCD_LOG_LEVEL", "ARGOCD_APPLICATION_CONTROLLER_LOGLEVEL", "ARGOCD_SERVER_LOGLEVEL"}, params: []string{"controller.log.level", "server.log.level"}},
	{flag: "log-format", argocd: []string{"ARGOCD_LOG_FORMAT", "ARGOCD_APPLICATION_CONTROLLER_LOGFORMAT", "ARGOCD_SERVER_LOGFORMAT"}, params: []string{"controller.log.format", "server.log.format"}},
	{flag: "profile", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_PROFILE_ENABLED", "ARGOCD_SERVER_PROFILE_ENABLED"}, params: []string{"controller.profile.enabled", "server.profile.enabled"}},
	{flag: "status-processors", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_STATUS_PROCESSORS"}, params: []string{"controller.status.processors"}},
	{flag: "controller-replicas", argocd: []string{"ARGOCD_CONTROLLER_REPLICAS"}},
	{flag: "controller-shard", argocd: []string{"ARGOCD_CONTROLLER_SHARD"}},
	{flag: "sharding-method", argocd: []string{"ARGOCD_CONTROLLER_SHARDING_ALGORITHM"}, params: []string{"controller.sharding.algorithm"}},
	{flag: "persist-resource-health", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_PERSIST_RESOURCE_HEALTH"}, params: []string{"controller.resource.health.persist"}},
	{flag: "git-timeout", argocd: []string{"ARGOCD_GIT_REQUEST_TIMEOUT"}, params: []string{"reposerver.git.request.timeout"}},
	{flag: "git-submodules", argocd: []string{"ARGOCD_GIT_MODULES_ENABLED"}, params: []string{"reposerver.enable.git.submodule"}},
	{flag: "max-combined-directory-manifests-size", argocd: []string{"ARGOCD_REPO_SERVER_MAX_COMBINED_DIRECTORY_MANIFESTS_SIZE"}, params: []string{"reposerver.max.combined.directory.manifests.size"}},
	{flag: "repo-server", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER", "ARGOCD_SERVER_REPO_SERVER"}, params: []string{"repo.server"}},
	{flag: "repo-listen", argocd: []string{"ARGOCD_REPO_SERVER_LISTEN_ADDRESS"}, params: []string{"reposerver.listen.address"}, adapt: withPort("8081")},
	{flag: "repo-server-plaintext", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_PLAINTEXT", "ARGOCD_SERVER_REPO_SERVER_PLAINTEXT"}, params: []string{"controller.repo.server.plaintext", "server.repo.server.plaintext"}},
	{flag: "repo-server-strict-tls", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_STRICT_TLS", "ARGOCD_SERVER_REPO_SERVER_STRICT_TLS"}, params: []string{"controller.repo.server.strict.tls", "server.repo.server.strict.tls"}},
	{flag: "repo-disable-tls", argocd: []string{"ARGOCD_REPO_SERVER_DISABLE_TLS"}, params: []string{"reposerver.disable.tls"}},
	{flag: "repo-server-timeout-seconds", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_TIMEOUT_SECONDS", "ARGOCD_SERVER_REPO_SERVER_TIMEOUT_SECONDS"}, params: []string{"controller.repo.server.timeout.seconds", "server.repo.server.timeout.seconds"}},
	{flag: "grpc-max-size-mb", argocd: []string{"ARGOCD_GRPC_MAX_SIZE_MB"}},
	{flag: "plugin-tar-exclude", argocd: []string{"ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS"}, params: []string{"reposerver.plugin.tar.exclusions"}},
	{flag: "plugin-use-manifest-generate-paths", argocd: []string{"ARGOCD_REPO_SERVER_PLUGIN_USE_MANIFEST_GENERATE_PATHS"}, params: []string{"reposerver.plugin.use.manifest.generate.paths"}},
	{flag: "plugin-timeout", argocd: []string{"ARGOCD_EXEC_TIMEOUT"}},
	{flag: "oci-layer-media-types", argocd: []string{"ARGOCD_REPO_SERVER_OCI_LAYER_MEDIA_TYPES"}, params: []string{"reposerver.oci.layer.media.types"}},
	{flag: "server-side-diff-enabled", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_SERVER_SIDE_DIFF"}, params: []string{"controller.diff.server.side"}},
	{flag: "ignore-normalizer-jq-execution-timeout-seconds", argocd: []string{"ARGOCD_IGNORE_NORMALIZER_JQ_TIMEOUT"}, params: []string{"controller.ignore.normalizer.jq.timeout"}},
	{flag: "sync-timeout", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_SYNC_TIMEOUT"}, params: []string{"controller.sync.timeout.seconds"}},
	{flag: "sync-wave-delay", argocd: []string{"ARGOCD_SYNC_WAVE_DELAY"}, params: []string{"controller.sync.wave.delay.seconds"}},
	{flag: "self-heal-backoff", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_TIMEOUT_SECONDS"}, params: []string{"controller.self.heal.backoff.timeout.seconds"}},
	{flag: "self-heal-backoff-factor", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_FACTOR"}, params: []string{"controller.self.heal.backoff.factor"}},
	{flag: "self-heal-timeout", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_TIMEOUT_SECONDS"}, params: []string{"controller.self.heal.timeout.seconds"}},
	{flag: "self-heal-backoff-cooldown", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_COOLDOWN_SECONDS"}, params: []string{"controller.self.heal.backoff.cooldown.seconds"}},
	{flag: "self-heal-backoff-cap", argocd: []string{"ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_CAP_SECONDS"}, params: []string{"controller.self.heal.backoff.cap.seconds"}},
}

// allComponents are the components of this build.
var allComponents = []string{"api", "repo", "controller"}

// laterComponents are names of the design that this build does not have.
var laterComponents = []string{"applicationset", "notifications", "dex"}

func (c *config) addFlags(flags *pflag.FlagSet) {
	c.maxManifests = quantity(10 << 20)
	c.maxStatus = application.DefaultSizeLimit
	c.repoTimeout = seconds(time.Minute)
	c.jqTimeout = seconds(application.DefaultJQTimeout)
	healing := application.DefaultSelfHealBackoff
	c.selfHealDelay, c.selfHealCap, c.selfHealCooldown = seconds(healing.Initial), seconds(healing.Cap), seconds(healing.Cooldown)
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster to run against (default: in-cluster, then KUBECONFIG, then ~/.kube/config)")
	flags.StringVar(&c.namespace, "namespace", "argocd", "namespace of the control plane, where AppProjects, settings and Applications are")
	flags.StringSliceVar(&c.applicationNamespaces, "application-namespaces", nil, "further namespaces, as globs, in which Applications are honoured")
	flags.StringVar(&c.listen, "listen", ":8080", "address of the API and the page")
	flags.StringSliceVar(&c.metricsListen, "metrics-listen", []string{":8082"}, "addresses of metrics, liveness and readiness (default of the component repo alone: :8084)")
	flags.BoolVar(&c.insecure, "insecure", false, "serve plain HTTP instead of TLS")
	flags.BoolVar(&c.disableAuth, "disable-auth", false, "let everybody who reaches the API do everything")
	flags.StringSliceVar(&c.components, "components", allComponents, "components to run in this process")
	c.redis.addFlags(flags)
	c.rendering.addFlags(flags)
	flags.StringVar(&c.dataDir, "data-dir", "", "directory of the repository mirrors; its content may be lost at any time (default: a folder in the user's cache directory)")
	flags.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&c.logFormat, "log-format", "text", "text or json")
	flags.BoolVar(&c.profile, "profile", false, "serve profiles of this process under /debug/pprof/ of the metrics addresses")
	flags.IntVar(&c.statusProcessors, "status-processors", 20, "how many Applications are reconciled at once")
	flags.IntVar(&c.replicas, "controller-replicas", 1, "how many controllers share the clusters")
	flags.IntVar(&c.shard, "controller-shard", -1, "number of this controller among them, from 0 (default: the number at the end of the host's name)")
	flags.StringVar(&c.sharding, "sharding-method", application.ShardLegacy, "how clusters are shared out: legacy, round-robin or consistent-hashing")
	flags.BoolVar(&c.persistHealth, "persist-resource-health", false, "write the health of each resource into the status of its Application")
	flags.Var(&c.maxStatus, "max-status-size", "how large the status of an Application may be, such as 512Ki; what matters least of a larger one is left out")
	flags.DurationVar(&c.gitTimeout, "git-timeout", 90*time.Second, "how long a fetch from a repository may take")
	flags.StringSliceVar(&c.ociMediaTypes, "oci-layer-media-types", oci.DefaultMediaTypes(), "media types of the layers of OCI artifacts that are read")
	flags.BoolVar(&c.gitSubmodules, "git-submodules", true, "show the files of submodules; their folders are empty otherwise")
	flags.Var(&c.maxRepository, "max-repository-size", "how large the mirror of one Git repository may be, such as 2G; 0 for no limit")
	flags.Var(&c.maxManifests, "max-combined-directory-manifests-size", "how large the manifest files of one directory source may be together, such as 10M")
	flags.StringVar(&c.repoServer, "repo-server", "argocd-repo-server:8081", "address of the component repo when it runs in other processes; several addresses of one name share the repositories")
	flags.StringVar(&c.repoListen, "repo-listen", ":8081", "address of the component repo when it runs without the controller")
	flags.BoolVar(&c.repoPlaintext, "repo-server-plaintext", false, "reach the component repo in plain text")
	flags.BoolVar(&c.repoStrictTLS, "repo-server-strict-tls", true, "accepted from Argo CD; the certificate of the component repo is always verified")
	flags.BoolVar(&c.repoDisableTLS, "repo-disable-tls", false, "serve and reach the component repo in plain text")
	flags.Var(&c.repoTimeout, "repo-server-timeout-seconds", "how long a call of the component repo may take, in seconds or as 60s")
	flags.IntVar(&c.grpcMaxSize, "grpc-max-size-mb", 100, "how many MiB a message between components may have")
	c.plugins.addFlags(flags)
	flags.BoolVar(&c.serverSideDiff, "server-side-diff-enabled", false, "compare by asking the API server for a dry run of each change, where an Application does not say otherwise")
	flags.Var(&c.jqTimeout, "ignore-normalizer-jq-execution-timeout-seconds", "how long a jq expression of ignoreDifferences may take for one object, in seconds or as 1s")
	flags.Var(&c.syncTimeout, "sync-timeout", "how long an operation may take in all, in seconds or as 30m; 0 for no limit")
	flags.DurationVar(&c.waitTimeout, "wait-timeout", 24*time.Hour, "how long a sync waits for one object or hook that says nothing about it (annotation fairlead.dev/wait-timeout)")
	flags.StringVar(&c.waveDelay, "sync-wave-delay", "", "how long a sync wave waits after the one before was written, in seconds or as 5s (default: 2s, and only after objects whose status does not say which generation it describes)")
	flags.Var(&c.selfHealDelay, "self-heal-backoff", "wait before a revision is healed a second time, in seconds or as 2s; 0 for --self-heal-timeout each time")
	flags.Var(&c.selfHealTimeout, "self-heal-timeout", "wait before each self-heal when --self-heal-backoff is 0, in seconds or as 5s")
	flags.Var(&c.selfHealCooldown, "self-heal-backoff-cooldown", "how long a self-heal has to hold before the waits begin anew, in seconds or as 330s")
	flags.Float64Var(&c.selfHealFactor, "self-heal-backoff-factor", healing.Factor, "how many times as long each further wait before a self-heal is")
	flags.Var(&c.selfHealCap, "self-heal-backoff-cap", "longest wait before a self-heal, in seconds or as 5m")
}

// fromEnvironment fills in the flags that the command line does not state, and
// the settings that have no flag.
func (c *config) fromEnvironment(cmd *cobra.Command, lookup func(string) (string, bool)) error {
	byFlag := originsByFlag()
	var errs []error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || flag.Name == "help" {
			return
		}
		name := "FAIRLEAD_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if value, ok := lookup(name); ok && value != "" {
			errs = append(errs, set(cmd, flag.Name, value, "environment variable "+name))
			return
		}
		from := byFlag[flag.Name]
		for _, name := range from.argocd {
			if value, ok := lookup(name); ok && value != "" {
				errs = append(errs, set(cmd, flag.Name, from.adapted(value), "environment variable "+name))
				return
			}
		}
	})
	for name, target := range c.redis.environment() {
		*target, _ = lookup(name)
	}
	for name, target := range map[string]*string{
		"ARGOCD_TLS_DATA_PATH":               &c.tlsDataPath,
		"ARGOCD_SSH_DATA_PATH":               &c.sshDataPath,
		"ARGOCD_GPG_DATA_PATH":               &c.gpgDataPath,
		"ARGOCD_RECONCILIATION_TIMEOUT":      &c.reconciliation,
		"ARGOCD_RECONCILIATION_JITTER":       &c.reconciliationJitter,
		"ARGOCD_HARD_RECONCILIATION_TIMEOUT": &c.hardReconciliation,
		"ARGOCD_PLUGINSOCKFILEPATH":          &c.plugins.sockets,
		"ARGOCD_GRPC_MAX_SIZE_MB":            &c.plugins.maxMessage,
		askpass.EnvSocket:                    &c.plugins.askPassSocket,
	} {
		*target, _ = lookup(name)
	}
	return errors.Join(errs...)
}

// fromParams fills in the flags that neither the command line nor the
// environment states from the data of argocd-cmd-params-cm.
func (c *config) fromParams(cmd *cobra.Command, params map[string]string) error {
	var errs []error
	if !c.worksOnApplications() && !cmd.Flags().Changed("metrics-listen") {
		// The component repo alone has another port than the others.
		const key = "reposerver.metrics.listen.address"
		errs = append(errs, set(cmd, "metrics-listen", withPort("8084")(params[key]), "key "+key+" of ConfigMap argocd-cmd-params-cm"))
	}
	for _, from := range origins {
		if cmd.Flags().Changed(from.flag) {
			continue
		}
		for _, key := range from.params {
			if value := params[key]; value != "" {
				errs = append(errs, set(cmd, from.flag, from.adapted(value), "key "+key+" of ConfigMap argocd-cmd-params-cm"))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// validate checks what the types of the flags do not.
func (c *config) validate() error {
	var errs []error
	for _, component := range c.components {
		switch {
		case slices.Contains(allComponents, component):
		case slices.Contains(laterComponents, component):
			errs = append(errs, fmt.Errorf("the component %q is not part of this build; it has %s", component, strings.Join(allComponents, ", ")))
		default:
			errs = append(errs, fmt.Errorf("there is no component %q; choose from %s", component, strings.Join(allComponents, ", ")))
		}
	}
	if len(c.components) == 0 {
		errs = append(errs, fmt.Errorf("no component is chosen; choose from %s", strings.Join(allComponents, ", ")))
	}
	if c.grpcMaxSize < 1 || c.grpcMaxSize > 2047 {
		errs = append(errs, fmt.Errorf("--grpc-max-size-mb is %d; it has to be from 1 to 2047", c.grpcMaxSize))
	}
	if c.repoTimeout <= 0 {
		errs = append(errs, errors.New("--repo-server-timeout-seconds has to be more than 0"))
	}
	if c.statusProcessors < 1 {
		errs = append(errs, fmt.Errorf("--status-processors is %d; it has to be at least 1", c.statusProcessors))
	}
	if c.maxStatus < 16<<10 || c.maxStatus > 1<<20 {
		errs = append(errs, fmt.Errorf("--max-status-size is %s; it has to be from 16Ki to 1Mi, which etcd stores", &c.maxStatus))
	}
	if c.jqTimeout <= 0 {
		errs = append(errs, errors.New("--ignore-normalizer-jq-execution-timeout-seconds has to be more than 0"))
	}
	if c.waitTimeout <= 0 {
		errs = append(errs, errors.New("--wait-timeout has to be more than 0"))
	}
	if _, err := c.delayOfWaves(); err != nil {
		errs = append(errs, err)
	}
	if c.selfHealFactor < 1 {
		errs = append(errs, fmt.Errorf("--self-heal-backoff-factor is %g; it has to be at least 1", c.selfHealFactor))
	}
	return errors.Join(append(errs, c.plugins.validate(), c.redis.validate(), c.rendering.validate())...)
}

// delayOfWaves is the delay between sync waves that was asked for; nil when none was.
func (c *config) delayOfWaves() (*time.Duration, error) {
	if c.waveDelay == "" {
		return nil, nil
	}
	var delay seconds
	if err := delay.Set(c.waveDelay); err != nil {
		return nil, fmt.Errorf("--sync-wave-delay: %w", err)
	}
	return new(time.Duration(delay)), nil
}

func (c *config) runs(component string) bool { return slices.Contains(c.components, component) }

func set(cmd *cobra.Command, flag, value, where string) error {
	if err := cmd.Flags().Set(flag, value); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

func originsByFlag() map[string]origin {
	byFlag := make(map[string]origin, len(origins))
	for _, from := range origins {
		byFlag[from.flag] = from
	}
	return byFlag
}

func (o origin) adapted(value string) string {
	if o.adapt == nil {
		return value
	}
	return o.adapt(value)
}

// withPort completes an address without a port, which is how Argo CD states
// where to listen.
func withPort(port string) func(string) string {
	return func(host string) string {
		if _, _, err := net.SplitHostPort(host); err == nil {
			return host
		}
		return net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
}

// seconds is a duration that may be written as a plain number of seconds.
type seconds time.Duration

func (s *seconds) Set(text string) error {
	if text != "" && strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no duration such as 2s, and no number of seconds", text)
	}
	*s = seconds(d)
	return nil
}

func (s *seconds) String() string { return time.Duration(*s).String() }

// Type is the word for the value in the usage text.
func (*seconds) Type() string { return "duration" }

// quantity is a number of bytes as Kubernetes writes it.
type quantity int64

func (q *quantity) Set(text string) error {
	parsed, err := resource.ParseQuantity(text)
	if err != nil || parsed.Sign() < 0 {
		return fmt.Errorf("%q is no size such as 10M or 10Mi", text)
	}
	*q = quantity(parsed.Value())
	return nil
}

func (q *quantity) String() string {
	return resource.NewQuantity(int64(*q), resource.BinarySI).String()
}

// Type is the word for the value in the usage text.
func (*quantity) Type() string { return "size" }
