package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fairlead-cd/fairlead/api/client"
	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

func newRun(lookup func(string) (string, bool)) *cobra.Command {
	cfg := &config{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run Fairlead's components in one process",
		Long: `Run starts the components of Fairlead in one process and keeps going until
it is told to stop (SIGTERM, SIGINT).

With --components they run in several processes. The component repo then
answers on a port, over TLS with certificates that the installation makes for
itself, and controllers reach it at --repo-server.

Each flag can be given as environment variable FAIRLEAD_<NAME> as well, for
example FAIRLEAD_LOG_LEVEL. A flag goes before its variable, that before the
variable of the same meaning that Argo CD's components read, and that before
the key of the ConfigMap argocd-cmd-params-cm.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cfg.fromEnvironment(cmd, lookup); err != nil {
				return err
			}
			return run(cmd, cfg)
		},
	}
	cfg.addFlags(cmd.Flags())
	return cmd
}

// process is what all components of this process share.
type process struct {
	*config
	restConfig *rest.Config
	kubernetes kubernetes.Interface
	client     *client.Client
	settings   *settings.Store
	registry   *prometheus.Registry
	ready      *readiness
	logger     *slog.Logger
	// controller is the one of this process while it leads.
	controller atomic.Pointer[application.Controller]
}

func run(cmd *cobra.Command, cfg *config) error {
	ctx := cmd.Context()
	restConfig, err := loadRESTConfig(cfg.kubeconfig)
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return fmt.Errorf("building a Kubernetes client: %w", err)
	}
	params, err := settings.ReadCommandParams(ctx, kube, cfg.namespace)
	if err != nil {
		return fmt.Errorf("reaching the Kubernetes API server at %s: %w", restConfig.Host, err)
	}
	if err := errors.Join(cfg.fromParams(cmd, params), cfg.validate()); err != nil {
		return err
	}
	logger, err := newLogger(cmd.ErrOrStderr(), cfg.logLevel, cfg.logFormat)
	if err != nil {
		return err
	}
	if cfg.dataDir == "" {
		if cfg.dataDir, err = defaultDataDir(); err != nil {
			return err
		}
	}
	typed, err := client.New(restConfig)
	if err != nil {
		return err
	}
	p := &process{
		config: cfg, restConfig: restConfig, kubernetes: kube, client: typed,
		registry: prometheus.NewRegistry(), ready: &readiness{}, logger: logger,
	}
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return p.run(ctx)
}

// run starts everything and returns when all of it has stopped: after ctx
// ended, or after the first part that failed ended the others.
func (p *process) run(ctx context.Context) error {
	if p.worksOnApplications() {
		if err := awaitCRDs(ctx, p.kubernetes.Discovery()); err != nil {
			return err
		}
	}
	defaults, err := p.defaultSettings()
	if err != nil {
		return err
	}
	p.settings = settings.New(settings.Options{
		Client: p.kubernetes, Namespace: p.namespace, Logger: p.logger, Insecure: p.insecure, Defaults: defaults,
		TLSDataPath: p.tlsDataPath, SSHDataPath: p.sshDataPath, GPGDataPath: p.gpgDataPath,
	})
	group, ctx := errgroup.WithContext(ctx)
	// The settings outlive the components: they are what these stop with.
	group.Go(func() error { return p.settings.Run(ctx) })
	group.Go(func() error { return p.serveMetrics(ctx) })
	bootstrapped := p.ready.expect("the settings")
	group.Go(func() error {
		if err := p.bootstrap(ctx); err != nil {
			return err
		}
		return p.runComponents(ctx, bootstrapped)
	})
	err = group.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if err == nil {
		p.logger.Info("stopped")
	}
	return err
}

// loadRESTConfig finds the cluster: the file that is named, else the one this
// process runs in, else KUBECONFIG, else ~/.kube/config.
func loadRESTConfig(path string) (*rest.Config, error) {
	config, err := restConfigFrom(path)
	if err != nil {
		return nil, err
	}
	// The API server's priority and fairness is the limit; a limit of our own
	// would only make a busy process slow.
	config.QPS = -1
	config.UserAgent = "fairlead/" + Version
	return config, nil
}

func restConfigFrom(path string) (*rest.Config, error) {
	if path == "" {
		config, err := rest.InClusterConfig()
		if err == nil {
			return config, nil
		}
		if !errors.Is(err, rest.ErrNotInCluster) {
			return nil, fmt.Errorf("reading the configuration of the cluster that this process runs in: %w", err)
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules() // reads KUBECONFIG
	rules.ExplicitPath = path
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("no cluster to run against: this process is in none, and neither KUBECONFIG nor ~/.kube/config names one; give --kubeconfig")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w; check --kubeconfig and KUBECONFIG", err)
	}
	return config, nil
}

func defaultDataDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for the repository mirrors: %w; give --data-dir", err)
	}
	return filepath.Join(base, "fairlead"), nil
}
