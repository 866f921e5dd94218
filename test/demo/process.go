package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lastLines is how much of a program's log is shown when it dies.
const lastLines = 15

// process is a program that the demo started. It runs in a process group of its own, so that Ctrl-C reaches the demo
// alone, which then ends its programs in order.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended
	err  error         // how it ended; read after done
}

// start starts a program whose output goes to the file log.
func start(name, log, program string, args ...string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	defer file.Close()
	// Not bound to a context: it is to end by SIGTERM and in order, not to be killed.
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = ownGroup()
	p := &process{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer close(p.done)
		// On Linux the end of the thread that started a program ends the program.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w (make builds it)", name, err)
	}
	return p, nil
}

// waitReady waits until url answers with status 200.
func (p *process) waitReady(ctx context.Context, url string) error {
	client := &http.Client{Timeout: time.Second}
	return p.wait(ctx, func() bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// waitLine waits until the program has printed a line that begins with prefix.
func (p *process) waitLine(ctx context.Context, prefix string) error {
	return p.wait(ctx, func() bool {
		text, err := os.ReadFile(p.log)
		return err == nil && (strings.HasPrefix(string(text), prefix) || strings.Contains(string(text), "\n"+prefix))
	})
}

// wait asks ready again and again, until it says yes, the program ends or ctx does.
func (p *process) wait(ctx context.Context, ready func() bool) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", p.name, ctx.Err())
		case <-p.done:
			return p.failure()
		case <-ticker.C:
		}
	}
	return nil
}

// failure describes a program that ended although nobody asked it to.
func (p *process) failure() error {
	how := "without an error"
	if p.err != nil {
		how = p.err.Error()
	}
	text, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Errorf("%s ended by itself (%s), and its log cannot be read: %w", p.name, how, err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[max(0, len(lines)-lastLines):]
	return fmt.Errorf("%s ended by itself (%s); the end of %s:\n  %s", p.name, how, p.log, strings.Join(lines, "\n  "))
}

// stop asks the program to end and kills it when it takes longer than within.
func (p *process) stop(within time.Duration) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing %s: %w", p.name, err)
	}
	<-p.done
	return fmt.Errorf("%s did not end within %s of SIGTERM and was killed; see %s", p.name, within, p.log)
}

// port finds a free port on loopback, the wanted one or one of the next hundred, and says so when it is another.
func (d *demo) port(what string, wanted int) (int, error) {
	for port := wanted; port < wanted+100; port++ {
		// Both kinds of address: another program may hold the port on all interfaces.
		if !free("127.0.0.1", port) || !free("", port) {
			continue
		}
		if port != wanted {
			d.screen.Step("port %d is taken; %d is for %s", wanted, port, what)
		}
		return port, nil
	}
	return 0, fmt.Errorf("no free port for %s from %d to %d", what, wanted, wanted+99)
}

func free(host string, port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
