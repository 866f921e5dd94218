package application

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"

	"github.com/fairlead-cd/fairlead/api/client"
	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tracking"
)

// Options are what a Controller works with. All fields are required, except
// where their comment says otherwise.
type Options struct {
	Client   *client.Client
	Watch    *Watch
	Settings *settings.Store
	// Repo renders the sources of Applications.
	Repo     repo.Service
	Clusters *Clusters
	Comparer *compare.Comparer
	// Health are the health checks; Clusters judge by the same.
	Health *HealthChecks
	// Namespace is the control plane's own.
	Namespace string
	// Workers is how many Applications are reconciled at once.
	Workers int
	// PersistHealth writes the health of each resource into the status of its
	// Application.
	PersistHealth bool
	// SelfHeal is the back-off between self-heals of one revision.
	SelfHeal SelfHealBackoff
	// SyncTimeout is how long an operation may take in all; no limit when zero.
	SyncTimeout time.Duration
	// WaitTimeout is how long a sync waits for an object to become healthy or a
	// hook to end, where these do not say; a day when zero.
	WaitTimeout time.Duration
	// WaveDelay is how long a wave waits after the one before was written; nil
	// for two seconds, and that only where the health of what was written may
	// still be that of before.
	WaveDelay *time.Duration
	// SizeLimit is how large the part of an Application may be that the
	// controller writes, in bytes; DefaultSizeLimit when zero.
	SizeLimit int
	// ServerSideDiff compares by asking the API server, where an Application does
	// not say otherwise.
	ServerSideDiff bool
	// JQTimeout is how long a jq expression of a rule may take for one object;
	// DefaultJQTimeout when zero.
	JQTimeout time.Duration
	Metrics   *Metrics
	// Events is told what users should know of an Application.
	Events record.EventRecorder
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Controller reconciles Applications. Create it with [New].
type Controller struct {
	Options
	repositories *repositories
	projects     projects
	schemas      schemas
	rules        operatorRules
	catalogs     catalogs
	// intervalChanged wakes refreshHard.
	intervalChanged chan struct{}
	waits           waits
	queue           workqueue.TypedRateLimitingInterface[types.NamespacedName]

	mu     sync.Mutex
	memory map[types.NamespacedName]*memory
	// interrupts end the reconciles that are under way.
	interrupts map[types.NamespacedName]context.CancelCauseFunc
}

// errInterrupted ends a reconcile because the operation that it carries out was
// broken off. What it did is recorded.
var errInterrupted = errors.New("the operation was broken off")

// New returns a Controller that does nothing until [Controller.Run].
func New(opts Options) *Controller {
	c := &Controller{
		Options:    opts,
		memory:     make(map[types.NamespacedName]*memory),
		interrupts: make(map[types.NamespacedName]context.CancelCauseFunc),

		intervalChanged: make(chan struct{}, 1),
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](firstRetry, lastRetry)),
	}
	c.repositories = newRepositories(opts.Repo.Poll, c.pollInterval, c.queue.Add, opts.Logger)
	return c
}

// An Application whose reconcile failed for a reason outside of it is tried
// again after these times.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 3 * time.Minute
)

