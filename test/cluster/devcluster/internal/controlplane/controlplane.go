package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pki"
)

// stopWithin bounds how long one component may take to end. Past it, the
// components after it are stopped anyway: etcd must be closed.
const stopWithin = 4 * time.Second

// Options say where a control plane lives.
type Options struct {
	// Dir holds the state: etcd's data and the certificates.
	Dir string
	// Listener is where the API server serves. ControlPlane closes it.
	Listener net.Listener
	// EtcdLog is where etcd's warnings go: a file, or "stderr".
	EtcdLog string
	// Logger takes what is said about starting and stopping.
	Logger *slog.Logger
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	// Certs holds the certificates of the cluster.
	Certs pki.Dir
	// URL is where the API server answers.
	URL string

	logger     *slog.Logger
	etcd       *embed.Etcd
	components []*component
	failed     chan error
}

// component is one running part and the way to end it.
type component struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
}

// Start brings up etcd and the API server, waits until the API server is
// ready, and brings up scheduler and controller manager. On error everything
// is stopped again.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	c := &ControlPlane{
		Certs:  pki.Dir(filepath.Join(o.Dir, "pki")),
		URL:    "https://" + o.Listener.Addr().String(),
		logger: o.Logger,
		failed: make(chan error, 1),
	}
	if err := c.start(ctx, o); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context, o Options) error {
	if err := c.Certs.Ensure(serviceIP); err != nil {
		return err
	}
	etcd, etcdURL, err := startEtcd(ctx, o.Dir, o.EtcdLog)
	if err != nil {
		return err
	}
	c.etcd = etcd
	c.logger.Info("etcd serves", "url", etcdURL)

	server, err := newAPIServer(ctx, o.Listener, etcdURL, c.Certs)
	if err != nil {
		return err
	}
	c.run("kube-apiserver", server)
	for _, user := range []string{pki.Scheduler, pki.ControllerManager} {
		if err := c.Certs.WriteKubeconfig(c.Certs.Kubeconfig(user), user, c.URL); err != nil {
			return err
		}
	}
	if err := c.awaitReady(ctx); err != nil {
		return err
	}

	scheduler, err := newScheduler(ctx, c.Certs.Kubeconfig(pki.Scheduler))
	if err != nil {
		return err
	}
	c.run("kube-scheduler", scheduler)
	manager, err := newControllerManager(ctx, c.Certs.Kubeconfig(pki.ControllerManager), c.Certs)
	if err != nil {
		return err
	}
	c.run("kube-controller-manager", manager)
	return nil
}

// Failed delivers the error of the first component that ended by itself.
func (c *ControlPlane) Failed() <-chan error { return c.failed }

func (c *ControlPlane) run(name string, run run) {
	ctx, cancel := context.WithCancel(context.Background())
	part := &component{name: name, cancel: cancel, done: make(chan struct{})}
	c.components = append(c.components, part)
	go func() {
		defer close(part.done)
		err := run(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it returned")
		}
		select {
		case c.failed <- fmt.Errorf("%s ended: %w", name, err):
		default:
		}
	}()
	c.logger.Info("component started", "component", name)
}

// awaitReady waits until the API server's own readiness check passes.
func (c *ControlPlane) awaitReady(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", c.Certs.Kubeconfig(pki.ControllerManager))
	if err != nil {
		return fmt.Errorf("reading the kubeconfig of the controller manager: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	poll := time.NewTicker(25 * time.Millisecond)
	defer poll.Stop()
	for {
		if client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil {
			c.logger.Info("kube-apiserver is ready", "url", c.URL)
			return nil
		}
		select {
		case <-poll.C:
		case err := <-c.failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("waiting for kube-apiserver to become ready: %w", context.Cause(ctx))
		}
	}
}

// Stop ends the components, the last started first, and closes etcd. It may
// be called once.
func (c *ControlPlane) Stop() {
	for i := len(c.components) - 1; i >= 0; i-- {
		part := c.components[i]
		part.cancel()
		select {
		case <-part.done:
			c.logger.Info("component stopped", "component", part.name)
		case <-time.After(stopWithin):
			c.logger.Warn("component did not stop in time", "component", part.name)
		}
	}
	if c.etcd != nil {
		c.etcd.Close()
		c.logger.Info("etcd closed")
	}
}
