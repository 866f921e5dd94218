package worker

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// startTimeout is how long a worker may take until it is ready.
const startTimeout = 30 * time.Second

// process is a worker as its parent knows it.
type process struct {
	o      Options
	cmd    *exec.Cmd
	in     *os.File // what the worker reads
	out    *os.File // what the worker writes
	send   *frameWriter
	reader *frameReader
	stderr *firstWords
	exited chan struct{}

	mu     sync.Mutex
	reason error // why the parent has ended it, or nil

	idleSince time.Time // of the Pool
}

// start starts a worker and waits until it is ready.
func start(ctx context.Context, o Options) (*process, error) {
	p, err := launch(o)
	if err != nil {
		return nil, fmt.Errorf("starting a rendering process: %w", err)
	}
	var w watch
	defer w.end()
	timer := time.AfterFunc(startTimeout, func() { w.kill(p, fmt.Errorf("it was not ready within %v", startTimeout)) })
	defer timer.Stop()
	defer context.AfterFunc(ctx, func() { w.kill(p, context.Cause(ctx)) })()
	_, body, err := p.reader.next(func(k kind) int64 {
		if k == kindHello {
			return 1
		}
		return -1
	})
	if err == nil && (len(body) != 1 || body[0] != protocolVersion) {
		err = fmt.Errorf("%w: the binary has been replaced by another version", errProtocol)
	}
	if err == nil {
		err = limitMemory(p.cmd.Process.Pid, o.MemoryLimit)
	}
	if err != nil {
		p.kill(nil)
		<-p.exited
		if p.reason != nil {
			err = p.reason
		}
		p.close()
		return nil, fmt.Errorf("starting a rendering process: %w (%s)", err, p.stderr.summary())
	}
	return p, nil
}

// launch starts the program in a thread of its own, which stays as long as the worker: what the thread gives up its
// child does not have, and the kernel ends the child with the thread.
func launch(o Options) (*process, error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		closeAll(childIn, in)
		return nil, err
	}
	p := &process{
		o: o, in: in, out: out, send: &frameWriter{w: in}, reader: newFrameReader(out),
		stderr: &firstWords{}, exited: make(chan struct{}),
	}
	arguments := append(o.Command[1:len(o.Command):len(o.Command)], o.memoryArgument())
	p.cmd = exec.Command(o.Command[0], arguments...) //nolint:noctx // it lives longer than any context here, and is ended by kill
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = childIn, childOut, p.stderr
	p.cmd.Env = []string{} // and not the parent's
	p.cmd.Dir = "/"
	p.cmd.WaitDelay = time.Second
	p.cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this function
		confineThread(o.Command[0])
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in its state
			close(p.exited)
		}
	}()
	err = <-started
	closeAll(childIn, childOut)
	if err != nil {
		closeAll(in, out)
		return nil, err
	}
	return p, nil
}

func closeAll(files ...io.Closer) {
	for _, f := range files {
		f.Close()
	}
}

// kill ends the worker and everything that it may have started. The first reason counts.
func (p *process) kill(reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason == nil {
		p.reason = reason
	}
	select {
	case <-p.exited: // its number may be another's by now
	default:
		killGroup(p.cmd.Process)
	}
}

// stop ends a worker that has nothing to do.
func (p *process) stop() {
	p.kill(ErrClosed)
	<-p.exited
	p.close()
}

// close frees what the parent holds of a worker that has ended.
func (p *process) close() { closeAll(p.in, p.out) }

// ending reports whether the parent has decided to end the worker.
func (p *process) ending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason != nil
}

// alive reports whether the worker has not ended.
func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}
