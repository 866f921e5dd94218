package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/compare"
)

// runComponents runs the chosen components until ctx ends. It calls settled
// once what it adds to the readiness is known.
func (p *process) runComponents(ctx context.Context, settled func()) error {
	group, ctx := errgroup.WithContext(ctx)
	if p.servesRepo() {
		listening := p.ready.expect("the repo component to listen")
		group.Go(func() error { return p.serveRepo(ctx, listening) })
	}
	if p.worksOnApplications() {
		if err := p.runOnApplications(ctx, group, settled); err != nil {
			return err
		}
	} else {
		settled()
	}
	return group.Wait()
}

// runOnApplications begins the components that work on Applications.
func (p *process) runOnApplications(ctx context.Context, group *errgroup.Group, settled func()) error {
	namespaces, err := application.NewNamespaces(p.namespace, p.applicationNamespaces)
	if err != nil {
		return err
	}
	watch := application.NewWatch(p.client, namespaces)
	group.Go(func() error { watch.Run(ctx); return nil })
	listed := p.ready.expect("the Applications to be listed")
	settled()
	group.Go(func() error {
		if cache.WaitForCacheSync(ctx.Done(), watch.HasSynced) {
			listed()
		}
		return nil
	})
	if p.runs("api") {
		group.Go(func() error { return p.serveAPI(ctx, watch) })
	}
	if p.runs("controller") {
		metrics, err := application.NewMetrics(p.registry, watch)
		if err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
		sharding, lease, err := p.share()
		if err != nil {
			return err
		}
		group.Go(func() error {
			return p.whileLeading(ctx, lease, func(ctx context.Context) error {
				return p.runController(ctx, watch, metrics, sharding)
			})
		})
	}
	return nil
}

// runController builds the path from source to cluster, and reconciles.
func (p *process) runController(ctx context.Context, watch *application.Watch, metrics *application.Metrics, sharding application.Sharding) error {
	service, err := p.repoService(ctx)
	if err != nil {
		return err
	}
	defer service.Close()
	checks := &application.HealthChecks{}
	clusters := application.NewClusters(application.ClustersOptions{
		Settings: p.settings, Local: p.restConfig, Health: p.assessWith(ctx, checks), Sharding: sharding, Logger: p.logger, Now: time.Now,
	})
	if err := p.registry.Register(clusters); err != nil {
		return fmt.Errorf("registering metrics of the clusters: %w", err)
	}
	defer p.registry.Unregister(clusters)
	events, err := p.recordEvents(ctx)
	if err != nil {
		return err
	}
	delay, err := p.delayOfWaves()
	if err != nil {
		return err
	}
	controller := application.New(application.Options{
		Client: p.client, Watch: watch, Settings: p.settings,
		Repo:     service,
		Clusters: clusters, Comparer: compare.New(apply.FieldManager), Health: checks,
		Namespace: p.namespace, Workers: p.statusProcessors, PersistHealth: p.persistHealth, SizeLimit: int(p.maxStatus),
		SelfHeal: application.SelfHealBackoff{
			Initial: time.Duration(p.selfHealDelay), Factor: p.selfHealFactor, Cap: time.Duration(p.selfHealCap),
			Cooldown: time.Duration(p.selfHealCooldown), Fixed: time.Duration(p.selfHealTimeout),
		},
		SyncTimeout: time.Duration(p.syncTimeout), WaitTimeout: p.waitTimeout, WaveDelay: delay,
		ServerSideDiff: p.serverSideDiff, JQTimeout: time.Duration(p.jqTimeout),
		Metrics: metrics, Events: events, Logger: p.logger, Now: time.Now,
	})
	p.controller.Store(controller)
	defer p.controller.Store(nil)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { clusters.Run(ctx); return nil })
	group.Go(func() error { return controller.Run(ctx) })
	p.logger.Info("the controller is running", "namespace", p.namespace, "applicationNamespaces", p.applicationNamespaces)
	return group.Wait()
}

// share finds out which of several controllers this one is, and the lease that those of one number compete for.
func (p *process) share() (sharding application.Sharding, lease string, err error) {
	const single = "fairlead-controller"
	if p.replicas <= 1 {
		return application.Sharding{}, single, nil
	}
	sharding = application.Sharding{Replicas: p.replicas, Shard: p.shard, Algorithm: p.sharding}
	if p.shard < 0 {
		host, err := os.Hostname()
		if err != nil {
			return sharding, "", fmt.Errorf("finding the name of this host: %w", err)
		}
		ordinal := host[strings.LastIndexByte(host, '-')+1:]
		if sharding.Shard, err = strconv.Atoi(ordinal); err != nil {
			return sharding, "", fmt.Errorf("the host's name %q does not end in the number of this controller; set --controller-shard (ARGOCD_CONTROLLER_SHARD)", host)
		}
	}
	if sharding.Shard >= sharding.Replicas {
		return sharding, "", fmt.Errorf("this is controller %d of %d, counted from 0; raise --controller-replicas or lower --controller-shard", sharding.Shard, sharding.Replicas)
	}
	if !slices.Contains(application.ShardingAlgorithms, sharding.Algorithm) {
		return sharding, "", fmt.Errorf("--sharding-method %q is none of %s", sharding.Algorithm, strings.Join(application.ShardingAlgorithms, ", "))
	}
	return sharding, fmt.Sprintf("%s-%d", single, sharding.Shard), nil
}

// assessWith gives the health of objects that an Application's objects made.
func (p *process) assessWith(ctx context.Context, checks *application.HealthChecks) func(*unstructured.Unstructured) (status, message string, ok bool) {
	return func(obj *unstructured.Unstructured) (status, message string, ok bool) {
		result, ok := checks.Of(p.settings.Get()).Assess(ctx, obj)
		return string(result.Status), result.Message, ok
	}
}

// The lease of a component: another instance takes over after leaseDuration
// without a renewal, and at once after a graceful stop.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	renewPeriod   = 3 * time.Second
)

// whileLeading runs work while this instance holds the lease of that name. It
// ends when ctx does, and with an error when the lease was lost: what this
// process believes may then be wrong, and a restart is the safe way on.
func (p *process) whileLeading(ctx context.Context, name string, work func(context.Context) error) error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("finding the name of this host: %w", err)
	}
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: p.namespace, Name: name},
		Client:     p.kubernetes.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: fmt.Sprintf("%s_%d_%d", host, os.Getpid(), time.Now().UnixNano())},
	}
	result := make(chan error, 1)
	electionCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, Name: name, LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: renewPeriod,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				// Work ends with ctx or with the lease; the lease is given
				// back only after work has ended.
				leading, cancel := context.WithCancel(leading)
				defer cancel()
				defer context.AfterFunc(ctx, cancel)()
				result <- work(leading)
				stop()
			},
			OnStoppedLeading: func() {},
			OnNewLeader: func(identity string) {
				if identity != lock.Identity() {
					p.logger.Info("another instance holds the lease; waiting for it", "lease", name, "holder", identity)
				}
			},
		},
	})
	if err != nil {
		return fmt.Errorf("preparing the lease %s: %w", name, err)
	}
	// Without the lease there is no work to wait for.
	defer context.AfterFunc(ctx, func() {
		if !elector.IsLeader() {
			stop()
		}
	})()
	elector.Run(electionCtx)
	select {
	case err := <-result:
		return err
	default:
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("the lease %s was lost to another instance or could not be renewed", name)
}

// gitEnvironment is what git may see of the environment.
func gitEnvironment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
