package v1alpha1

// ResourceDiff shows how an object and what is desired of it differ. The states are JSON text,
// empty or null where there is none.
type ResourceDiff struct {
	// Group is the API group of the object.
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// Kind is its kind.
	Kind string `json:"kind,omitempty" protobuf:"bytes,2,opt,name=kind"`
	// Namespace is its namespace, empty when it has none.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,3,opt,name=namespace"`
	// Name is its name.
	Name string `json:"name,omitempty" protobuf:"bytes,4,opt,name=name"`
	// TargetState is the desired object as it was rendered.
	TargetState string `json:"targetState,omitempty" protobuf:"bytes,5,opt,name=targetState"`
	// LiveState is the live object.
	LiveState string `json:"liveState,omitempty" protobuf:"bytes,6,opt,name=liveState"`
	// Diff is no longer written. Compare NormalizedLiveState with PredictedLiveState instead.
	Diff string `json:"diff,omitempty" protobuf:"bytes,7,opt,name=diff"`
	// Hook is true for an object that is a hook.
	Hook bool `json:"hook,omitempty" protobuf:"bytes,8,opt,name=hook"`
	// NormalizedLiveState is the live object without what does not count.
	NormalizedLiveState string `json:"normalizedLiveState,omitempty" protobuf:"bytes,9,opt,name=normalizedLiveState"`
	// PredictedLiveState is what the live object would become by a sync, without what does not
	// count.
	PredictedLiveState string `json:"predictedLiveState,omitempty" protobuf:"bytes,10,opt,name=predictedLiveState"`
	// ResourceVersion is the version of the live object.
	ResourceVersion string `json:"resourceVersion,omitempty" protobuf:"bytes,11,opt,name=resourceVersion"`
	// Modified is true when the two predicted and normalized states differ.
	Modified bool `json:"modified,omitempty" protobuf:"bytes,12,opt,name=modified"`
}
