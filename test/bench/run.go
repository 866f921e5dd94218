//go:build linux

package main

import (
	"context"
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
)

// defaultIdle is long enough for a few polls and lease renewals.
const defaultIdle = 30 * time.Second

type options struct {
	applications int
	namespaces   int
	only         string
	binary       string
	idle         time.Duration
	verbose      bool
	profile      string
}

// bench is one run against one control plane.
type bench struct {
	options
	dynamic  dynamic.Interface
	apps     *client.Client
	repo     *gitserver.Repo
	program  *program
	metrics  string // the address of the program's metrics
	floor    time.Duration
	floorCPU time.Duration
}

const controlPlane = "argocd"

func run(ctx context.Context, o options) error {
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
	if b.metrics, err = freeAddress(); err != nil {
		return err
	}
	b.program, err = start(o.binary, o.verbose, "run", "--kubeconfig", control.Kubeconfig(), "--namespace", controlPlane,
		"--insecure", "--listen", "127.0.0.1:0", "--metrics-listen", b.metrics, "--profile", "--data-dir", filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer b.program.stop() //nolint:errcheck // the outcome was printed
	if err := ready(ctx, "http://"+b.metrics+"/readyz"); err != nil {
		return err
	}
	return b.scenarios(ctx)
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
