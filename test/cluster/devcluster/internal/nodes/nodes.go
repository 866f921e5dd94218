package nodes

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// count is how many nodes a cluster has: enough for spreading and for
// anti-affinity to show.
const count = 3

// kubeletAddress is where the kubelet of every node answers.
const kubeletAddress = "127.0.0.1"

// capacity is so large that no workload fails to fit by accident.
var capacity = corev1.ResourceList{
	corev1.ResourceCPU:              resource.MustParse("1000"),
	corev1.ResourceMemory:           resource.MustParse("4Ti"),
	corev1.ResourceEphemeralStorage: resource.MustParse("4Ti"),
	corev1.ResourcePods:             resource.MustParse("20000"),
}

// Start makes the nodes that are not there yet, keeps all nodes ready until
// live ends, and returns once they are, or with an error when starting ends
// before. kubeletPort is where the kubelet of every node answers on loopback.
func Start(starting, live context.Context, client kubernetes.Interface, kubeletPort int) error {
	for i := range count {
		if err := ensure(starting, client, node(i+1, kubeletPort)); err != nil {
			return err
		}
	}
	if err := runKwok(live, client, kubeletPort); err != nil {
		return err
	}
	return awaitReady(starting, client)
}

// ensure makes a node, or tells the one of an earlier run where its kubelet
// answers now.
func ensure(ctx context.Context, client kubernetes.Interface, want *corev1.Node) error {
	_, err := client.CoreV1().Nodes().Create(ctx, want, metav1.CreateOptions{})
	if err == nil {
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("making the node %s: %w", want.Name, err)
	}
	have, err := client.CoreV1().Nodes().Get(ctx, want.Name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading the node %s: %w", want.Name, err)
	}
	have.Status.Addresses = want.Status.Addresses
	have.Status.DaemonEndpoints = want.Status.DaemonEndpoints
	if _, err := client.CoreV1().Nodes().UpdateStatus(ctx, have, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("updating the node %s: %w", want.Name, err)
	}
	return nil
}

func node(number, kubeletPort int) *corev1.Node {
	name := fmt.Sprintf("node-%d", number)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:           name,
				corev1.LabelOSStable:           "linux",
				corev1.LabelArchStable:         "amd64",
				corev1.LabelInstanceTypeStable: "simulated",
				corev1.LabelTopologyRegion:     "local",
				corev1.LabelTopologyZone:       "local-" + string(rune('a'+number-1)),
			},
		},
		Spec: corev1.NodeSpec{ProviderID: "devcluster://" + name},
		Status: corev1.NodeStatus{
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("172.18.0.%d", number+1)},
				{Type: corev1.NodeHostName, Address: name},
				// The API server is told to use this one, see its flags.
				{Type: corev1.NodeExternalDNS, Address: kubeletAddress},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{
				KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(kubeletPort)},
			},
			Capacity:    capacity,
			Allocatable: capacity,
			NodeInfo: corev1.NodeSystemInfo{
				Architecture:            "amd64",
				OperatingSystem:         "linux",
				OSImage:                 "simulated",
				KernelVersion:           "simulated",
				ContainerRuntimeVersion: "devcluster://1.0.0",
				KubeletVersion:          "v1.36.3",
			},
		},
	}
}

// awaitReady waits until kwok has made every node ready.
func awaitReady(ctx context.Context, client kubernetes.Interface) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("listing nodes: %w", err)
		}
		ready := 0
		for _, node := range list.Items {
			if schedulable(&node) {
				ready++
			}
		}
		if ready >= count {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for nodes to become ready: %w", context.Cause(ctx))
		}
	}
}

// schedulable tells whether a node is ready and free of the taint that the
// controller manager puts on a new one.
func schedulable(node *corev1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeNotReady {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
