package cloud

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// reconcile brings one object up to date. It must do nothing when there is
// nothing to do.
type reconcile func(ctx context.Context, name cache.ObjectName) error

// Start makes the default StorageClass, and serves claims, Services and
// Ingresses until the context ends. The informers are registered with
// factory, which the caller starts.
func Start(ctx context.Context, client kubernetes.Interface, factory informers.SharedInformerFactory, logger *slog.Logger) error {
	if err := ensureStorageClass(ctx, client); err != nil {
		return err
	}
	v := newVolumes(client, factory)
	b := newBalancers(client, factory)
	for name, part := range map[string]struct {
		informer  cache.SharedIndexInformer
		reconcile reconcile
	}{
		"claim":   {factory.Core().V1().PersistentVolumeClaims().Informer(), v.provision},
		"volume":  {factory.Core().V1().PersistentVolumes().Informer(), v.reclaim},
		"service": {factory.Core().V1().Services().Informer(), b.service},
		"ingress": {factory.Networking().V1().Ingresses().Informer(), b.ingress},
	} {
		if err := watch(ctx, name, part.informer, part.reconcile, logger); err != nil {
			return err
		}
	}
	return nil
}

// watch calls work for every object that informer reports, one at a time, and
// again after an error.
func watch(ctx context.Context, kind string, informer cache.SharedIndexInformer, work reconcile, logger *slog.Logger) error {
	queue := workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](5*time.Millisecond, 10*time.Second))
	add := func(object any) {
		if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
			queue.Add(name)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, object any) { add(object) },
		DeleteFunc: add,
	})
	if err != nil {
		return fmt.Errorf("watching objects of kind %s: %w", kind, err)
	}
	go func() {
		<-ctx.Done()
		queue.ShutDown()
	}()
	go func() {
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return
		}
		for {
			name, shutdown := queue.Get()
			if shutdown {
				return
			}
			if err := work(ctx, name); err != nil {
				if ctx.Err() == nil && !apierrors.IsConflict(err) {
					logger.Warn("object could not be brought up to date", "kind", kind, "object", name, "err", err)
				}
				queue.AddRateLimited(name)
			} else {
				queue.Forget(name)
			}
			queue.Done(name)
		}
	}()
	return nil
}
