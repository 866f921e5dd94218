package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxMessage bounds what is kept of the messages of a git program, in bytes.
const maxMessage = 16 << 10

// gitError is a git program that ended badly. Its message may contain secrets and must be redacted before it is shown.
type gitError struct {
	command string
	stderr  string
	err     error
}

func (e *gitError) Error() string {
	if e.stderr == "" {
		return fmt.Sprintf("git %s: %v", e.command, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.stderr)
}

func (e *gitError) Unwrap() error { return e.err }

// program runs git in one mirror's directory.
type program struct {
	path string   // of git
	env  []string // base environment
	dir  string   // GIT_DIR; empty when the command needs none
	// lock is inherited by every process, so that the mirror stays locked as long as one of them lives.
	lock *os.File
}

// config collects git configuration that is given to one command by its environment.
type config [][2]string

func (c *config) set(key, value string) { *c = append(*c, [2]string{key, value}) }

func (c config) environ() []string {
	env := []string{"GIT_CONFIG_COUNT=" + strconv.Itoa(len(c))}
	for i, kv := range c {
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+kv[0], "GIT_CONFIG_VALUE_"+n+"="+kv[1])
	}
	return env
}

// hermetic is the configuration that every command gets.
func hermetic() config {
	return config{
		{"gc.auto", "0"},
		{"maintenance.auto", "false"},
		{"core.hooksPath", os.DevNull},
		{"credential.helper", ""},
		{"safe.directory", "*"},
		{"protocol.version", "2"},
		{"fetch.recurseSubmodules", "false"},
		{"core.askPass", ""},
	}
}

// hermeticEnv keeps the installation's and the user's configuration away and makes git never ask anybody.
func hermeticEnv(base []string) []string {
	env := slices.DeleteFunc(slices.Clone(base), func(kv string) bool { return strings.HasPrefix(kv, "GIT_") })
	return append(env,
		"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_ALLOW_PROTOCOL=file:http:https:ssh",
	)
}

func (p program) command(ctx context.Context, c config, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = append(hermeticEnv(p.env), env...)
	cmd.Env = append(cmd.Env, append(hermetic(), c...).environ()...)
	if p.dir != "" {
		cmd.Env = append(cmd.Env, "GIT_DIR="+p.dir)
	}
	if p.lock != nil {
		cmd.ExtraFiles = []*os.File{p.lock}
	}
	// git starts helpers of its own; ending the group ends them all.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// run runs a git command to its end and returns what it printed.
func (p program) run(ctx context.Context, c config, env []string, input io.Reader, args ...string) ([]byte, error) {
	cmd := p.command(ctx, c, env, args...)
	cmd.Stdin = input
	stderr := tail{limit: maxMessage}
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = errors.Join(cause, err)
	}
	return nil, &gitError{command: args[0], stderr: strings.TrimSpace(string(stderr.kept)), err: err}
}

// tail keeps the last limit bytes written to it.
type tail struct {
	kept  []byte
	limit int
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// summary is the part of git's messages that says what went wrong: the lines that begin with a known mark, or all.
func summary(stderr string) string {
	var lines []string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		for _, mark := range []string{"fatal:", "error:", "remote:", "ssh:"} {
			if rest, ok := strings.CutPrefix(line, mark); ok && strings.TrimSpace(rest) != "" {
				lines = append(lines, strings.TrimSpace(rest))
			}
		}
	}
	if len(lines) == 0 {
		return string(bytes.Join(bytes.Fields([]byte(stderr)), []byte(" ")))
	}
	return strings.Join(slices.Compact(lines), "; ")
}
