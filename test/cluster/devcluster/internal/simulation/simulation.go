package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	clientcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/cloud"
	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/controlplane"
	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/kubelet"
	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/nodes"
	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pki"
	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pods"
)

// Start simulates until live ends, and returns once nodes are ready and pods
// can be made, or with an error when starting ends before that.
func Start(starting, live context.Context, plane *controlplane.ControlPlane, logger *slog.Logger) error {
	config, err := clientConfig(plane)
	if err != nil {
		return err
	}
	// The names show as field managers, as the real ones would.
	kubeletClient, err := kubernetes.NewForConfig(named(config, "kubelet"))
	if err != nil {
		return fmt.Errorf("making the client of the kubelets: %w", err)
	}
	cloudClient, err := kubernetes.NewForConfig(named(config, "cloud-controller-manager"))
	if err != nil {
		return fmt.Errorf("making the client of the cloud: %w", err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening the port of the kubelets: %w", err)
	}

	factory := informers.NewSharedInformerFactoryWithOptions(cloudClient, 0, informers.WithTransform(slim))
	podInformer := factory.InformerFor(&corev1.Pod{}, newPodInformer)
	controller, err := pods.New(pods.Options{
		Client: kubeletClient, Pods: podInformer, Nodes: factory.Core().V1().Nodes().Informer(),
		Recorder: newRecorder(live, kubeletClient), Logger: logger, Now: time.Now,
	})
	if err != nil {
		return err
	}
	server, err := kubelet.New(corelisters.NewPodLister(podInformer.GetIndexer()), plane.Certs, time.Now)
	if err != nil {
		return err
	}
	if err := cloud.Start(live, cloudClient, factory, logger); err != nil {
		return err
	}
	go func() {
		if err := server.Run(live, listener); err != nil {
			logger.Error("the kubelets do not answer", "err", err)
		}
	}()
	factory.Start(live.Done())
	go controller.Run(live)
	if err := nodes.Start(starting, live, kubeletClient, listener.Addr().(*net.TCPAddr).Port); err != nil {
		return err
	}
	return awaitServiceAccount(starting, cloudClient)
}

func clientConfig(plane *controlplane.ControlPlane) (*rest.Config, error) {
	path := plane.Certs.Kubeconfig(pki.Simulator)
	if err := plane.Certs.WriteKubeconfig(path, pki.Simulator, plane.URL); err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of the simulation: %w", err)
	}
	config.QPS = -1
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	return config, nil
}

func named(config *rest.Config, name string) *rest.Config {
	config = rest.CopyConfig(config)
	config.UserAgent = name
	return config
}

// newPodInformer watches the pods that a scheduler has put on a node.
func newPodInformer(client kubernetes.Interface, resync time.Duration) cache.SharedIndexInformer {
	onNode := fields.OneTermNotEqualSelector("spec.nodeName", "").String()
	watch := cache.NewFilteredListWatchFromClient(client.CoreV1().RESTClient(), "pods", metav1.NamespaceAll,
		func(o *metav1.ListOptions) { o.FieldSelector = onNode })
	return cache.NewSharedIndexInformer(watch, &corev1.Pod{}, resync, cache.Indexers{})
}

// slim drops what nothing here reads. An update without managed fields leaves
// those of the object as they are.
func slim(object any) (any, error) {
	if o, ok := object.(metav1.Object); ok {
		o.SetManagedFields(nil)
	}
	return object, nil
}

func newRecorder(ctx context.Context, client kubernetes.Interface) record.EventRecorder {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&clientcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet"})
}

// awaitServiceAccount waits for the first ServiceAccount that the controller
// manager makes: from then on pods can be made.
func awaitServiceAccount(ctx context.Context, client kubernetes.Interface) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the ServiceAccount default: %w", context.Cause(ctx))
		}
	}
}
