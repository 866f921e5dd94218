package cluster

import (
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Key names an object in a cluster, whatever version it is read in.
type Key struct {
	Group, Kind, Namespace, Name string
}

// KeyOf returns the key of an object.
func KeyOf(obj *unstructured.Unstructured) Key {
	gvk := obj.GroupVersionKind()
	return Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// GroupKind returns the key's kind with its group.
func (k Key) GroupKind() schema.GroupKind {
	return schema.GroupKind{Group: k.Group, Kind: k.Kind}
}

// String returns the key as people read it: "Deployment.apps namespace-a/web".
func (k Key) String() string {
	if k.Namespace == "" {
		return k.GroupKind().String() + " " + k.Name
	}
	return k.GroupKind().String() + " " + k.Namespace + "/" + k.Name
}

// Owner is an entry of an object's metadata.ownerReferences.
type Owner struct {
	APIVersion, Kind, Name string
	UID                    types.UID
	Controller             bool
}

// Object is what is known of one live object at one moment. Objects are shared and never change: a newer state of the
// same object is another Object. Their fields must not be modified.
type Object struct {
	Key
	// Version is the API version in which the object is watched, such as v1.
	Version         string
	UID             types.UID
	ResourceVersion string
	Generation      int64
	Created         time.Time
	// Deleting is the object's deletionTimestamp, the zero time when it is not being deleted.
	Deleting time.Time
	Owners   []Owner
	// App is the instance name of the application that the object is tracked as part of, empty when unmanaged.
	App string
	// Facts are the details kept of an object whose body is not; nil when there are none to keep.
	Facts *Facts

	body   []byte    // as the API server sent it, nil when only the reference is kept
	claims []string  // StatefulSet: names of its volume claim templates
	crd    *crdFacts // CustomResourceDefinition, APIService
	// observed is when the object came from Observe, zero once the watch has caught up. Guarded by the lock of the state.
	observed time.Time
}

// Whole reports whether the object's body is kept, so that Live returns it. It is for managed and wanted objects.
func (o *Object) Whole() bool { return o.body != nil }

// GroupVersionKind returns the kind in the version in which the object is watched.
func (o *Object) GroupVersionKind() schema.GroupVersionKind {
	return o.GroupKind().WithVersion(o.Version)
}

// Live returns the object's body, or nil when it is not kept (see Whole). Each call decodes the compact form anew, at
// a cost of some ten microseconds per kilobyte, so the result belongs to the caller.
func (o *Object) Live() *unstructured.Unstructured {
	if o.body == nil {
		return nil
	}
	u, err := decodeBody(o.body)
	if err != nil {
		// The body was read from end to end when it arrived.
		panic(fmt.Sprintf("cluster: the kept body of %s is damaged: %v", o.Key, err))
	}
	u.SetGroupVersionKind(o.GroupVersionKind())
	return u
}

// Body returns the object's JSON as the API server sent it, nil when it is not kept. It must not be modified. Items of
// lists lack apiVersion and kind.
func (o *Object) Body() json.RawMessage { return o.body }

// Facts are details of objects that are parts of an application without being managed (pods, replica sets and what
// other controllers make), and of nodes.
type Facts struct {
	// Health and Message are what Options.Health said of the object; empty when it said nothing.
	Health, Message string
	// Revision is the annotation deployment.kubernetes.io/revision of a ReplicaSet.
	Revision string
	// Pod is set for pods, Node for nodes.
	Pod  *PodFacts
	Node *NodeFacts
	// Labels are the labels of a pod or a node, as a JSON object; equal ones share their memory. See ParseLabels.
	Labels string
	// Network is the place in the network of an Ingress or a Service that another object owns.
	Network *v1alpha1.ResourceNetworkingInfo
}

// NodeFacts are the details kept of a node of the cluster.
type NodeFacts struct {
	// Capacity is what the node has.
	Capacity Resources
	System   corev1.NodeSystemInfo
}

// Resources are amounts of resources, in thousandths.
type Resources struct{ CPU, Memory int64 }

// PodFacts are the details kept of a pod.
type PodFacts struct {
	// Phase is status.phase, Reason the most telling reason among the pod's and its containers' (ImagePullBackOff,
	// CrashLoopBackOff, Evicted ...), empty when nothing is wrong.
	Phase, Reason string
	Node          string
	Images        []string
	// Ready, Containers and Restarts count over the pod's containers, init containers left out.
	Ready, Containers, Restarts int
	// Requests are what the containers ask for.
	Requests Resources
	// Trouble says more of a pod that is not ready or has a Reason; nil for one that is as it should be.
	Trouble *Trouble
}

// Trouble is what keeps a pod from being ready.
type Trouble struct {
	// Container is the container that Reason is about, Image its image; empty when it is about the whole pod.
	Container, Image string
	// Message is what the kubelet or the scheduler says, cut to a few hundred bytes.
	Message string
	// ExitCode is that of the container's last end.
	ExitCode int
	// Since is when the pod stopped being ready, or was found not to be.
	Since time.Time
}

// ParseLabels returns the labels of Facts.Labels; nil when there are none.
func ParseLabels(text string) map[string]string {
	if text == "" {
		return nil
	}
	var out map[string]string
	if json.Unmarshal([]byte(text), &out) != nil {
		return nil
	}
	return out
}

// Change says that the live state of an application changed.
type Change struct {
	// App is the instance name of the application.
	App string
	// Key is the object that was added, changed or removed.
	Key Key
	// Root is the managed or wanted object of the application that Key belongs to: Key itself, or one of its owners.
	Root Key
}
