package application

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
)

// EventsOf returns the events about an object of an Application, the latest last.
func (i *Inspector) EventsOf(ctx context.Context, app *v1alpha1.Application, uid types.UID, namespace, name string) (*corev1.EventList, error) {
	v, err := i.look(app)
	if err != nil {
		return nil, err
	}
	o, ok := v.destination.Live.ByUID(uid)
	if !ok || o.Name != name || o.Namespace != namespace {
		return nil, fmt.Errorf("%s %w %s", name, ErrNotPart, app.Name)
	}
	if _, err := v.find(cluster.Key{Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}); err != nil {
		return nil, err
	}
	client, err := v.client()
	if err != nil {
		return nil, err
	}
	return client.Events(ctx, inspect.Involved{Namespace: namespace, Name: name, UID: string(uid)})
}
