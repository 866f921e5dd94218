package cluster

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
)

func TestLogsShowWhatACommandPrints(t *testing.T) {
	f := parallel(t)
	c := container("c", "")
	c.Command = []string{"sh", "-c", "echo one; echo two; sleep 1; echo three"}
	f.pod("c", corev1.RestartPolicyNever, c)
	eventually(t, "Running running", f.phase("c"))

	read := func(o *corev1.PodLogOptions) string {
		t.Helper()
		text, err := f.client.CoreV1().Pods(f.namespace).GetLogs("c", o).DoRaw(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := read(&corev1.PodLogOptions{Follow: true}); got != "one\ntwo\nthree\n" {
		t.Errorf("followed to the end, the log is %q", got)
	}
	if got := read(&corev1.PodLogOptions{TailLines: new(int64(1))}); got != "three\n" {
		t.Errorf("the last line is %q", got)
	}
	stamp, _, _ := strings.Cut(read(&corev1.PodLogOptions{Timestamps: true}), " ")
	if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil {
		t.Errorf("a line begins with %q", stamp)
	}
}

func TestLogsOfAContainerThatWaitsAreAnError(t *testing.T) {
	f := parallel(t)
	c := container("c", "")
	c.Image = "registry.invalid/c"
	f.pod("c", corev1.RestartPolicyNever, c)
	eventually(t, "Pending ImagePullBackOff", f.phase("c"))
	_, err := f.client.CoreV1().Pods(f.namespace).GetLogs("c", &corev1.PodLogOptions{}).Stream(t.Context())
	if err == nil || !strings.Contains(err.Error(), "waiting to start") {
		t.Errorf("the error is %v", err)
	}
}

func TestExecAnswers(t *testing.T) {
	f := parallel(t)
	f.pod("c", corev1.RestartPolicyNever, container("c", "serve"))
	eventually(t, "Running running", f.phase("c"))
	for behaviour, test := range map[string]struct {
		command []string
		input   string
		out     string
		code    int
	}{
		"a command prints":          {[]string{"echo", "hello"}, "", "hello\n", 0},
		"a shell reads its input":   {[]string{"sh"}, "hostname\nexit 4\n", "c\n", 4},
		"an unknown command is 127": {[]string{"curl"}, "", "", 127},
	} {
		for protocol, connect := range map[string]func(string, *corev1.PodExecOptions) (remotecommand.Executor, error){
			"websocket": f.websocket, "spdy": f.spdy,
		} {
			t.Run(behaviour+" over "+protocol, func(t *testing.T) {
				executor, err := connect("c", &corev1.PodExecOptions{
					Command: test.command, Stdin: test.input != "", Stdout: true, Stderr: true,
				})
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				streams := remotecommand.StreamOptions{Stdout: &out, Stderr: io.Discard}
				if test.input != "" {
					streams.Stdin = strings.NewReader(test.input)
				}
				err = executor.StreamWithContext(t.Context(), streams)
				code := 0
				if exit, ok := errors.AsType[exec.CodeExitError](err); ok {
					code = exit.Code
				} else if err != nil {
					t.Fatal(err)
				}
				if out.String() != test.out || code != test.code {
					t.Errorf("got %q and exit code %d", out.String(), code)
				}
			})
		}
	}
}

func (f *fixture) spdy(pod string, o *corev1.PodExecOptions) (remotecommand.Executor, error) {
	request := f.client.CoreV1().RESTClient().Post().Namespace(f.namespace).Resource("pods").Name(pod).
		SubResource("exec").VersionedParams(o, scheme.ParameterCodec)
	return remotecommand.NewSPDYExecutor(f.cluster.RESTConfig(), http.MethodPost, request.URL())
}

func (f *fixture) websocket(pod string, o *corev1.PodExecOptions) (remotecommand.Executor, error) {
	request := f.client.CoreV1().RESTClient().Get().Namespace(f.namespace).Resource("pods").Name(pod).
		SubResource("exec").VersionedParams(o, scheme.ParameterCodec)
	return remotecommand.NewWebSocketExecutor(f.cluster.RESTConfig(), http.MethodGet, request.URL().String())
}
