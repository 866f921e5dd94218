package scratch

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// TestMain lets the test binary be a process that is killed while it writes.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SCRATCH_TEST_DIR"); dir != "" {
		f, err := create(dir)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stdout, f.Name())
		select {}
	}
	os.Exit(m.Run())
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWhatAKilledProcessLeftIsRemovedAtOnce(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "SCRATCH_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Error(err)
	}
	Sweep(dir)
	if left := names(t, dir); len(left) != 1 {
		t.Errorf("while the process writes, %v is left", left)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process was not killed")
	}
	SweepAll(filepath.Dir(dir))
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("after the process was killed, %v is left", left)
	}
}

func TestSweepingDoesNotDisturbWriting(t *testing.T) {
	dir := t.TempDir()
	done := make(chan struct{})
	var sweepers sync.WaitGroup
	sweepers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				Sweep(dir)
			}
		}
	})
	for i := range 500 {
		path := filepath.Join(dir, "whole")
		text := fmt.Sprintf("text %d", i)
		if err := Write(dir, path, []byte("text "), fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Fatalf("%q, %v, want %q", got, err, text)
		}
	}
	close(done)
	sweepers.Wait()
	if left := names(t, dir); len(left) != 1 {
		t.Errorf("%v is left", left)
	}
}

func TestWhatCannotBeWrittenLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, filepath.Join(dir, "absent", "x"), []byte("x")); err == nil {
		t.Error("no error")
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}
