package plugin_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/cli"
)

// TestMain lets the test binary be the program: where a test starts it under this name, it is `fairlead`.
func TestMain(m *testing.M) {
	if os.Getenv("PLUGIN_TEST_PROGRAM") == "fairlead" {
		os.Exit(cli.Main())
	}
	os.Exit(m.Run())
}

// socketDir is a folder with a short name: the path of a socket has at most 107 characters.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock") //nolint:usetesting // t.TempDir is named after the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// awaitSocket waits until a socket is there.
func awaitSocket(t *testing.T, socket string) {
	t.Helper()
	for {
		if _, err := os.Lstat(socket); err == nil {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the plugin's socket did not appear")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// sidecar is a plugin in a process of its own.
type sidecar struct {
	cmd    *exec.Cmd
	work   string // folder of the files of requests
	socket string
}

// startSidecar starts `fairlead cmp-server`, under the name of Argo CD's program.
func startSidecar(t *testing.T, sockets, name, config string, env ...string) *sidecar {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "argocd-cmp-server")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	config = "apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata: {name: " + name + "}\n" + config
	if err := os.WriteFile(filepath.Join(dir, "plugin.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &sidecar{work: filepath.Join(dir, "_cmp_server"), socket: filepath.Join(sockets, name+".sock")}
	s.cmd = exec.Command(program, "--config-dir-path", dir, "--loglevel", "warn")
	s.cmd.Env = append(os.Environ(), append([]string{
		"PLUGIN_TEST_PROGRAM=fairlead", "ARGOCD_PLUGINSOCKFILEPATH=" + sockets, "ARGOCD_CMP_WORKDIR=" + dir,
	}, env...)...)
	s.cmd.Stdout, s.cmd.Stderr = t.Output(), t.Output()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(t, syscall.SIGTERM) })
	awaitSocket(t, s.socket)
	return s
}

// end ends the process.
func (s *sidecar) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	if err := s.cmd.Wait(); err != nil && signal == syscall.SIGTERM {
		t.Errorf("the sidecar ended with %v", err)
	}
}
