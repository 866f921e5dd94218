package tree

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// Live is what is known of a cluster.
type Live interface {
	Get(key cluster.Key) (*cluster.Object, bool)
	Managed(app string) []*cluster.Object
	ApplicationsOf(o *cluster.Object) []string
	Descendants(owner types.UID) []*cluster.Object
	Parents(o *cluster.Object) []*cluster.Object
	Select(match func(*cluster.Object) bool) []*cluster.Object
	Orphans(namespace string, owned func(app string) bool) []*cluster.Object
}

// Health assesses a managed object; false when its kind has no health.
type Health func(*unstructured.Unstructured) (status, message string, ok bool)

// Roots are what an Application consists of by itself.
type Roots struct {
	// Instance is the instance name that its objects carry.
	Instance string
	// Resources are the objects that its status lists: those that it wants, whether they exist or not. A status may be
	// written by others than the controller; what it lists is shown as live only if it is a part of the Application.
	Resources []v1alpha1.ResourceStatus
	// NodeLabels are the labels of nodes that are shown.
	NodeLabels []string
}

// Build draws the tree of an Application: nodes ordered by kind and name, and the hosts of its pods.
func Build(live Live, roots Roots, health Health) *v1alpha1.ApplicationTree {
	out := &v1alpha1.ApplicationTree{}
	seen := make(map[types.UID]bool)
	var pods []*cluster.Object
	add := func(o *cluster.Object) bool {
		if seen[o.UID] {
			return false
		}
		seen[o.UID] = true
		out.Nodes = append(out.Nodes, nodeOf(live, o, health))
		if o.Facts != nil && o.Facts.Pod != nil {
			pods = append(pods, o)
		}
		return true
	}
	grow := func(o *cluster.Object) {
		if !add(o) {
			return
		}
		for _, child := range live.Descendants(o.UID) {
			add(child)
		}
	}
	for _, r := range roots.Resources {
		key := cluster.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
		if o, ok := live.Get(key); ok && slices.Contains(live.ApplicationsOf(o), roots.Instance) {
			grow(o)
			continue
		}
		out.Nodes = append(out.Nodes, v1alpha1.ResourceNode{
			ResourceRef: v1alpha1.ResourceRef{Group: r.Group, Version: r.Version, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name},
			Health:      &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusMissing},
		})
	}
	for _, o := range live.Managed(roots.Instance) {
		grow(o)
	}
	sortNodes(out.Nodes)
	out.Hosts = hosts(live, pods, roots.NodeLabels)
	return out
}

func nodeOf(live Live, o *cluster.Object, health Health) v1alpha1.ResourceNode {
	n := v1alpha1.ResourceNode{ResourceRef: refTo(o), ResourceVersion: o.ResourceVersion, Info: infoOf(o)}
	if !o.Created.IsZero() {
		n.CreatedAt = &metav1.Time{Time: o.Created}
	}
	for _, p := range live.Parents(o) {
		n.ParentRefs = append(n.ParentRefs, refTo(p))
	}
	describe(&n, o)
	body := o.Live()
	if body == nil {
		return n
	}
	if network := cluster.Network(body); network != nil {
		if n.NetworkingInfo != nil {
			network.Labels = n.NetworkingInfo.Labels
		}
		n.NetworkingInfo = network
	}
	if status, message, ok := health(body); ok {
		n.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusCode(status), Message: message}
	}
	return n
}

// describe fills in what is known of an object without its body.
func describe(n *v1alpha1.ResourceNode, o *cluster.Object) {
	f := o.Facts
	if f == nil {
		return
	}
	n.NetworkingInfo = f.Network
	if f.Health != "" {
		n.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusCode(f.Health), Message: f.Message}
	}
	if f.Pod == nil {
		return
	}
	n.Images = slices.Clone(f.Pod.Images)
	if labels := cluster.ParseLabels(f.Labels); labels != nil {
		n.NetworkingInfo = &v1alpha1.ResourceNetworkingInfo{Labels: labels}
	}
}

func refTo(o *cluster.Object) v1alpha1.ResourceRef {
	return v1alpha1.ResourceRef{
		Group: o.Group, Version: o.Version, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, UID: string(o.UID),
	}
}

func sortNodes(nodes []v1alpha1.ResourceNode) {
	slices.SortFunc(nodes, func(a, b v1alpha1.ResourceNode) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}
