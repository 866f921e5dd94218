package application

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/cluster/access"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tracking"
)

// entry is one cluster of the set. The lock of Clusters guards all of it.
//
//	registered ──start──▶ watched ──stop──▶ registered
//	                        │ ▲
//	                        └─┘ change: a new credential reconnects, a new scope begins anew
type entry struct {
	set          *Clusters
	server       string
	registration settings.Cluster
	// destination is set while the cluster is watched.
	destination *Destination
	cancel      context.CancelFunc
	// shard is the number of the controller that takes it.
	shard int
	// broken is why the registration cannot be used.
	broken error
	users  map[string]struct{}
	idle   time.Time // since when nobody uses it; zero when not known
	synced time.Time // when everything was first listed
	// updates decides which changes are looked at. It has a lock of its own.
	updates *updates
	live    atomic.Pointer[cluster.Cluster]
}

func newEntry(set *Clusters, server string, r settings.Cluster) *entry {
	return &entry{set: set, server: server, registration: r, users: make(map[string]struct{}), updates: &updates{
		settings: set.options.Settings, health: set.options.Health, logger: set.options.Logger.With("server", server), now: set.options.Now,
	}}
}

// restConfig is how the cluster is reached.
func (e *entry) restConfig() (*rest.Config, error) {
	config, err := access.Parse(e.registration.Config)
	if err != nil {
		return nil, err
	}
	if e.server == v1alpha1.InClusterServer && !access.HasCredentials(config) {
		return rest.CopyConfig(e.set.options.Local), nil
	}
	return access.RESTConfig(e.server, config)
}

// start watches the cluster, unless it is being watched.
func (e *entry) start() error {
	if e.destination != nil {
		return e.broken
	}
	config, err := e.restConfig()
	var live *cluster.Cluster
	if err == nil {
		live, err = cluster.New(e.options(config))
	}
	if e.broken = e.blame(err); e.broken != nil {
		return e.broken
	}
	e.live.Store(live)
	e.destination = &Destination{
		Server: e.server, Name: e.registration.Name, Project: e.registration.Project,
		Live: live, Applier: apply.New(live, apply.ConnectionStreams),
	}
	e.idle, e.synced = time.Time{}, time.Time{}
	run, cancel := context.WithCancel(e.set.ctx)
	e.cancel = cancel
	e.set.begin(func() {
		if err := live.Run(run); err != nil && run.Err() == nil {
			e.set.options.Logger.Error("live state of a cluster ended", "server", e.server, "error", err)
		}
	})
	e.set.begin(func() {
		if live.WaitSynced(run) == nil {
			e.set.mu.Lock()
			e.synced = e.set.options.Now()
			e.set.mu.Unlock()
			e.changed()
		}
	})
	return nil
}

// errRegistration is what a cluster is refused with whose Secret cannot be used.
var errRegistration = errors.New("the cluster cannot be used")

// blame says which Secret is at fault.
func (e *entry) blame(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s; correct the Secret %s: %w", errRegistration, e.server, e.registration.SecretName, err)
}

// options are how the cluster is watched.
func (e *entry) options(config *rest.Config) cluster.Options {
	current := e.set.options.Settings.Get
	return cluster.Options{
		Config: config, Server: e.server, Name: e.registration.Name,
		Tracker:     func() tracking.Tracker { return TrackerOf(current()) },
		Exclude:     func(group, kind string) bool { return current().Resources.Excludes(group, kind, e.server) },
		Permissions: func() cluster.Permissions { return cluster.Permissions(current().RespectRBAC) },
		Namespaces:  e.registration.Namespaces, ClusterResources: e.registration.ClusterResources,
		Health:       e.set.options.Health,
		OnChange:     e.objectChanged,
		OnKind:       func(schema.GroupKind) { e.changed() },
		OnConnection: func(bool) { e.changed() },
		OnStray:      e.strayed,
		Logger:       e.set.options.Logger,
	}
}

// objectChanged looks again at the application that a changed object belongs to, where the change is worth it. It is
// called without the lock.
func (e *entry) objectChanged(change cluster.Change) {
	after, worth := e.updates.look(e.live.Load(), change)
	if !worth {
		return
	}
	e.set.tell([]string{change.App}, func(w clusterWatcher, instance string) { w.changed(instance, after) })
}

// changed looks again at every application that uses the cluster. It is called without the lock.
func (e *entry) changed() {
	e.set.mu.Lock()
	users := slices.Collect(maps.Keys(e.users))
	e.set.mu.Unlock()
	e.set.tell(users, tellChanged)
}

// change takes a new registration of the same server.
func (e *entry) change(r settings.Cluster) {
	old := e.registration
	if reflect.DeepEqual(old, r) {
		return
	}
	e.registration = r
	if e.destination == nil {
		return
	}
	if !slices.Equal(old.Namespaces, r.Namespaces) || old.ClusterResources != r.ClusterResources {
		e.stop() // what is known is of other namespaces; the next use starts it again
		return
	}
	moved := *e.destination
	moved.Name, moved.Project = r.Name, r.Project
	e.destination = &moved
	if reflect.DeepEqual(old.Config, r.Config) {
		return
	}
	config, err := e.restConfig()
	if e.broken = e.blame(err); e.broken != nil {
		e.set.options.Logger.Error("the new configuration of a cluster cannot be used", "server", e.server, "secret", r.SecretName, "error", err)
		return
	}
	live := e.destination.Live
	e.set.begin(func() {
		e.set.options.Logger.Info("a cluster is reached with its new configuration", "server", e.server, "name", r.Name)
		if err := live.Reconnect(config); err != nil {
			e.set.mu.Lock()
			e.broken = e.blame(err)
			e.set.mu.Unlock()
			e.set.options.Logger.Error("the new configuration of a cluster cannot be used", "server", e.server, "secret", r.SecretName, "error", err)
		}
		e.changed()
	})
}

// stop ends the watch and forgets what is known.
func (e *entry) stop() {
	if e.destination == nil {
		return
	}
	e.cancel()
	e.destination, e.broken = nil, nil
}

// leave says that an application does not use the cluster any more.
func (e *entry) leave(instance string) {
	delete(e.users, instance)
	if e.destination != nil {
		e.destination.Live.Want(instance, nil)
	}
}
