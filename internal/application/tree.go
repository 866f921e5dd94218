package application

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/tracking"
	"github.com/fairlead-cd/fairlead/internal/tree"
)

// ErrNoLiveState is what is returned, wrapped, while what is live in the cluster of an Application is not known.
var ErrNoLiveState = errors.New("the live state is not known")

// orphans are the objects in the namespace of an Application that belong to nobody, where its project asks for them.
func (c *Controller) orphans(app *v1alpha1.Application, destination *Destination, project compiledProject) []v1alpha1.ResourceNode {
	monitor := project.Spec().OrphanedResources
	if monitor == nil || app.Spec.Destination.Namespace == "" {
		return nil
	}
	return tree.Orphans(destination.Live, tree.Search{
		Namespace: app.Spec.Destination.Namespace, Ignore: monitor.Ignore,
		Owned: func(instance string) bool {
			namespace, name := tracking.ParseInstanceName(instance, c.Namespace)
			_, ok := c.Watch.Get(types.NamespacedName{Namespace: namespace, Name: name})
			return ok
		},
		Permitted: func(group, kind, name string) bool { return project.Kind(group, kind, name, true) == nil },
	}, c.assess)
}

// assess judges a managed object as the clusters judge what others made.
func (c *Controller) assess(obj *unstructured.Unstructured) (status, message string, ok bool) {
	if status, message, ok = c.Clusters.options.Health(obj); ok {
		return status, message, ok
	}
	result, ok := health.OfApplication(obj)
	return string(result.Status), result.Message, ok
}

// warnOfOrphans adds a condition when objects in the namespace belong to nobody and the project wants to know.
func (r *reconciliation) warnOfOrphans() {
	monitor := r.project.Spec().OrphanedResources
	if monitor == nil || r.app.Spec.Destination.Namespace == "" {
		r.Clusters.lookForStrays(r.instance, place{})
		return
	}
	r.Clusters.lookForStrays(r.instance, place{r.destination.Server, r.app.Spec.Destination.Namespace})
	if !monitor.Warns() {
		return
	}
	if n := len(r.orphans(r.app, r.destination, r.project)); n > 0 {
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionOrphanedResourceWarning,
			fmt.Sprintf("Application has %d orphaned resources", n)))
	}
}
