package worker_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
)

// surroundings tells, in the worker, what it can do that it should not.
func surroundings() (found []string) {
	note := func(what string) { found = append(found, what) }
	if env := os.Environ(); len(env) > 0 {
		note("environment " + strings.Join(env, " "))
	}
	if _, err := os.ReadFile("/etc/passwd"); err == nil {
		note("reads files")
	}
	if _, err := os.ReadDir("/"); err == nil {
		note("lists folders")
	}
	if err := os.WriteFile("/tmp/fairlead-worker-test", []byte("x"), 0o600); err == nil {
		note("writes files")
		os.Remove("/tmp/fairlead-worker-test")
	}
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		note("has a network")
		l.Close()
	}
	if err := exec.Command("/bin/true").Run(); err == nil {
		note("runs programs")
	}
	if err := syscall.Kill(os.Getppid(), 0); err == nil {
		note("signals its parent")
	}
	if _, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid())); err == nil {
		note("sees its parent's environment")
	}
	for fd := 3; fd < 64; fd++ {
		var s unix.Stat_t
		if unix.Fstat(fd, &s) == nil && s.Mode&unix.S_IFMT != 0 {
			note(fmt.Sprintf("has file descriptor %d", fd))
		}
	}
	return found
}

func TestAWorkerHasNothing(t *testing.T) {
	if worker.RaceDetector {
		t.Skip("the race detector reads files and keeps memory")
	}
	t.Setenv("FAIRLEAD_TEST_SECRET", "x")
	leak, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0) // and not closed at exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak)
	p := newPool(t, worker.Options{})
	r, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("look around"))
	if err != nil {
		t.Fatal(err)
	}
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	for _, what := range strings.Split(r.Digest, "\n") {
		switch {
		case what == "", errno != 0 && strings.Contains(what, "files"), errno != 0 && strings.Contains(what, "folders"):
		default:
			t.Errorf("the worker %s (Landlock %d)", what, version)
		}
	}
}

func TestAWorkerEndsWithItsParent(t *testing.T) {
	if pid := os.Getenv("FAIRLEAD_TEST_PARENT"); pid != "" {
		// The parent of this test: it has a worker in the middle of a request, and is killed.
		p := newPool(t, worker.Options{})
		in := &stopping{MapFS: five(), reached: make(chan struct{}), goOn: make(chan struct{})}
		go func() {
			<-in.reached
			fmt.Fprintln(os.Stdout, "worker", p.PIDs()[0])
		}()
		_, err := p.Render(t.Context(), render.Inputs{Files: in}, app("web"))
		t.Fatal("it should have been killed by now", err)
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestAWorkerEndsWithItsParent$")
	parent.Env = append(os.Environ(), "FAIRLEAD_TEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	if _, err := fmt.Fscanf(out, "worker %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	for deadline := time.Now().Add(30 * time.Second); running(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the worker %d outlives its parent", pid)
		}
	}
}

// running reports whether a process is there and no zombie.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestMemoryComesBack(t *testing.T) {
	if worker.RaceDetector {
		t.Skip("the race detector reads files and keeps memory")
	}
	for name, limit := range map[string]int64{"the worker gives it back": 1 << 30, "the worker is replaced": 160 << 20} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, worker.Options{Workers: 1, MemoryLimit: limit})
			if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web")); err != nil {
				t.Fatal(err)
			}
			before := resident(t, p.PIDs())
			if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("grow")); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(30 * time.Second); resident(t, p.PIDs()) > before+50<<20; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d MiB before, %d MiB now", before>>20, resident(t, p.PIDs())>>20)
				}
			}
			if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web")); err != nil {
				t.Error(err)
			}
		})
	}
}

// resident is the memory of processes.
func resident(t *testing.T, pids []int) (sum int64) {
	t.Helper()
	for _, pid := range pids {
		statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		var size, pages int64
		if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
			t.Fatal(err)
		}
		sum += pages * int64(os.Getpagesize())
	}
	return sum
}
