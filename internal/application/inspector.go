package application

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
	"github.com/fairlead-cd/fairlead/internal/mask"
	"github.com/fairlead-cd/fairlead/internal/tracking"
	"github.com/fairlead-cd/fairlead/internal/tree"
)

// ErrNotPart is what is returned, wrapped, when somebody names an object that is no part of the Application.
var ErrNotPart = errors.New("not found as part of the application")

// Inspector looks into the clusters for people, and does there what they ask for, always on behalf of an Application: it
// touches nothing but what is a part of it, or is orphaned in its namespace where its project watches for that. Whether
// somebody may look is the caller's to decide. What it returns has the values of Secrets masked.
type Inspector struct {
	*Controller
}

// Inspector returns the Inspector of what the Controller knows.
func (c *Controller) Inspector() *Inspector { return &Inspector{c} }

// view is one look at an Application.
type view struct {
	*Controller
	app         *v1alpha1.Application
	instance    string
	destination *Destination
}

// look finds the cluster of an Application, if what is live there is known.
func (c *Controller) look(app *v1alpha1.Application) (*view, error) {
	destination, err := c.Clusters.watched(app.Spec.Destination)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoLiveState, err)
	}
	if synced, _, err := destination.Live.Condition(); !synced {
		if err == nil {
			err = errors.New("it is being listed")
		}
		return nil, fmt.Errorf("%w: the cluster %s: %w", ErrNoLiveState, destination.Server, err)
	}
	return &view{Controller: c, app: c.whole(app), instance: tracking.InstanceName(app.Namespace, app.Name, c.Namespace), destination: destination}, nil
}

// Whole returns an Application with what its status leaves out, as far as that is known. It must not be changed.
func (i *Inspector) Whole(app *v1alpha1.Application) *v1alpha1.Application { return i.whole(app) }

func (c *Controller) whole(app *v1alpha1.Application) *v1alpha1.Application {
	c.mu.Lock()
	m := c.memory[keyOf(app)]
	c.mu.Unlock()
	if m == nil {
		return app
	}
	return m.full.Load().complete(app)
}

// holds tells whether an object is a part of the Application.
func (v *view) holds(o *cluster.Object) bool {
	return slices.Contains(v.destination.Live.ApplicationsOf(o), v.instance)
}

// find returns an object that the Application's tree shows.
func (v *view) find(key cluster.Key) (*cluster.Object, error) {
	if o, ok := v.destination.Live.Get(key); ok && (v.holds(o) || v.orphaned(key)) {
		return o, nil
	}
	return nil, fmt.Errorf("%s %s %s %w %s", key.Kind, key.Group, key.Name, ErrNotPart, v.app.Name)
}

// orphaned tells whether the tree shows an object among those that belong to nobody.
func (v *view) orphaned(key cluster.Key) bool {
	if key.Namespace != v.app.Spec.Destination.Namespace {
		return false
	}
	project, ok := v.Watch.Project(v.app.Spec.GetProject())
	if !ok {
		return false
	}
	orphans := v.orphans(v.app, v.destination, v.projects.get(project, v.Watch, v.Settings.Get()))
	return slices.ContainsFunc(orphans, func(n v1alpha1.ResourceNode) bool {
		return cluster.Key{Group: n.Group, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name} == key
	})
}

// client asks the cluster for what is not kept.
func (v *view) client() (*inspect.Client, error) { return inspect.New(v.destination.Live.Config()) }

// Manifest returns an object as it is in the cluster, in a version or, when it is empty, in the preferred one.
func (i *Inspector) Manifest(ctx context.Context, app *v1alpha1.Application, key cluster.Key, version string) (*unstructured.Unstructured, error) {
	v, err := i.look(app)
	if err != nil {
		return nil, err
	}
	o, err := v.find(key)
	if err != nil {
		return nil, err
	}
	live, err := v.destination.Live.Fetch(ctx, key, version)
	if err != nil {
		return nil, err
	}
	if live.GetUID() != o.UID {
		return nil, fmt.Errorf("%s was replaced by another object a moment ago, and %w %s", key, ErrNotPart, app.Name)
	}
	return mask.Objects(i.Settings.Get().Inspection.MaskedAnnotations, live)[0], nil
}

// Tree draws an Application from what is known of its cluster.
func (i *Inspector) Tree(app *v1alpha1.Application) (*v1alpha1.ApplicationTree, error) {
	v, err := i.look(app)
	if err != nil {
		return nil, err
	}
	out := v.tree()
	if project, ok := i.Watch.Project(app.Spec.GetProject()); ok {
		out.OrphanedNodes = i.orphans(app, v.destination, i.projects.get(project, i.Watch, i.Settings.Get()))
	}
	return out, nil
}

func (v *view) tree() *v1alpha1.ApplicationTree {
	return tree.Build(v.destination.Live, tree.Roots{
		Instance: v.instance, Resources: v.app.Status.Resources, NodeLabels: v.Settings.Get().AllowedNodeLabels,
	}, v.assess)
}

// OnTree calls changed whenever the tree of an Application may have changed, until stop is called. It must not block.
func (i *Inspector) OnTree(app *v1alpha1.Application, changed func()) (stop func()) {
	instance := tracking.InstanceName(app.Namespace, app.Name, i.Namespace)
	told := func(of string) {
		if of == instance {
			changed()
		}
	}
	return i.Clusters.watch(told)
}
