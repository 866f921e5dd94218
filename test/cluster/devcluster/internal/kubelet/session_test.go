package kubelet

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilexec "k8s.io/utils/exec"
)

var testTarget = target{
	pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "namespace-a", Name: "web-0"}},
	spec: corev1.Container{
		Name:         "web",
		Env:          []corev1.EnvVar{{Name: "COLOUR", Value: "green"}},
		VolumeMounts: []corev1.VolumeMount{{MountPath: "/data"}},
	},
}

func TestExec(t *testing.T) {
	for behaviour, test := range map[string]struct {
		command  []string
		input    string
		out, err string
		code     int
	}{
		"echo prints its arguments":        {command: []string{"echo", "a", "b"}, out: "a b\n"},
		"env shows the container's":        {command: []string{"printenv", "COLOUR"}, out: "green\n"},
		"hostname is the pod's name":       {command: []string{"hostname"}, out: "web-0\n"},
		"ls shows mounts":                  {command: []string{"ls", "-d", "/data"}, out: ""},
		"ls complains of what is not":      {command: []string{"ls", "/nowhere"}, err: "ls: /nowhere: No such file or directory\n", code: 1},
		"cat prints a file":                {command: []string{"cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace"}, out: "namespace-a\n"},
		"cat copies its input":             {command: []string{"cat"}, input: "text", out: "text"},
		"an unknown command is not found":  {command: []string{"curl", "x"}, err: "sh: curl: not found\n", code: 127},
		"a script runs":                    {command: []string{"sh", "-c", "echo $COLOUR; cd /etc && pwd; exit 4"}, out: "green\n/etc\n", code: 4},
		"a shell reads its input":          {command: []string{"sh"}, input: "echo one\nfalse || echo two\nexit 5\necho three\n", out: "one\ntwo\n", code: 5},
		"the last exit code is the result": {command: []string{"sh"}, input: "false", code: 1},
		"a pipe is beyond the shell":       {command: []string{"sh", "-c", "echo a; ls | wc"}, err: "sh: this container is simulated, and its shell knows only simple commands, ;, && and ||\n", code: 2},
	} {
		t.Run(behaviour, func(t *testing.T) {
			var out, errOut bytes.Buffer
			e := executor{target: testTarget, now: time.Now}
			err := e.ExecInContainer(t.Context(), "", "", "", test.command, strings.NewReader(test.input), closing{&out}, closing{&errOut}, false, nil, 0)
			code := 0
			if exit, ok := errors.AsType[utilexec.ExitError](err); ok {
				code = exit.ExitStatus()
			} else if err != nil {
				t.Fatal(err)
			}
			if out.String() != test.out || errOut.String() != test.err || code != test.code {
				t.Errorf("got %q, %q, %d", out.String(), errOut.String(), code)
			}
		})
	}
}

func TestExecAtATerminal(t *testing.T) {
	var out bytes.Buffer
	e := executor{target: testTarget, now: time.Now}
	typed := "ecgo\x7f\x7fho hi\x1b[A\rexit\r"
	if err := e.ExecInContainer(t.Context(), "", "", "", []string{"sh"}, strings.NewReader(typed), closing{&out}, nil, true, nil, 0); err != nil {
		t.Fatal(err)
	}
	want := "/ $ ecgo\b \b\b \bho hi\r\nhi\r\n/ $ exit\r\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// closing is a writer with a Close that does nothing.
type closing struct{ io.Writer }

func (closing) Close() error { return nil }

func TestHistory(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	status := &corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(began)}}}

	t.Run("what a command prints is its log", func(t *testing.T) {
		printing := testTarget
		printing.spec.Command = []string{"sh", "-c", "echo a; sleep 5; echo b"}
		if got := texts(printing.history(status, began.Add(4*time.Second))); got != "a" {
			t.Errorf("before the second line: %q", got)
		}
		if got := texts(printing.history(status, began.Add(6*time.Second))); got != "a|b" {
			t.Errorf("after the second line: %q", got)
		}
	})
	t.Run("a server shows signs of life", func(t *testing.T) {
		got := texts(testTarget.history(status, began.Add(25*time.Second)))
		want := "container web of pod namespace-a/web-0 started, image |container web has been running for 10s|container web has been running for 20s"
		if got != want {
			t.Errorf("got %q", got)
		}
	})
	t.Run("the log of an old server is bounded", func(t *testing.T) {
		if got := len(testTarget.history(status, began.Add(24*time.Hour))); got != signsKept+1 {
			t.Errorf("%d lines", got)
		}
	})
}

func texts(lines []line) string {
	var all []string
	for _, l := range lines {
		all = append(all, l.text)
	}
	return strings.Join(all, "|")
}
