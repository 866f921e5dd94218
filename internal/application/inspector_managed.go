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
)

// compared is what a comparison was about. It never changes, and holds nothing that would not be in memory without it.
type compared struct {
	destination *Destination
	manner      *manner
	targets     targets
	hooks       []*unstructured.Unstructured
	undesired   []cluster.Key
}

// show keeps what was compared for those who want to see it.
func (r *reconciliation) show() {
	c := &compared{destination: r.destination, manner: r.manner, targets: r.memory.targets}
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
	i.mu.Lock()
	remembered := i.memory[keyOf(app)]
	i.mu.Unlock()
	if remembered == nil || remembered.compared.Load() == nil {
		return nil, fmt.Errorf("%w: the Application has not been compared yet", ErrNoLiveState)
	}
	c := remembered.compared.Load()
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
