package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// cluster is where the demo runs.
type cluster struct {
	client dynamic.Interface
	// kubeconfig of the development cluster; empty on the user's own, whose KUBECONFIG holds for all programs.
	kubeconfig string
	// process is the development cluster's; nil on the user's own.
	process *process
}

// done is closed when the development cluster has ended.
func (c *cluster) done() <-chan struct{} {
	if c.process == nil {
		return nil
	}
	return c.process.done
}

// startCluster starts a development cluster, or connects to the user's own.
func (d *demo) startCluster(ctx context.Context) error {
	if d.Mine {
		return d.useMine(ctx)
	}
	d.cluster = &cluster{kubeconfig: filepath.Join(d.StateDir, "kubeconfig")}
	began := time.Now()
	var err error
	d.cluster.process, err = start("devcluster", filepath.Join(d.StateDir, "devcluster.log"), d.Devcluster,
		"up", "--dir", filepath.Join(d.StateDir, "cluster"), "--kubeconfig-out", d.cluster.kubeconfig)
	if err != nil {
		return err
	}
	if err := d.cluster.process.waitLine(ctx, "devcluster ready"); err != nil {
		return err
	}
	if err := d.connect(); err != nil {
		return err
	}
	d.screen.Step("the development cluster is ready after %s", seconds(began))
	return nil
}

// useMine connects to the cluster of KUBECONFIG, after making sure that nobody else keeps Applications there.
func (d *demo) useMine(ctx context.Context) error {
	if os.Getenv("KUBECONFIG") == "" {
		return errors.New("set KUBECONFIG to say which cluster is yours: KUBECONFIG=… make demo CLUSTER=mine")
	}
	raw, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
	if err != nil {
		return fmt.Errorf("reading KUBECONFIG: %w", err)
	}
	d.cluster = &cluster{}
	if err := d.connect(); err != nil {
		return err
	}
	if err := d.refuseOccupied(ctx); err != nil {
		return err
	}
	d.screen.Step("using context %s of your KUBECONFIG; it gets the CRDs of Fairlead, the namespace %s and those of the example",
		raw.CurrentContext, controlPlaneNamespace)
	return nil
}

// connect makes the client from the development cluster's kubeconfig or the user's.
func (d *demo) connect() error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = d.cluster.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.UserAgent = "fairlead-demo"
	config.QPS = -1 // the API server says when it is too much
	config.WarningHandlerWithContext = rest.NoWarnings{}
	if d.cluster.client, err = dynamic.NewForConfig(config); err != nil {
		return fmt.Errorf("making a client for the cluster: %w", err)
	}
	return nil
}
