package pods

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// workers is how many pods are worked on at once; each mostly waits for the
// API server.
const workers = 4

// Controller gives pods their life. Make it with New and call Run once.
type Controller struct {
	client   kubernetes.Interface
	pods     cache.SharedIndexInformer
	lister   corelisters.PodLister
	nodes    corelisters.NodeLister
	nodeSync cache.InformerSynced
	queue    workqueue.TypedRateLimitingInterface[cache.ObjectName]
	pool     *pool
	recorder record.EventRecorder
	logger   *slog.Logger
	now      func() time.Time
}

// Options are what a Controller works with.
type Options struct {
	Client kubernetes.Interface
	// Pods must hold the pods that have a node. The caller starts it.
	Pods cache.SharedIndexInformer
	// Nodes must hold all nodes. The caller starts it.
	Nodes    cache.SharedIndexInformer
	Recorder record.EventRecorder
	Logger   *slog.Logger
	Now      func() time.Time
}

// New returns a controller that begins to work with Run.
func New(o Options) (*Controller, error) {
	c := &Controller{
		client:   o.Client,
		pods:     o.Pods,
		lister:   corelisters.NewPodLister(o.Pods.GetIndexer()),
		nodes:    corelisters.NewNodeLister(o.Nodes.GetIndexer()),
		nodeSync: o.Nodes.HasSynced,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](5*time.Millisecond, 10*time.Second)),
		pool:     newPool(),
		recorder: o.Recorder,
		logger:   o.Logger,
		now:      o.Now,
	}
	_, err := o.Pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    c.enqueue,
		UpdateFunc: func(_, pod any) { c.enqueue(pod) },
		DeleteFunc: c.forget,
	})
	if err != nil {
		return nil, fmt.Errorf("watching pods: %w", err)
	}
	return c, nil
}

// Run works until the context ends.
func (c *Controller) Run(ctx context.Context) {
	defer c.queue.ShutDown()
	if !cache.WaitForCacheSync(ctx.Done(), c.pods.HasSynced, c.nodeSync) {
		return
	}
	// Addresses from an earlier run must be known before new ones are given.
	for _, object := range c.pods.GetIndexer().List() {
		pod := object.(*corev1.Pod)
		c.pool.keep(pod.UID, pod.Status.PodIP)
	}
	for range workers {
		go c.work(ctx)
	}
	<-ctx.Done()
}

func (c *Controller) enqueue(object any) {
	pod := object.(*corev1.Pod)
	c.queue.Add(cache.MetaObjectToName(pod))
}

func (c *Controller) forget(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unknown.Obj
	}
	if pod, ok := object.(*corev1.Pod); ok {
		c.pool.release(pod.UID)
	}
}

func (c *Controller) work(ctx context.Context) {
	for {
		name, shutdown := c.queue.Get()
		if shutdown {
			return
		}
		wait, err := c.sync(ctx, name)
		switch {
		case err != nil:
			if ctx.Err() == nil && !apierrors.IsConflict(err) {
				c.logger.Warn("pod could not be brought up to date", "pod", name, "err", err)
			}
			c.queue.AddRateLimited(name)
		default:
			c.queue.Forget(name)
			if wait > 0 {
				c.queue.AddAfter(name, wait)
			}
		}
		c.queue.Done(name)
	}
}

// sync writes the status that is due for a pod, and returns how long until
// time alone changes it.
func (c *Controller) sync(ctx context.Context, name cache.ObjectName) (time.Duration, error) {
	pod, err := c.lister.Pods(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the pod: %w", err)
	}
	if pod.DeletionTimestamp != nil {
		return 0, c.delete(ctx, pod)
	}
	at, err := c.addressesOf(pod)
	if err != nil {
		return 0, err
	}
	status, wait := next(pod, at, c.now())
	if err := c.write(ctx, pod, status); err != nil {
		return 0, err
	}
	return wait, nil
}

func (c *Controller) write(ctx context.Context, pod *corev1.Pod, status *corev1.PodStatus) error {
	if equality.Semantic.DeepEqual(&pod.Status, status) {
		return nil
	}
	changed := pod.DeepCopy()
	changed.Status = *status
	if _, err := c.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{}); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("writing the status: %w", err)
	}
	c.report(pod, status)
	return nil
}

// delete ends the containers of a pod at once and lets it go.
func (c *Controller) delete(ctx context.Context, pod *corev1.Pod) error {
	// Only whoever holds a finalizer gets to see how the containers ended.
	if len(pod.Finalizers) > 0 && !finished(&pod.Status) {
		if err := c.write(ctx, pod, ended(pod, c.now())); err != nil {
			return err
		}
	}
	if pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0 {
		return nil
	}
	options := *metav1.NewDeleteOptions(0)
	options.Preconditions = metav1.NewUIDPreconditions(string(pod.UID))
	err := c.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, options)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting the pod: %w", err)
	}
	return nil
}

// addressesOf returns the addresses of a pod and of its node.
func (c *Controller) addressesOf(pod *corev1.Pod) (addresses, error) {
	node, err := c.nodes.Get(pod.Spec.NodeName)
	if err != nil {
		return addresses{}, fmt.Errorf("looking for the node %s of the pod: %w", pod.Spec.NodeName, err)
	}
	at := addresses{}
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			at.node = address.Address
		}
	}
	if at.node == "" {
		return addresses{}, errors.New("the node of the pod has no InternalIP")
	}
	switch {
	case pod.Spec.HostNetwork:
		at.pod = at.node
	case pod.Status.PodIP != "":
		at.pod = pod.Status.PodIP
	default:
		if at.pod, err = c.pool.get(pod.UID); err != nil {
			return addresses{}, fmt.Errorf("finding an address for the pod: %w", err)
		}
	}
	return at, nil
}
