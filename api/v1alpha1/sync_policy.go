package v1alpha1

import (
	"slices"
	"strings"
	"time"
)

// SyncPolicy says when and how an Application is synchronized.
type SyncPolicy struct {
	// Automated lets the controller start syncs by itself. Absent means that it never does.
	Automated *SyncPolicyAutomated `json:"automated,omitempty" protobuf:"bytes,1,opt,name=automated"`
	// SyncOptions change how objects are applied, each as Name=value, such as CreateNamespace=true.
	SyncOptions SyncOptions `json:"syncOptions,omitempty" protobuf:"bytes,2,opt,name=syncOptions"`
	// Retry says whether and when a failed sync is tried again. It holds for automated syncs and is
	// the default of those started by hand.
	Retry *RetryStrategy `json:"retry,omitempty" protobuf:"bytes,3,opt,name=retry"`
	// ManagedNamespaceMetadata is put onto the destination namespace when the sync option
	// CreateNamespace is true.
	ManagedNamespaceMetadata *ManagedNamespaceMetadata `json:"managedNamespaceMetadata,omitempty" protobuf:"bytes,4,opt,name=managedNamespaceMetadata"`
}

// SyncOptions are settings in the form Name=value.
type SyncOptions []string

// ManagedNamespaceMetadata is metadata for a namespace that Fairlead creates and keeps.
type ManagedNamespaceMetadata struct {
	// Labels are set on the namespace.
	Labels map[string]string `json:"labels,omitempty" protobuf:"bytes,1,opt,name=labels"`
	// Annotations are set on the namespace.
	Annotations map[string]string `json:"annotations,omitempty" protobuf:"bytes,2,opt,name=annotations"`
}

// SyncPolicyAutomated says which syncs the controller starts by itself. It always starts one when a
// new revision differs from the live state.
type SyncPolicyAutomated struct {
	// Prune also deletes objects that are no longer desired. Default false.
	Prune *bool `json:"prune,omitempty" protobuf:"bytes,1,opt,name=prune"`
	// SelfHeal also starts a sync when live objects change while the revision stays the same.
	// Default false.
	SelfHeal *bool `json:"selfHeal,omitempty" protobuf:"bytes,2,opt,name=selfHeal"`
	// AllowEmpty permits a sync that would delete everything because nothing is desired any more.
	// Default false.
	AllowEmpty *bool `json:"allowEmpty,omitempty" protobuf:"bytes,3,opt,name=allowEmpty"`
	// Enabled switches automated syncs off without losing the other settings. Default true.
	Enabled *bool `json:"enabled,omitempty" protobuf:"bytes,4,opt,name=enabled"`
}

// RetryStrategy says whether and when a failed sync is tried again.
type RetryStrategy struct {
	// Limit is how many times it is tried again: 0 is never, a negative number is without limit.
	Limit int64 `json:"limit,omitempty" protobuf:"bytes,1,opt,name=limit"`
	// Backoff is the pause before each new attempt.
	Backoff *Backoff `json:"backoff,omitempty" protobuf:"bytes,2,opt,name=backoff,casttype=Backoff"`
	// Refresh takes the newest revision for a new attempt when there is one, in place of the
	// revision that failed. Default false.
	Refresh bool `json:"refresh,omitempty" protobuf:"bytes,3,opt,name=refresh"`
}

// Backoff is a pause that grows with every attempt.
type Backoff struct {
	// Duration is the first pause, as a number of seconds or as a duration such as 2m. Default 5s.
	Duration string `json:"duration,omitempty" protobuf:"bytes,1,opt,name=duration"`
	// Factor is what the pause is multiplied with after every attempt. Default 2.
	Factor *int64 `json:"factor,omitempty" protobuf:"bytes,2,name=factor"`
	// MaxDuration is where the pause stops growing, in the form of Duration. Default 3m.
	MaxDuration string `json:"maxDuration,omitempty" protobuf:"bytes,3,opt,name=maxDuration"`
}

// What is in force when a retry leaves its backoff open.
const (
	// DefaultSyncRetryDuration is the first pause.
	DefaultSyncRetryDuration = 5 * time.Second
	// DefaultSyncRetryMaxDuration is where the pause stops growing.
	DefaultSyncRetryMaxDuration = 3 * time.Minute
	// DefaultSyncRetryFactor is what the pause is multiplied with after every attempt.
	DefaultSyncRetryFactor int64 = 2
)

// Get returns the value of the option of this name, and whether it is set. The first entry wins when
// an option is given twice.
func (o SyncOptions) Get(name string) (value string, ok bool) {
	for _, option := range o {
		if key, value, found := strings.Cut(option, "="); found && key == name {
			return value, true
		}
	}
	return "", false
}

// Has reports whether the list holds exactly this entry, such as "Replace=true".
func (o SyncOptions) Has(option string) bool {
	return slices.Contains(o, option)
}

// IsAutomated reports whether the controller may start syncs by itself.
func (p *SyncPolicy) IsAutomated() bool {
	return p != nil && p.Automated != nil && (p.Automated.Enabled == nil || *p.Automated.Enabled)
}

// Prunes reports whether automated syncs delete what is no longer desired.
func (a *SyncPolicyAutomated) Prunes() bool {
	return a != nil && a.Prune != nil && *a.Prune
}

// SelfHeals reports whether changes of live objects start a sync.
func (a *SyncPolicyAutomated) SelfHeals() bool {
	return a != nil && a.SelfHeal != nil && *a.SelfHeal
}

// AllowsEmpty reports whether an automated sync may delete everything.
func (a *SyncPolicyAutomated) AllowsEmpty() bool {
	return a != nil && a.AllowEmpty != nil && *a.AllowEmpty
}
