package application

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
)

// CanExec tells whether a command can be run in a container: its pod is a part of the Application and runs, and has it.
func (i *Inspector) CanExec(ctx context.Context, app *v1alpha1.Application, namespace, pod, container string) error {
	_, err := i.running(ctx, app, namespace, pod, container)
	return err
}

// Exec runs a command in a container of the Application, see [inspect.Client.Exec].
func (i *Inspector) Exec(ctx context.Context, app *v1alpha1.Application, r inspect.ExecRequest) (status int, err error) {
	v, err := i.running(ctx, app, r.Namespace, r.Pod, r.Container)
	if err != nil {
		return 0, err
	}
	client, err := v.client()
	if err != nil {
		return 0, err
	}
	return client.Exec(ctx, r)
}

// running finds a container that runs.
func (i *Inspector) running(ctx context.Context, app *v1alpha1.Application, namespace, name, container string) (*view, error) {
	v, err := i.look(app)
	if err != nil {
		return nil, err
	}
	key := cluster.Key{Kind: "Pod", Namespace: namespace, Name: name}
	o, ok := v.destination.Live.Get(key)
	if !ok || !v.holds(o) {
		return nil, fmt.Errorf("pod %s %w %s", name, ErrNotPart, app.Name)
	}
	live, err := v.destination.Live.Fetch(ctx, key, "v1")
	if err != nil {
		return nil, err
	}
	pod := &corev1.Pod{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, pod); err != nil {
		return nil, fmt.Errorf("reading the pod %s: %w", name, err)
	}
	switch {
	case pod.UID != o.UID:
		return nil, fmt.Errorf("pod %s was replaced by another a moment ago, and %w %s", name, ErrNotPart, app.Name)
	case pod.Status.Phase != corev1.PodRunning:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("pod %s does not run; it is %s", name, pod.Status.Phase))
	case !slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == container }):
		return nil, apierrors.NewBadRequest(fmt.Sprintf("pod %s has no container %q", name, container))
	}
	return v, nil
}
