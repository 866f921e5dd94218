package nodes

import (
	"context"
	"fmt"
	"io"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodeheartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/config/resources"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/informer"
	"sigs.k8s.io/kwok/pkg/utils/lifecycle"
)

const (
	// leaseDuration is long to keep an idle cluster idle; the controller
	// manager is told to be as patient.
	leaseDuration = 4 * time.Minute
	leaseRenewal  = time.Minute
)

// runKwok keeps every node ready until the context ends. It returns once the
// controllers are running.
func runKwok(ctx context.Context, client kubernetes.Interface, kubeletPort int) error {
	ctx = log.NewContext(ctx, log.NewLogger(io.Discard, log.LevelError))
	leases, err := informer.NewInformer[*coordinationv1.Lease, *coordinationv1.LeaseList](
		client.CoordinationV1().Leases(corev1.NamespaceNodeLease)).WatchWithCache(ctx, informer.Option{}, nil)
	if err != nil {
		return fmt.Errorf("watching the leases of nodes: %w", err)
	}
	lease, err := controllers.NewNodeLeaseController(controllers.NodeLeaseControllerConfig{
		TypedClient:          client,
		HolderIdentity:       "devcluster",
		LeaseDurationSeconds: uint(leaseDuration / time.Second),
		LeaseParallelism:     1,
		RenewInterval:        leaseRenewal,
		RenewIntervalJitter:  0.04,
		GetLease: func(node string) (*coordinationv1.Lease, bool) {
			return leases.GetWithNamespace(node, corev1.NamespaceNodeLease)
		},
	})
	if err != nil {
		return fmt.Errorf("making kwok's lease controller: %w", err)
	}
	if err := lease.Start(ctx); err != nil {
		return fmt.Errorf("starting kwok's lease controller: %w", err)
	}
	stages, err := nodeStages()
	if err != nil {
		return err
	}
	node, err := controllers.NewNodeController(controllers.NodeControllerConfig{
		TypedClient:          client,
		NodePort:             kubeletPort,
		Lifecycle:            resources.NewStaticGetter(stages),
		PlayStageParallelism: 1,
		OnNodeManagedFunc:    lease.TryHold,
		OnNodeUnmanagedFunc:  lease.ReleaseHold,
	})
	if err != nil {
		return fmt.Errorf("making kwok's node controller: %w", err)
	}
	events := make(chan informer.Event[*corev1.Node], 1)
	if err := node.Start(ctx, events); err != nil {
		return fmt.Errorf("starting kwok's node controller: %w", err)
	}
	nodes := informer.NewInformer[*corev1.Node, *corev1.NodeList](client.CoreV1().Nodes())
	if err := nodes.Watch(ctx, informer.Option{}, events); err != nil {
		return fmt.Errorf("watching nodes: %w", err)
	}
	return nil
}

// nodeStages are kwok's own: a node becomes ready at once, and shows a
// heartbeat every ten minutes.
func nodeStages() (lifecycle.Lifecycle, error) {
	var stages []*internalversion.Stage
	for _, text := range []string{nodefast.DefaultNodeInit, nodeheartbeat.DefaultNodeHeartbeatWithLease} {
		stage, err := config.UnmarshalWithType[*internalversion.Stage](text)
		if err != nil {
			return nil, fmt.Errorf("reading kwok's stages of nodes: %w", err)
		}
		stages = append(stages, stage)
	}
	all, err := lifecycle.NewLifecycle(stages)
	if err != nil {
		return nil, fmt.Errorf("reading kwok's stages of nodes: %w", err)
	}
	return all, nil
}
