package application

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/action"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/plan"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// reasonActionRan is the reason of the Event about an action, as Argo CD has it.
const reasonActionRan = "ResourceActionRan"

// catalogs keeps the catalog of actions for as long as the settings have the same. The zero value is ready for use.
type catalogs struct {
	mu      sync.Mutex
	read    *settings.Settings
	current *action.Catalog
}

func (c *Controller) actions() *action.Catalog {
	c.catalogs.mu.Lock()
	defer c.catalogs.mu.Unlock()
	if s := c.Settings.Get(); c.catalogs.read != s {
		c.catalogs.read, c.catalogs.current = s, ActionsOf(s, c.Now)
	}
	return c.catalogs.current
}

// Act is an action that somebody asks for.
type Act struct {
	// Key is the object that it is run on.
	Key cluster.Key
	// Name is the action, with its parameters.
	Name   string
	Params map[string]string
	// By is who asks.
	By string
}

// ActionsOf returns the actions that an object of an Application offers. The Application itself may be the object.
func (i *Inspector) ActionsOf(ctx context.Context, app *v1alpha1.Application, key cluster.Key) ([]v1alpha1.ResourceAction, error) {
	v, o, err := i.subject(app, key)
	if err != nil {
		return nil, err
	}
	live, err := v.destination.Live.Fetch(ctx, o.Key, o.Version)
	if err != nil {
		return nil, err
	}
	offers, err := i.actions().Discover(ctx, live)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the actions of %s: %v", key, err))
	}
	return offers, nil
}

// RunAction runs an action on an object of an Application, and tells of it in an Event.
func (i *Inspector) RunAction(ctx context.Context, app *v1alpha1.Application, act Act) error {
	v, o, err := i.subject(app, act.Key)
	if err != nil {
		return err
	}
	project, ok := i.Watch.Project(app.Spec.GetProject())
	if !ok {
		return apierrors.NewBadRequest(fmt.Sprintf("the project %q does not exist", app.Spec.GetProject()))
	}
	rules := i.projects.get(project, i.Watch, i.Settings.Get())
	ref := plan.Reference{Group: o.Group, Version: o.Version, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
	written, err := v.destination.Act(ctx, i.actions(), ref, o.UID, act.Name, act.Params, v.permitting(rules))
	if len(written) > 0 {
		i.Logger.Info("an action was run", "application", keyOf(app).String(), "action", act.Name, "object", ref.String(), "by", act.By, "error", err)
		i.Events.Eventf(app, corev1.EventTypeNormal, reasonActionRan, "%s ran action %s on resource %s/%s/%s", cmp.Or(act.By, "Unknown user"), act.Name, ref.Group, ref.Kind, ref.Name)
	}
	return err
}

// permitting decides on objects that actions make, by the rules of the project.
func (v *view) permitting(project compiledProject) func(*unstructured.Unstructured) error {
	return func(made *unstructured.Unstructured) error {
		if err := v.destination.Live.Covers(made.GetNamespace()); err != nil {
			return err
		}
		gvk := made.GroupVersionKind()
		return project.Object(gvk.Group, gvk.Kind, made.GetName(), tenancy.Destination{
			Server: v.destination.Server, Name: v.destination.Name, Namespace: made.GetNamespace(), ClusterProject: v.destination.Project,
		})
	}
}

// subject finds the object of an action.
func (i *Inspector) subject(app *v1alpha1.Application, key cluster.Key) (*view, *cluster.Object, error) {
	if key.Group == v1alpha1.Group && key.Kind == "Application" && key.Name == app.Name && (key.Namespace == "" || key.Namespace == app.Namespace) {
		own := *app
		own.Spec.Destination = v1alpha1.ApplicationDestination{Server: v1alpha1.InClusterServer, Namespace: app.Namespace}
		v, err := i.look(&own)
		if err != nil {
			return nil, nil, err
		}
		version := v1alpha1.SchemeGroupVersion.Version
		return v, &cluster.Object{Key: cluster.Key{Group: key.Group, Kind: key.Kind, Namespace: app.Namespace, Name: app.Name}, Version: version, UID: app.UID}, nil
	}
	v, err := i.look(app)
	if err != nil {
		return nil, nil, err
	}
	o, err := v.find(key)
	return v, o, err
}
