package redisserver

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a Redis server that can be stopped and started again; it forgets everything then.
type Server struct {
	// Address is host:port.
	Address string
	// Password that clients have to give, or empty.
	Password string

	dir     string
	process *exec.Cmd
}

// Start starts a server, which ends with the test. The test is skipped where the program redis-server is not installed.
func Start(t testing.TB, password string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed; .ci/setup does it")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: net.JoinHostPort("127.0.0.1", port), Password: password, dir: t.TempDir()}
	t.Cleanup(s.Stop)
	s.Restart(t)
	return s
}

// Restart starts a server that was stopped, at the same address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	// In a file, because arguments can be seen by everybody on the machine.
	lines := []string{"bind 127.0.0.1", "port " + port, "save \"\"", "appendonly no", "dir " + s.dir, "daemonize no"}
	if s.Password != "" {
		lines = append(lines, "requirepass "+s.Password)
	}
	file := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.process = exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", file)
	out, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "Ready to accept connections") {
				close(ready)
				break
			}
		}
		for lines.Scan() { // so that it never waits for its output to be read
			continue
		}
	}()
	select {
	case <-ready:
	case <-time.After(time.Minute):
		t.Fatal("redis-server did not get ready within a minute")
	}
}

// Stop kills the server.
func (s *Server) Stop() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
