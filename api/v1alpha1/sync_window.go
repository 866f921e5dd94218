package v1alpha1

// SyncWindows are the sync windows of a project.
type SyncWindows []*InlineSyncWindow

// InlineSyncWindow is a recurring time at which syncs are allowed or denied. It holds for the
// Applications that match one of its patterns by name, by namespace or by cluster. When no window
// matches an Application, syncs are allowed at any time; when some that allow match, only within
// one of them; one that denies wins over those that allow.
type InlineSyncWindow struct {
	// Kind is allow or deny.
	Kind string `json:"kind,omitempty" protobuf:"bytes,1,opt,name=kind"`
	// Schedule is when the window opens, in cron syntax: minute, hour, day of month, month, day of
	// week.
	Schedule string `json:"schedule,omitempty" protobuf:"bytes,2,opt,name=schedule"`
	// Duration is how long it stays open, such as 1h30m.
	Duration string `json:"duration,omitempty" protobuf:"bytes,3,opt,name=duration"`
	// Applications are patterns of names of Applications.
	Applications []string `json:"applications,omitempty" protobuf:"bytes,4,opt,name=applications"`
	// Namespaces are patterns of destination namespaces.
	Namespaces []string `json:"namespaces,omitempty" protobuf:"bytes,5,opt,name=namespaces"`
	// Clusters are patterns of names or API addresses of destination clusters.
	Clusters []string `json:"clusters,omitempty" protobuf:"bytes,6,opt,name=clusters"`
	// ManualSync lets people start syncs while the window denies, or does not allow, automated
	// ones.
	ManualSync bool `json:"manualSync,omitempty" protobuf:"bytes,7,opt,name=manualSync"`
	// TimeZone is the IANA time zone that the schedule is in. Default UTC.
	TimeZone string `json:"timeZone,omitempty" protobuf:"bytes,8,opt,name=timeZone"`
	// UseAndOperator asks for a match in each of the lists that are not empty, in place of any of
	// them.
	UseAndOperator bool `json:"andOperator,omitempty" protobuf:"bytes,9,opt,name=andOperator"`
	// Description is for people.
	Description string `json:"description,omitempty" protobuf:"bytes,10,opt,name=description"`
	// SyncOverrun lets a sync go on that was started when it was allowed, when this window closes
	// (allow) or opens (deny) meanwhile.
	SyncOverrun bool `json:"syncOverrun,omitempty" protobuf:"bytes,11,opt,name=syncOverrun"`
}

// Kinds of sync windows.
const (
	// SyncWindowAllow permits syncs while the window is open.
	SyncWindowAllow = "allow"
	// SyncWindowDeny forbids syncs while the window is open.
	SyncWindowDeny = "deny"
)
