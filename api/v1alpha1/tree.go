package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationTree is everything that an Application manages and that has come of it, as a graph of
// objects.
type ApplicationTree struct {
	// Nodes are the managed objects and their descendants, such as the pods of a Deployment.
	Nodes []ResourceNode `json:"nodes,omitempty" protobuf:"bytes,1,rep,name=nodes"`
	// OrphanedNodes are objects in the destination namespace that no Application manages. They are
	// only looked for when the project asks for it.
	OrphanedNodes []ResourceNode `json:"orphanedNodes,omitempty" protobuf:"bytes,2,rep,name=orphanedNodes"`
	// Hosts are the cluster nodes that pods of the Application run on.
	Hosts []HostInfo `json:"hosts,omitempty" protobuf:"bytes,3,rep,name=hosts"`
	// ShardsCount is the number of pieces that the tree is cut into where it is cached.
	ShardsCount int64 `json:"shardsCount,omitempty" protobuf:"bytes,4,opt,name=shardsCount"`
}

// ApplicationSetTree is everything that an ApplicationSet manages.
type ApplicationSetTree struct {
	// Nodes are the generated Applications.
	Nodes []ResourceNode `json:"nodes,omitempty" protobuf:"bytes,1,rep,name=nodes"`
}

// ResourceRef names one object.
type ResourceRef struct {
	// Group is the API group.
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// Version is the API version.
	Version string `json:"version,omitempty" protobuf:"bytes,2,opt,name=version"`
	// Kind is the kind.
	Kind string `json:"kind,omitempty" protobuf:"bytes,3,opt,name=kind"`
	// Namespace is the namespace, empty for an object without one.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,4,opt,name=namespace"`
	// Name is the name.
	Name string `json:"name,omitempty" protobuf:"bytes,5,opt,name=name"`
	// UID is the identity that the API server gave to the object.
	UID string `json:"uid,omitempty" protobuf:"bytes,6,opt,name=uid"`
}

// ResourceNode is one object of a tree.
type ResourceNode struct {
	// ResourceRef names the object.
	ResourceRef `json:",inline" protobuf:"bytes,1,opt,name=resourceRef"`
	// ParentRefs are the objects that it came of. Empty for a managed object.
	ParentRefs []ResourceRef `json:"parentRefs,omitempty" protobuf:"bytes,2,opt,name=parentRefs"`
	// Info are facts to show beside it, such as how many containers of a pod are ready.
	Info []InfoItem `json:"info,omitempty" protobuf:"bytes,3,opt,name=info"`
	// NetworkingInfo is what is known about its place in the network.
	NetworkingInfo *ResourceNetworkingInfo `json:"networkingInfo,omitempty" protobuf:"bytes,4,opt,name=networkingInfo"`
	// ResourceVersion is its version when it was last seen.
	ResourceVersion string `json:"resourceVersion,omitempty" protobuf:"bytes,5,opt,name=resourceVersion"`
	// Images are the container images that it names.
	Images []string `json:"images,omitempty" protobuf:"bytes,6,opt,name=images"`
	// Health is its health. Absent when its kind has none.
	Health *HealthStatus `json:"health,omitempty" protobuf:"bytes,7,opt,name=health"`
	// CreatedAt is when it was created.
	CreatedAt *metav1.Time `json:"createdAt,omitempty" protobuf:"bytes,8,opt,name=createdAt"`
}

// InfoItem is one named fact shown beside an object.
type InfoItem struct {
	// Name is the label of the fact.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
	// Value is its text.
	Value string `json:"value,omitempty" protobuf:"bytes,2,opt,name=value"`
}

// ResourceNetworkingInfo is what is known about an object's place in the network. It draws the
// lines from ingresses over services to pods.
type ResourceNetworkingInfo struct {
	// TargetLabels are the labels of pods that the object sends traffic to.
	TargetLabels map[string]string `json:"targetLabels,omitempty" protobuf:"bytes,1,opt,name=targetLabels"`
	// TargetRefs are the objects that it sends traffic to.
	TargetRefs []ResourceRef `json:"targetRefs,omitempty" protobuf:"bytes,2,opt,name=targetRefs"`
	// Labels are the labels of the object, by which others send traffic to it.
	Labels map[string]string `json:"labels,omitempty" protobuf:"bytes,3,opt,name=labels"`
	// Ingress are the addresses of load balancers that lead to it.
	Ingress []corev1.LoadBalancerIngress `json:"ingress,omitempty" protobuf:"bytes,4,opt,name=ingress"`
	// ExternalURLs are the addresses under which it can be reached from outside.
	ExternalURLs []string `json:"externalURLs,omitempty" protobuf:"bytes,5,opt,name=externalURLs"`
}

// HostInfo is a cluster node that pods of an Application run on.
type HostInfo struct {
	// Name is the name of the node.
	Name string `json:"name,omitempty" protobuf:"bytes,1,name=name"`
	// ResourcesInfo is the use of each of its resources.
	ResourcesInfo []HostResourceInfo `json:"resourcesInfo,omitempty" protobuf:"bytes,2,name=resourcesInfo"`
	// SystemInfo is what the node tells about its machine and its software.
	SystemInfo corev1.NodeSystemInfo `json:"systemInfo,omitempty" protobuf:"bytes,3,opt,name=systemInfo"`
	// Labels are the labels of the node that the installation wants shown.
	Labels map[string]string `json:"labels,omitempty" protobuf:"bytes,4,opt,name=labels"`
}

// HostResourceInfo is the use of one resource of a node. Quantities are in thousandths of its unit,
// such as thousandths of a processor or of a byte.
type HostResourceInfo struct {
	// ResourceName is the name of the resource, such as cpu or memory.
	ResourceName corev1.ResourceName `json:"resourceName,omitempty" protobuf:"bytes,1,name=resourceName"`
	// RequestedByApp is how much pods of the Application ask for.
	RequestedByApp int64 `json:"requestedByApp,omitempty" protobuf:"bytes,2,name=requestedByApp"`
	// RequestedByNeighbors is how much all other pods on the node ask for.
	RequestedByNeighbors int64 `json:"requestedByNeighbors,omitempty" protobuf:"bytes,3,name=requestedByNeighbors"`
	// Capacity is how much there is.
	Capacity int64 `json:"capacity,omitempty" protobuf:"bytes,4,name=capacity"`
}

// FindNode returns the node of an object, managed or orphaned, or nil.
func (t *ApplicationTree) FindNode(group, kind, namespace, name string) *ResourceNode {
	for _, nodes := range [][]ResourceNode{t.Nodes, t.OrphanedNodes} {
		for i := range nodes {
			n := &nodes[i]
			if n.Name == name && n.Kind == kind && n.Group == group && n.Namespace == namespace {
				return n
			}
		}
	}
	return nil
}
