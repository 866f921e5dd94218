package ociregistry

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

// process is a program that runs until it is ended.
type process struct {
	command *exec.Cmd
	done    chan struct{}
	output  output
}

// output keeps the last of what a program says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() > 64<<10 {
		o.text.Reset()
	}
	return o.text.Write(p)
}

// begin starts a program that ends with this one.
func begin(path string, args ...string) (*process, error) {
	p := &process{command: exec.Command(path, args...), done: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	p.command.Env = []string{"OTEL_TRACES_EXPORTER=none"}
	endWithParent(p.command)
	started := make(chan error)
	go func() {
		// The kernel takes the end of the thread that started the program for the end of the parent.
		runtime.LockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			_ = p.command.Wait() // it is killed
			close(p.done)
		}
	}()
	return p, <-started
}

func (p *process) said() string {
	p.output.mu.Lock()
	defer p.output.mu.Unlock()
	return strings.TrimSpace(p.output.text.String())
}

func (p *process) end() {
	_ = p.command.Process.Kill() // fails when it has ended
	<-p.done
}
