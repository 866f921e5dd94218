package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/controlplane"
	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pki"
	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/simulation"
)

// startWithin bounds the start; a cluster is normally ready in a few seconds.
const startWithin = 2 * time.Minute

// up holds the flags of the command up.
type up struct {
	dir           string
	port          int
	kubeconfigOut string
	verbose       bool
	remove        bool
	out           io.Writer
}

func newUpCommand() *cobra.Command {
	u := &up{}
	command := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Run a cluster in the foreground until SIGTERM or SIGINT",
		Long: `Run a cluster in the foreground until SIGTERM or SIGINT.

All state lies below DIR; starting again on the same DIR brings back the same
cluster. Everything listens on 127.0.0.1 only.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			u.out = command.OutOrStdout()
			return u.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&u.dir, "dir", "", "folder for all state, made when missing (required)")
	flags.IntVar(&u.port, "port", 0, "port of the API server on 127.0.0.1 (default: the one used last time on this folder, or a free one)")
	flags.StringVar(&u.kubeconfigOut, "kubeconfig-out", "", "also write the kubeconfig to this file; it is removed at the end")
	flags.BoolVar(&u.verbose, "verbose", false, "log to standard error instead of DIR/log")
	flags.BoolVar(&u.remove, "remove", false, "remove DIR at the end")
	if err := command.MarkFlagRequired("dir"); err != nil {
		panic(err)
	}
	return command
}

func (u *up) run(ctx context.Context) error {
	began := time.Now()
	dir, err := filepath.Abs(u.dir)
	if err != nil {
		return fmt.Errorf("resolving %s: %w", u.dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for all state: %w", err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if u.remove {
		defer os.RemoveAll(dir)
	}
	logs, err := openLogs(dir, u.verbose)
	if err != nil {
		return err
	}
	defer logs.close()
	listener, err := listen(dir, u.port)
	if err != nil {
		return err
	}

	starting, cancel := context.WithTimeoutCause(ctx, startWithin, errors.New("it took too long, see "+logs.path))
	defer cancel()
	plane, err := controlplane.Start(starting, controlplane.Options{
		Dir: dir, Listener: listener, EtcdLog: logs.etcd, Logger: logs.logger,
	})
	if err != nil {
		return interrupted(ctx, err)
	}
	defer plane.Stop()
	live, end := context.WithCancel(context.Background())
	defer end()
	if err := simulation.Start(starting, live, plane, logs.logger); err != nil {
		return interrupted(ctx, err)
	}

	kubeconfig, remove, err := u.writeKubeconfig(dir, plane)
	if err != nil {
		return err
	}
	defer remove()
	fmt.Fprintf(u.out, "devcluster ready in %.1fs: KUBECONFIG=%s %s\n", time.Since(began).Seconds(), kubeconfig, plane.URL)

	select {
	case <-ctx.Done():
		return nil
	case err := <-plane.Failed():
		return fmt.Errorf("%w; see %s", err, logs.path)
	}
}

// interrupted hides the error of a start that was called off by a signal.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// writeKubeconfig writes the administrator's kubeconfig below dir and, when
// asked to, to a second place, which remove clears.
func (u *up) writeKubeconfig(dir string, plane *controlplane.ControlPlane) (path string, remove func(), err error) {
	path = filepath.Join(dir, "kubeconfig")
	if err := plane.Certs.WriteKubeconfig(path, pki.Admin, plane.URL); err != nil {
		return "", nil, err
	}
	if u.kubeconfigOut == "" {
		return path, func() {}, nil
	}
	if err := plane.Certs.WriteKubeconfig(u.kubeconfigOut, pki.Admin, plane.URL); err != nil {
		return "", nil, err
	}
	return u.kubeconfigOut, func() { os.Remove(u.kubeconfigOut) }, nil
}

// listen opens the API server's port: the one asked for, else the one that
// this folder had last time, else a free one.
func listen(dir string, port int) (net.Listener, error) {
	remembered := filepath.Join(dir, "port")
	if port == 0 {
		if text, err := os.ReadFile(remembered); err == nil {
			if listener, err := net.Listen("tcp4", "127.0.0.1:"+string(text)); err == nil {
				return listener, nil
			}
		}
	}
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("opening the port of the API server: %w", err)
	}
	chosen := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(remembered, []byte(chosen), 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("remembering the port of the API server: %w", err)
	}
	return listener, nil
}
