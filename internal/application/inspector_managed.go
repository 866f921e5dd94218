package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/mask"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// compared is what a comparison was about. It never changes, and holds nothing that would not be in memory without it.
type compared struct {
	destination *Destination
	manner      *manner
	targets     targets
	hooks       []*unstructured.Unstructured
	undesired   []cluster.Key
	// plan is what a sync of everything, with pruning, would do.
	plan      plan.Plan
	revisions []string
}

// show keeps what was compared for those who want to see it.
func (r *reconciliation) show() {
	c := &compared{destination: r.destination, manner: r.manner, targets: r.memory.targets, plan: r.wholePlan(), revisions: r.desired.revisions()}
	for _, h := range r.memory.targets.hooks {
		c.hooks = append(c.hooks, h.obj)
	}
	for i := range r.current.objects {
		if o := &r.current.objects[i]; o.desired == nil && o.live != nil {
			c.undesired = append(c.undesired, o.live.Key)
		}
	}
	r.memory.compared.Store(c)
}

// ManagedResources returns the objects of an Application that are wanted, each as it is desired, as it is, and as a sync
// would make it. What is live is of this moment; what is desired is what was compared last.
func (i *Inspector) ManagedResources(ctx context.Context, app *v1alpha1.Application, wanted func(cluster.Key) bool) ([]v1alpha1.ResourceDiff, error) {
	v, err := i.look(app)
	if err != nil {
		return nil, err
	}
	c, err := i.compared(app)
	if err != nil {
		return nil, err
	}
	if c.destination.Live != v.destination.Live {
		return nil, fmt.Errorf("%w: the Application has not been compared with its new destination yet", ErrNoLiveState)
	}
	r := &reconciliation{Controller: i.Controller, key: keyOf(app), app: app, settings: i.Settings.Get(), destination: v.destination, instance: v.instance, manner: c.manner}
	var out []v1alpha1.ResourceDiff
	for _, t := range c.targets.list {
		if !wanted(t.key) {
			continue
		}
		item, err := r.shown(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	for _, key := range c.undesired {
		if o, ok := v.destination.Live.Get(key); ok && wanted(key) && v.holds(o) && o.Whole() {
			out = append(out, r.diff(key, nil, o.Live(), compare.States{Live: o.Live()}))
		}
	}
	for _, hook := range c.hooks {
		key := cluster.KeyOf(hook)
		if key.Namespace == "" {
			key.Namespace = app.Spec.Destination.Namespace
		}
		if wanted(key) {
			item := r.diff(key, hook, nil, compare.States{})
			item.Hook = true
			out = append(out, item)
		}
	}
	return out, nil
}

// compared returns what the last comparison of an Application was about.
func (i *Inspector) compared(app *v1alpha1.Application) (*compared, error) {
	i.mu.Lock()
	remembered := i.memory[keyOf(app)]
	i.mu.Unlock()
	if remembered != nil {
		if c := remembered.compared.Load(); c != nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: the Application has not been compared yet", ErrNoLiveState)
}

// Plan returns what a sync of everything, with pruning, would do by the last
// comparison, and the revisions that it would sync to.
func (i *Inspector) Plan(app *v1alpha1.Application) (p plan.Plan, revisions []string, err error) {
	c, err := i.compared(app)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	return c.plan, c.revisions, nil
}

// shown is how a target and what is live of it look side by side.
func (r *reconciliation) shown(ctx context.Context, t target) (v1alpha1.ResourceDiff, error) {
	live, err := r.bodyOf(ctx, t.key)
	if err != nil {
		return v1alpha1.ResourceDiff{}, err
	}
	if live == nil {
		item := r.diff(t.key, t.obj, nil, compare.States{Predicted: t.obj})
		item.Modified = true
		return item, nil
	}
	schema, err := r.schemaOf(ctx, t.obj.GroupVersionKind())
	if err != nil {
		return v1alpha1.ResourceDiff{}, err
	}
	pair, err := r.pairOf(ctx, t, live, schema)
	if err != nil {
		return v1alpha1.ResourceDiff{}, err
	}
	found, err := r.foresee(ctx, t, pair, "")
	if err != nil {
		return v1alpha1.ResourceDiff{}, err
	}
	states, err := r.Comparer.StatesOf(pair, found.predicted)
	if err != nil {
		return v1alpha1.ResourceDiff{}, err
	}
	if found.Synced() {
		states.Predicted = states.Live
	}
	item := r.diff(t.key, t.obj, pair.Live, states)
	item.Modified = !found.Synced()
	return item, nil
}

// bodyOf returns an object that is live, or nil.
func (r *reconciliation) bodyOf(ctx context.Context, key cluster.Key) (*unstructured.Unstructured, error) {
	o, ok := r.destination.Live.Get(key)
	switch {
	case ok && o.Whole():
		return o.Live(), nil
	case !ok && !unseen(r.destination.Live.Ready(key.GroupKind())):
		return nil, nil
	}
	live, err := r.destination.Live.Fetch(ctx, key, "")
	if apierrors.IsNotFound(err) || errors.Is(err, cluster.ErrKindUnknown) {
		return nil, nil
	}
	return live, err
}

// diff writes the states down, with the values of Secrets masked alike in all of them.
func (r *reconciliation) diff(key cluster.Key, target, live *unstructured.Unstructured, states compare.States) v1alpha1.ResourceDiff {
	masked := mask.Objects(r.settings.Inspection.MaskedAnnotations, target, live, states.Live, states.Predicted)
	item := v1alpha1.ResourceDiff{
		Group: key.Group, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name,
		TargetState: written(masked[0]), LiveState: written(masked[1]),
		NormalizedLiveState: written(masked[2]), PredictedLiveState: written(masked[3]),
	}
	if live != nil {
		item.ResourceVersion = live.GetResourceVersion()
	}
	return item
}

// written is an object as JSON; null for none.
func written(obj *unstructured.Unstructured) string {
	if obj == nil {
		return "null"
	}
	data, err := json.Marshal(obj.Object)
	if err != nil {
		return "null" // what was read as JSON can be written as JSON
	}
	return string(data)
}
