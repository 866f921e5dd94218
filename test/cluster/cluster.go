package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// stopWithin is how long a cluster may take to end before it is killed.
const stopWithin = 20 * time.Second

// readyPrefix begins the line with which devcluster says that it is ready.
const readyPrefix = "devcluster ready"

// Options say how to start a cluster. The zero value starts one in a folder
// of its own that Stop removes.
type Options struct {
	// Dir holds all state. Starting again on the same folder brings back the
	// same cluster. Empty means a new temporary folder, removed at the end.
	Dir string
	// Port is where the API server listens on 127.0.0.1; 0 picks a free one.
	Port int
	// Binary is the devcluster program; empty means $DEVCLUSTER, then
	// bin/devcluster below the root of this repository.
	Binary string
	// KubeconfigOut is a second place for the kubeconfig, removed at the end.
	KubeconfigOut string
	// Stdout takes what the program prints; nil drops it.
	Stdout io.Writer
}

// Cluster is a running cluster. Its methods may be called concurrently.
type Cluster struct {
	kubeconfig string
	config     *rest.Config
	stop       func() error
}

// Start runs a cluster and returns once it is ready. The context bounds the
// start only; the cluster lives until Stop, and on Linux no longer than this
// process.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	binary, err := findBinary(o.Binary)
	if err != nil {
		return nil, err
	}
	args := []string{"up"}
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "devcluster-"); err != nil {
			return nil, fmt.Errorf("making a folder for the cluster: %w", err)
		}
		args = append(args, "--remove")
	}
	args = append(args, "--dir", dir, "--port", strconv.Itoa(o.Port))
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if o.KubeconfigOut != "" {
		args = append(args, "--kubeconfig-out", o.KubeconfigOut)
	}
	child, err := launch(ctx, exec.Command(binary, args...), o.Stdout)
	if err != nil {
		if o.Dir == "" {
			os.RemoveAll(dir)
		}
		return nil, fmt.Errorf("starting a development cluster in %s: %w", dir, err)
	}
	c, err := connect(kubeconfig)
	if err != nil {
		return nil, errors.Join(err, child.stop())
	}
	c.stop = sync.OnceValue(child.stop)
	return c, nil
}

// connect returns the cluster that a kubeconfig leads to.
func connect(kubeconfig string) (*Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of the cluster: %w", err)
	}
	// The API server's priority and fairness is limit enough.
	config.QPS = -1
	return &Cluster{kubeconfig: kubeconfig, config: config, stop: func() error { return nil }}, nil
}

// Kubeconfig returns the path of a kubeconfig whose user may do everything.
func (c *Cluster) Kubeconfig() string { return c.kubeconfig }

// RESTConfig returns a configuration whose user may do everything, without
// rate limits. It is the caller's own copy.
func (c *Cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

// Stop ends the cluster and waits until it is gone. Further calls return the
// result of the first one. A cluster that Start did not start is left alone.
func (c *Cluster) Stop() error { return c.stop() }

// child is a devcluster process.
type child struct {
	process *os.Process
	exited  chan struct{}
	err     error // how it exited; set before exited is closed
	output  *tail
}

// launch starts command and waits until it says that it is ready.
func launch(ctx context.Context, command *exec.Cmd, stdout io.Writer) (*child, error) {
	if stdout == nil {
		stdout = io.Discard
	}
	c := &child{exited: make(chan struct{}), output: &tail{}}
	command.SysProcAttr = attributes()
	command.Stderr = c.output
	lines, writer := io.Pipe()
	command.Stdout = io.MultiWriter(stdout, writer)
	ready := make(chan struct{})
	go awaitLine(lines, ready)

	started := make(chan error)
	go func() {
		defer close(c.exited)
		defer writer.Close()
		// The kernel ties the child to the thread that started it.
		unlock := holdThread()
		defer unlock()
		err := command.Start()
		started <- err
		if err == nil {
			c.err = command.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("running %s: %w", command.Path, err)
	}
	c.process = command.Process
	select {
	case <-ready:
		return c, nil
	case <-c.exited:
		return nil, fmt.Errorf("it ended before it was ready (%w): %s", c.err, c.output)
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), c.stop())
	}
}

// awaitLine closes ready at the line that says so and drops every other.
func awaitLine(lines io.Reader, ready chan<- struct{}) {
	said := false
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		if !said && strings.HasPrefix(scanner.Text(), readyPrefix) {
			said = true
			close(ready)
		}
	}
}

func (c *child) stop() error {
	if err := c.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the development cluster: %w", err)
	}
	select {
	case <-c.exited:
	case <-time.After(stopWithin):
		if err := c.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("killing the development cluster: %w", err)
		}
		<-c.exited
		return fmt.Errorf("the development cluster did not stop within %s and was killed", stopWithin)
	}
	if c.err != nil {
		return fmt.Errorf("the development cluster ended with an error (%w): %s", c.err, c.output)
	}
	return nil
}

// tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4096

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailSize):]
	return len(p), nil
}

// String returns what was kept, on one line when it is short.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
