//go:build unix

package command_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/command"
)

func sh(script string) command.Command {
	return command.Command{Args: []string{"sh", "-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}, Grace: 10 * time.Second}
}

func TestACommandSeesItsFolderAndEnvironmentAlone(t *testing.T) {
	t.Setenv("SECRET", "of this process")
	c := sh(`echo "$PWD|$NAME|$SECRET"; echo note >&2`)
	c.Dir = t.TempDir()
	c.Env = append(c.Env, "NAME=first", "NAME=last")
	got, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := dir + "|last|\n"; string(got.Output) != want || got.Errors != "note" {
		t.Errorf("wrote %q and %q, want %q and note", got.Output, got.Errors, want)
	}
}

func TestAFailureSaysWhatTheCommandSaid(t *testing.T) {
	for name, c := range map[string]struct {
		command command.Command
		want    string
	}{
		"an exit status":           {sh("echo '  no chart here ' >&2; exit 3"), "sh -c echo '  no chart here ' >&2; exit 3: exit status 3: no chart here"},
		"a script of many lines":   {sh("true\nexit 4"), "sh -c true …: exit status 4"},
		"a program that is absent": {command.Command{Args: []string{"no-such-program"}}, "is the program part of the plugin's image?"},
		"nothing to run":           {command.Command{}, "there is no command to run"},
		"much to say":              {sh("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1"), "line 2999"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.command.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if err != nil && len(err.Error()) > 10<<10 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestWhatTakesTooLongIsEndedWithItsChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	c := sh(`sleep 1000 & echo $! > ` + file + `; wait`)
	c.Timeout = 300 * time.Millisecond
	_, err := c.Run(t.Context())
	if !errors.Is(err, command.ErrTimeout) {
		t.Fatalf("error %v", err)
	}
	isGone(t, file)
}

func TestWhatIgnoresTheEndIsKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	c := sh(`trap "" TERM; (trap "" TERM; while :; do sleep 1; done) & echo $! > ` + file + `; while :; do sleep 1; done`)
	c.Timeout, c.Grace = 300*time.Millisecond, 100*time.Millisecond
	if _, err := c.Run(t.Context()); !errors.Is(err, command.ErrTimeout) {
		t.Fatalf("error %v", err)
	}
	isGone(t, file)
}

func TestTheEndOfTheContextEndsTheCommand(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	file := filepath.Join(t.TempDir(), "child")
	nobody := errors.New("nobody waits")
	done := make(chan error, 1)
	go func() {
		_, err := sh(`echo $$ > ` + file + `.part; mv ` + file + `.part ` + file + `; sleep 1000`).Run(ctx)
		done <- err
	}()
	pid(t, file)
	cancel(nobody)
	if err := <-done; !errors.Is(err, nobody) {
		t.Errorf("error %v", err)
	}
	isGone(t, file)
}

func TestAFloodIsStopped(t *testing.T) {
	c := sh(`while :; do echo 0123456789012345678901234567890123456789; done`)
	c.MaxOutput = 1 << 20
	if _, err := c.Run(t.Context()); !errors.Is(err, command.ErrTooMuchOutput) {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsLeftRunningIsKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	got, err := sh(`sleep 1000 >/dev/null 2>&1 & echo $! > ` + file + `; echo done`).Run(t.Context())
	if err != nil || string(got.Output) != "done\n" {
		t.Fatalf("%q, %v", got.Output, err)
	}
	isGone(t, file)
}

// pid waits for a file with a process id.
func pid(t *testing.T, file string) int {
	t.Helper()
	for {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			id, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the command did not start")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// isGone waits for the process whose id is in a file to end. A process that nobody has asked about counts as ended.
func isGone(t *testing.T, file string) {
	t.Helper()
	id := pid(t, file)
	for syscall.Kill(id, 0) == nil {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(id) + "/stat")
		if err == nil && strings.Contains(string(state), ") Z ") {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("process %d goes on", id)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
