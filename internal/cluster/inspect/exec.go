package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
)

// ExecRequest says what to run in which container.
type ExecRequest struct {
	Namespace, Pod string
	// Container is the container; empty for the only or the default one.
	Container string
	Command   []string
	// TTY gives the command a terminal; its output and errors then come together.
	TTY bool
	// Stdin, Stdout and Stderr are joined with the command; nil for nothing.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Resize tells the size of the terminal as it changes; nil for none.
	Resize remotecommand.TerminalSizeQueue
}

// Exec runs a command in a container until it ends or ctx does, and returns its exit status.
func (c *Client) Exec(ctx context.Context, r ExecRequest) (status int, err error) {
	where := fmt.Sprintf("running a command in pod %s", r.Pod)
	request := c.kube.CoreV1().RESTClient().Post().Namespace(r.Namespace).Resource("pods").Name(r.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: r.Container, Command: r.Command, TTY: r.TTY,
			Stdin: r.Stdin != nil, Stdout: r.Stdout != nil, Stderr: r.Stderr != nil && !r.TTY,
		}, scheme.ParameterCodec)
	socket, err := remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, request.URL().String())
	if err != nil {
		return 0, fmt.Errorf("%s: %w", where, err)
	}
	// Servers before 1.30, and some proxies, know the older protocol alone.
	spdy, err := remotecommand.NewSPDYExecutor(c.config, http.MethodPost, request.URL())
	if err != nil {
		return 0, fmt.Errorf("%s: %w", where, err)
	}
	executor, err := remotecommand.NewFallbackExecutor(socket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", where, err)
	}
	streams := remotecommand.StreamOptions{Stdin: r.Stdin, Stdout: r.Stdout, Tty: r.TTY, TerminalSizeQueue: r.Resize}
	if !r.TTY {
		streams.Stderr = r.Stderr
	}
	err = executor.StreamWithContext(ctx, streams)
	if exit, ok := errors.AsType[exec.CodeExitError](err); ok {
		return exit.Code, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", where, err)
	}
	return 0, nil
}
