//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead-cd/fairlead/api/client"
	"github.com/fairlead-cd/fairlead/test/cluster"
	"github.com/fairlead-cd/fairlead/test/gitserver"
	"github.com/fairlead-cd/fairlead/test/helmserver"
)

// defaultIdle is long enough for a few polls and lease renewals.
const defaultIdle = 30 * time.Second

type options struct {
	applications int
	namespaces   int
	only         string
	sizes        string
	binary       string
	idle         time.Duration
	verbose      bool
	profile      string
}

// bench is one run against one control plane.
type bench struct {
	options
	dynamic dynamic.Interface
	apps    *client.Client
	repo    *gitserver.Repo
	program *program
	metrics string // the address of the program's metrics
	api     string // and of its API
	// charts has the chart of Helm applications; nil where they are plain manifests that are refreshed, not told of pushes.
	charts *helmserver.Server
	// kubeconfig and data are what the program is started with.
	kubeconfig, data string
	floor            time.Duration
	floorCPU         time.Duration
}

const controlPlane = "argocd"

// run measures everything with one number of Applications.
func run(ctx context.Context, o options) error {
	return runScenarios(ctx, o, (*bench).allScenarios)
}

// runScenarios starts a control plane and the program, and measures some kinds
// of work with them.
func runScenarios(ctx context.Context, o options, scenarios func(*bench) []scenario) error {
	dir, err := os.MkdirTemp("", "fairlead-bench-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer os.RemoveAll(dir)
	fmt.Println("starting a control plane")
	control, err := cluster.Start(ctx, cluster.Options{})
	if err != nil {
		return err
	}
	defer control.Stop() //nolint:errcheck // the process ends anyway
	config := control.RESTConfig()
	config.QPS = -1
	b := &bench{options: o}
	if o.only == "sync" {
		if err := b.serveChart(); err != nil {
			return err
		}
		defer b.charts.Close()
	}
	if b.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	if b.apps, err = client.New(config); err != nil {
		return err
	}
	if err := b.prepare(ctx, dir); err != nil {
		return err
	}
	if err := b.measureFloor(ctx); err != nil {
		return fmt.Errorf("measuring the floor: %w", err)
	}
	b.kubeconfig, b.data = control.Kubeconfig(), filepath.Join(dir, "data")
	if err := b.start(ctx); err != nil {
		return err
	}
	defer func() { _ = b.program.stop() }() // the outcome was printed
	return b.measure(ctx, scenarios(b))
}

// start runs the program, and waits until it is ready.
func (b *bench) start(ctx context.Context) (err error) {
	if b.metrics, err = freeAddress(); err != nil {
		return err
	}
	if b.api, err = freeAddress(); err != nil {
		return err
	}
	b.program, err = start(b.binary, b.verbose, "run", "--kubeconfig", b.kubeconfig, "--namespace", controlPlane,
		"--insecure", "--listen", b.api, "--metrics-listen", b.metrics, "--profile", "--data-dir", b.data)
	if err != nil {
		return err
	}
	if err := ready(ctx, "http://"+b.metrics+"/readyz"); err != nil {
		return errors.Join(err, b.program.stop())
	}
	return nil
}

// ready waits until the program answers that it can serve.
func ready(ctx context.Context, url string) error {
	return until(ctx, time.Minute, "the program to be ready", func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil // it does not listen yet
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK, nil
	})
}

// until polls a condition, often enough for times of tens of milliseconds.
func until(ctx context.Context, limit time.Duration, what string, condition func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		done, err := condition()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-ticker.C:
		}
	}
}

func freeAddress() (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func applyOptions() metav1.PatchOptions {
	force := true
	return metav1.PatchOptions{FieldManager: "bench", Force: &force}
}
