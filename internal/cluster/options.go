package cluster

import (
	"log/slog"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/internal/tracking"
)

// Options say which cluster to watch, and how.
type Options struct {
	// Config reaches the API server. Its QPS limit and its timeout are not used: the server limits by priority and
	// fairness, and watches last.
	Config *rest.Config
	// Server and Name are the cluster's URL and name as Applications have them in their destination; for logs.
	Server, Name string
	// Tracker returns the present way of tracking. It is asked whenever a watch begins; call Retrack when it changes.
	// Nil stands for the zero Tracker.
	Tracker func() tracking.Tracker
	// Exclude tells kinds that are not to be watched, beside those of AlwaysExcluded; nil excludes none.
	// CustomResourceDefinitions and APIServices are watched in any case. Call Retrack when it changes.
	Exclude func(group, kind string) bool
	// Namespaces restricts the watch to some namespaces; empty means all. Cluster-scoped objects then count only with
	// ClusterResources.
	Namespaces       []string
	ClusterResources bool
	// Permissions say what a kind means that may not be listed; nil stands for PermissionsExpected. Call Retrack when
	// they change.
	Permissions func() Permissions
	// Health assesses objects that have owners and whose body is not kept, when they arrive; nil for none. It may not
	// keep or change the object, and must be quick.
	Health func(*unstructured.Unstructured) (status, message string, ok bool)
	// OnChange is told about changes of applications' live state, once everything was listed. It is called by the
	// goroutines that watch, several at once, and by callers of Observe and its like, never under a lock of Cluster; it
	// must not block: it may read what is in memory, but not call Resource, Fetch or Retrack. A nil OnChange is not called.
	OnChange func(Change)
	// OnStray is told, under the same conditions, about namespaces in which an object that neither an application nor
	// another object owns appeared, went, or found an owner; nil is not called.
	OnStray func(namespace string)
	// OnKind is told about kinds whose Ready changed, under the same conditions as OnChange: what was compared without
	// one is to be compared again. OnConnection is told when the API server is found away, and when it is back.
	OnKind       func(schema.GroupKind)
	OnConnection func(connected bool)
	// Logger is where the cluster reports; nil means slog.Default.
	Logger *slog.Logger
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Tracker == nil {
		o.Tracker = func() tracking.Tracker { return tracking.Tracker{} }
	}
	if o.Exclude == nil {
		o.Exclude = func(string, string) bool { return false }
	}
	if o.Permissions == nil {
		o.Permissions = func() Permissions { return PermissionsExpected }
	}
	if o.OnKind == nil {
		o.OnKind = func(schema.GroupKind) {}
	}
	if o.OnConnection == nil {
		o.OnConnection = func(bool) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Logger = o.Logger.With("cluster", o.Name, "server", o.Server)
	return o
}