// Run reconciles until ctx ends, and returns when every worker has stopped.
// The caller runs Watch, Settings and Clusters, and holds the lease that keeps
// a second controller from running.
func (c *Controller) Run(ctx context.Context) error {
	if !cache.WaitForCacheSync(ctx.Done(), c.Watch.HasSynced) {
		return nil
	}
	var workers sync.WaitGroup
	defer workers.Wait()
	defer c.queue.ShutDown()
	workers.Go(func() { c.repositories.run(ctx) })
	workers.Go(func() { c.refreshHard(ctx) })

	stopApplications, err := c.Watch.OnApplication(c.onApplication)
	if err != nil {
		return err
	}
	defer stopApplications()
	stopProjects, err := c.Watch.OnProject(c.onProject)
	if err != nil {
		return err
	}
	defer stopProjects()
	defer c.Settings.Subscribe(c.onSettings)()
	defer c.Clusters.subscribe(clusterWatcher{changed: c.onLive, strayed: c.onStray})()

	for range c.Workers {
		workers.Go(func() {
			for c.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	return nil
}

// next reconciles one Application of the queue; false means that it was shut
// down.
func (c *Controller) next(ctx context.Context) bool {
	key, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(key)
	if ctx.Err() != nil {
		return true
	}
	started := c.Now()
	again, err := c.interruptibly(ctx, key)
	c.Metrics.reconciled(key, c.Now().Sub(started))
	switch {
	case err != nil && ctx.Err() == nil:
		c.Logger.Error("reconcile failed; it is tried again", "application", key.String(), "error", err)
		c.queue.AddRateLimited(key)
		return true
	case again > 0:
		c.queue.AddAfter(key, again)
	}
	c.queue.Forget(key)
	return true
}

// interruptibly reconciles an Application in a way that interrupt can end.
func (c *Controller) interruptibly(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.mu.Lock()
	c.interrupts[key] = cancel
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.interrupts, key)
		c.mu.Unlock()
	}()
	return c.reconcile(ctx, key)
}

// interrupt ends the reconcile of an Application that is under way.
func (c *Controller) interrupt(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel, ok := c.interrupts[key]; ok {
		cancel(errInterrupted)
	}
}

// onApplication is told every change of an Application.
func (c *Controller) onApplication(old, app *v1alpha1.Application) {
	present := app
	if app == nil {
		present = old
	}
	for _, waiter := range c.waits.waiting(keyOf(present)) {
		c.queue.Add(waiter)
	}
	if app != nil && terminating(app) && (old == nil || !terminating(old)) {
		c.interrupt(keyOf(app))
	}
	switch {
	case app == nil:
		c.queue.Add(keyOf(old))
	case old == nil || needsReconcile(old, app):
		c.queue.Add(keyOf(app))
	}
}

// onProject looks again at the Applications of a project that changed. A
// project may be a global one, whose rules others inherit; telling that apart
// is not worth missing a rule.
func (c *Controller) onProject(old, project *v1alpha1.AppProject) {
	if old != nil && project != nil && equality.Semantic.DeepEqual(old.Spec, project.Spec) &&
		maps.Equal(old.Labels, project.Labels) && maps.Equal(old.Annotations, project.Annotations) {
		return
	}
	c.enqueueAll()
}

// onSettings looks again at everything: a setting may concern any Application.
func (c *Controller) onSettings(*settings.Settings) {
	c.repositories.intervalChanged()
	select {
	case c.intervalChanged <- struct{}{}:
	default:
	}
	c.enqueueAll()
}

// onLive looks again at the Application that a changed object belongs to, after
// a time.
func (c *Controller) onLive(instance string, after time.Duration) {
	namespace, name := tracking.ParseInstanceName(strings.TrimPrefix(instance, dependenciesPrefix), c.Namespace)
	key := types.NamespacedName{Namespace: namespace, Name: name}
	if _, ok := c.Watch.Get(key); ok {
		c.queue.AddAfter(key, after)
	}
}

// strayDelay is how long objects that belong to nobody are gathered before somebody looks at them.
const strayDelay = time.Second

// onStray looks again, in a moment, at the Application whose namespace has an object more or less that belongs to nobody.
func (c *Controller) onStray(instance string) {
	namespace, name := tracking.ParseInstanceName(instance, c.Namespace)
	c.queue.AddAfter(types.NamespacedName{Namespace: namespace, Name: name}, strayDelay)
}

func (c *Controller) enqueueAll() {
	for _, app := range c.Watch.List() {
		c.queue.Add(keyOf(app))
	}
}

func (c *Controller) pollInterval() (interval, jitter time.Duration) {
	s := c.Settings.Get()
	return s.Reconciliation, s.ReconciliationJitter
}

// refreshHard renders every Application anew at the hard interval of the
// settings, for sources whose result may change without a commit.
func (c *Controller) refreshHard(ctx context.Context) {
	for {
		var due <-chan time.Time // never, without an interval
		if interval := c.Settings.Get().HardReconciliation; interval > 0 {
			due = time.After(interval)
		}
		select {
		case <-ctx.Done():
			return
		case <-c.intervalChanged:
		case <-due:
			for _, app := range c.Watch.List() {
				key := keyOf(app)
				c.memoryOf(key).hard.Store(true)
				c.queue.Add(key)
			}
		}
	}
}

// memoryOf returns what is remembered of an Application between reconciles.
// Only the one worker that reconciles it touches the content.
func (c *Controller) memoryOf(key types.NamespacedName) *memory {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.memory[key]
	if !ok {
		m = &memory{}
		c.memory[key] = m
	}
	return m
}

func (c *Controller) forget(key types.NamespacedName) {
	c.mu.Lock()
	delete(c.memory, key)
	c.mu.Unlock()
	c.repositories.forget(key)
	c.Clusters.forget(tracking.InstanceName(key.Namespace, key.Name, c.Namespace))
	c.Metrics.forget(key)
	c.waits.stop(key)
}

func keyOf(app *v1alpha1.Application) types.NamespacedName {
	return types.NamespacedName{Namespace: app.Namespace, Name: app.Name}
}
