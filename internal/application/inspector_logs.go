package application

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
)

// PodsOf says of which pods of an Application logs are wanted: those that match or came of an object that matches. Empty
// fields match all.
type PodsOf struct {
	Group, Kind, Namespace, Name string
}

func (p PodsOf) matches(n *v1alpha1.ResourceNode) bool {
	return (p.Name == "" || p.Name == n.Name) && (p.Kind == "" || p.Kind == n.Kind) &&
		(p.Group == "" || p.Group == n.Group) && (p.Namespace == "" || p.Namespace == n.Namespace)
}

// Logs calls line with each wanted line of the pods, see [inspect.Client.Logs]. Without any pod there are no lines.
func (i *Inspector) Logs(ctx context.Context, app *v1alpha1.Application, of PodsOf, r inspect.LogRequest, line func(inspect.Line) error) error {
	v, err := i.look(app)
	if err != nil {
		return err
	}
	r.Pods = podsIn(v.tree().Nodes, of)
	if most := i.Settings.Get().Inspection.MaxPodLogs; len(r.Pods) > most {
		return apierrors.NewBadRequest(fmt.Sprintf("max pods to view logs are reached: there are %d, and server.maxPodLogsToRender allows %d. Please provide more granular query", len(r.Pods), most))
	}
	if len(r.Pods) == 0 {
		return nil
	}
	client, err := v.client()
	if err != nil {
		return err
	}
	return client.Logs(ctx, r, line)
}

// podsIn picks the wanted pods of a tree.
func podsIn(nodes []v1alpha1.ResourceNode, of PodsOf) (pods []types.NamespacedName) {
	byUID := make(map[string]*v1alpha1.ResourceNode, len(nodes))
	for i := range nodes {
		byUID[nodes[i].UID] = &nodes[i]
	}
	known := make(map[string]bool) // by UID; what is being looked at counts as no match, so that circles end
	var wanted func(n *v1alpha1.ResourceNode) bool
	wanted = func(n *v1alpha1.ResourceNode) bool {
		if found, ok := known[n.UID]; ok {
			return found
		}
		known[n.UID] = false
		known[n.UID] = of.matches(n) || slices.ContainsFunc(n.ParentRefs, func(ref v1alpha1.ResourceRef) bool {
			parent, ok := byUID[ref.UID]
			return ok && wanted(parent)
		})
		return known[n.UID]
	}
	for i := range nodes {
		if n := &nodes[i]; n.Kind == "Pod" && n.Group == "" && n.UID != "" && wanted(n) {
			pods = append(pods, types.NamespacedName{Namespace: n.Namespace, Name: n.Name})
		}
	}
	return pods
}
