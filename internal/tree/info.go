package tree

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// infoOf are the facts that are shown beside an object, under the names that clients of Argo CD know.
func infoOf(o *cluster.Object) (out []v1alpha1.InfoItem) {
	f := o.Facts
	if f == nil {
		return nil
	}
	add := func(name, value string) {
		if value != "" {
			out = append(out, v1alpha1.InfoItem{Name: name, Value: value})
		}
	}
	if f.Revision != "" {
		add("Revision", "Rev:"+f.Revision)
	}
	if p := f.Pod; p != nil {
		reason := cmp.Or(p.Reason, p.Phase)
		if !o.Deleting.IsZero() {
			reason = "Terminating"
		}
		add("Status Reason", reason)
		add("Node", p.Node)
		add("Containers", fmt.Sprintf("%d/%d", p.Ready, p.Containers))
		if p.Restarts > 0 {
			add("Restart Count", strconv.Itoa(p.Restarts))
		}
	}
	return out
}

// hosts are the nodes that the pods run on, with what these and all other pods there ask for. Pods that have ended ask
// for nothing.
func hosts(live Live, pods []*cluster.Object, labels []string) []v1alpha1.HostInfo {
	mine := make(map[string]cluster.Resources)
	own := make(map[cluster.Key]bool, len(pods))
	for _, o := range pods {
		own[o.Key] = true
		if p := o.Facts.Pod; p.Node != "" {
			mine[p.Node] = plus(mine[p.Node], p)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	others := make(map[string]cluster.Resources)
	live.Select(func(o *cluster.Object) bool {
		if o.Facts == nil || o.Facts.Pod == nil || own[o.Key] {
			return false
		}
		if _, ok := mine[o.Facts.Pod.Node]; ok {
			others[o.Facts.Pod.Node] = plus(others[o.Facts.Pod.Node], o.Facts.Pod)
		}
		return false
	})
	var out []v1alpha1.HostInfo
	for name, asked := range mine {
		node, ok := live.Get(cluster.Key{Kind: "Node", Name: name})
		if !ok || node.Facts == nil || node.Facts.Node == nil {
			continue // nodes may not be listed here
		}
		capacity := node.Facts.Node.Capacity
		out = append(out, v1alpha1.HostInfo{
			Name: name, SystemInfo: node.Facts.Node.System, Labels: only(labels, cluster.ParseLabels(node.Facts.Labels)),
			ResourcesInfo: []v1alpha1.HostResourceInfo{
				{ResourceName: corev1.ResourceCPU, RequestedByApp: asked.CPU, RequestedByNeighbors: others[name].CPU, Capacity: capacity.CPU},
				{ResourceName: corev1.ResourceMemory, RequestedByApp: asked.Memory, RequestedByNeighbors: others[name].Memory, Capacity: capacity.Memory},
			},
		})
	}
	slices.SortFunc(out, func(a, b v1alpha1.HostInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func plus(sum cluster.Resources, p *cluster.PodFacts) cluster.Resources {
	if p.Phase == string(corev1.PodSucceeded) || p.Phase == string(corev1.PodFailed) {
		return sum
	}
	return cluster.Resources{CPU: sum.CPU + p.Requests.CPU, Memory: sum.Memory + p.Requests.Memory}
}

// only picks the labels with these names.
func only(names []string, labels map[string]string) map[string]string {
	var out map[string]string
	for _, name := range names {
		if value, ok := labels[name]; ok {
			if out == nil {
				out = make(map[string]string)
			}
			out[name] = value
		}
	}
	return out
}
