package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/auth"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// Applications is where the server reads Applications. What it returns is shared and never changed.
type Applications interface {
	// HasSynced says whether everything that existed at the start is there.
	HasSynced() bool
	// List returns all Applications in no particular order.
	List() []*v1alpha1.Application
	// Get returns one Application, or false when there is none.
	Get(key types.NamespacedName) (*v1alpha1.Application, bool)
	// OfRepository returns the Applications with a source in a repository, see settings.RepositoryKey.
	OfRepository(key string) []*v1alpha1.Application
	// OnApplication calls handle for every Application that is there or appears (old is nil), changes, or goes (app is
	// nil), until stop is called.
	OnApplication(handle func(old, app *v1alpha1.Application)) (stop func(), err error)
}

// ApplicationClient reads and changes the Applications of one namespace in the cluster.
type ApplicationClient interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*v1alpha1.Application, error)
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (*v1alpha1.Application, error)
}

// Version is what /api/version answers.
type Version struct {
	Version      string `json:"Version,omitempty"`
	BuildDate    string `json:"BuildDate,omitempty"`
	GitCommit    string `json:"GitCommit,omitempty"`
	GitTag       string `json:"GitTag,omitempty"`
	GitTreeState string `json:"GitTreeState,omitempty"`
	GoVersion    string `json:"GoVersion,omitempty"`
	Compiler     string `json:"Compiler,omitempty"`
	Platform     string `json:"Platform,omitempty"`
}

// Options is what a server needs.
type Options struct {
	// Applications and Client are the data access; Client gives the client for a namespace.
	Applications Applications
	Client       func(namespace string) ApplicationClient
	// Project gives the rules of the project of an Application; nil when there are none.
	Project func(app *v1alpha1.Application) (*tenancy.Project, error)
	// Live gives what is live in the clusters; nil, or nil from it, while this process does not know.
	Live func() Live
	// Events reads the Events about an Application, the latest last; nil when this process cannot.
	Events func(ctx context.Context, app *v1alpha1.Application) (*corev1.EventList, error)
	// Pushed has Applications compared again with a repository that somebody pushed to, and returns those that it cannot
	// do that for; nil when this process can do it for none.
	Pushed func(ctx context.Context, key string, apps []*v1alpha1.Application) []*v1alpha1.Application
	// Namespace is the control plane's, where Applications lie that are named without a namespace.
	Namespace string
	// Settings gives the current settings.
	Settings func() *settings.Settings
	// Sessions knows who calls; Policy decides what they may do.
	Sessions *auth.Sessions
	Policy   auth.Policy
	// DisableAuth lets everybody do everything.
	DisableAuth bool
	// Insecure serves plain HTTP.
	Insecure bool
	// Ready gives nil when the process can do its work; nil for always.
	Ready func() error
	// Version is what the server says about itself.
	Version Version
	Logger  *slog.Logger
	// Now gives the time; nil for the real one.
	Now func() time.Time
	// StreamCheck is how often an open stream asks whether its session still counts, and shows that it is alive;
	// 0 for the usual time.
	StreamCheck time.Duration
	// RefreshWait is how long a request with refresh waits for the new comparison; 0 for the usual time.
	RefreshWait time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	if o.StreamCheck == 0 {
		o.StreamCheck = 10 * time.Second
	}
	if o.RefreshWait == 0 {
		o.RefreshWait = 30 * time.Second
	}
	return o
}

// certificate gives the certificate of the moment, so that a new one takes effect without a restart.
func (o Options) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := o.Settings().Certificate; c != nil {
		return c, nil
	}
	return nil, errNoCertificate
}
