package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Command is one command to run.
type Command struct {
	// Args are the program and its arguments.
	Args []string
	// Dir is the folder that it runs in.
	Dir string
	// Env is its whole environment, NAME=value; of a name that occurs twice the last counts.
	Env []string
	// Timeout is how long it may take; zero: as long as the context.
	Timeout time.Duration
	// Grace is how long it has to end by itself after it was told to.
	Grace time.Duration
	// MaxOutput bounds its standard output, in bytes; zero is DefaultMaxOutput.
	MaxOutput int64
}

// DefaultMaxOutput is what one message of gRPC may have in Argo CD.
const DefaultMaxOutput = 100 << 20

// maxErrorOutput bounds what is kept of the standard error output: its end.
const maxErrorOutput = 8 << 10

// Result is what a command that went well has written.
type Result struct {
	// Output is its standard output.
	Output []byte
	// Errors is the end of its standard error output.
	Errors string
}

// Error says why a command failed.
type Error struct {
	// Args are the program and its arguments.
	Args []string
	// Cause is why, in few words: an exit status or a limit.
	Cause error
	// Errors is the end of its standard error output.
	Errors string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %v", abbreviate(strings.Join(e.Args, " ")), e.Cause)
	if e.Errors != "" {
		text += ": " + e.Errors
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Reasons why a command was ended. Test with errors.Is.
var (
	// ErrTimeout: it took longer than it may.
	ErrTimeout = errors.New("it took longer than it may")
	// ErrTooMuchOutput: it wrote more than it may.
	ErrTooMuchOutput = errors.New("it wrote more than it may")
)

// abbreviate shortens a command line, which may hold a whole script.
func abbreviate(line string) string {
	const most = 200
	if first, _, several := strings.Cut(strings.TrimSpace(line), "\n"); several {
		line = first + " …"
	}
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return line
}

// Run runs the command and waits for it. When the context ends, the time is over or the output is too much, all processes
// of its group are told to end (SIGTERM), and after the grace killed. What it leaves running when it ends is killed too.
// The error is an *Error.
func (c Command) Run(ctx context.Context) (Result, error) {
	if len(c.Args) == 0 {
		return Result{}, errors.New("there is no command to run")
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if c.Timeout > 0 {
		timer := time.AfterFunc(c.Timeout, func() { stop(fmt.Errorf("%w: %v", ErrTimeout, c.Timeout)) })
		defer timer.Stop()
	}
	limit := c.MaxOutput
	if limit == 0 {
		limit = DefaultMaxOutput
	}
	out := &bounded{left: limit, full: func() { stop(fmt.Errorf("%w: %d bytes", ErrTooMuchOutput, limit)) }}
	problems := &tail{}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, out, problems
	if cmd.Env == nil {
		cmd.Env = []string{} // nil would be this process's own
	}
	cmd.SysProcAttr = newGroup()
	cmd.Cancel = func() error { return endGroup(cmd.Process) }
	cmd.WaitDelay = max(c.Grace, time.Millisecond) // zero would be without end
	err := cmd.Start()
	if err == nil {
		err = cmd.Wait()
		killGroup(cmd.Process)
	}
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = cause
		if errors.Is(cause, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %w", ErrTimeout, cause)
		}
	}
	switch {
	case errors.Is(err, exec.ErrWaitDelay):
		err = errors.New("it ended, and left processes behind that hold its output open")
	case errors.Is(err, exec.ErrNotFound):
		err = fmt.Errorf("%w: is the program part of the plugin's image?", err)
	}
	if err != nil {
		return Result{}, &Error{Args: c.Args, Cause: err, Errors: problems.String()}
	}
	return Result{Output: out.kept.Bytes(), Errors: problems.String()}, nil
}

// bounded keeps what is written up to a limit. It has no ReadFrom, which would go around that.
type bounded struct {
	kept bytes.Buffer
	left int64
	full func()
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		b.full()
		return 0, os.ErrClosed
	}
	return b.kept.Write(p)
}

// tail keeps the end of what is written.
type tail struct {
	kept []byte
	cut  bool
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if excess := len(t.kept) - maxErrorOutput; excess > 0 {
		t.kept = append(t.kept[:0], t.kept[excess:]...)
		t.cut = true
	}
	return len(p), nil
}

// String is what has been kept.
func (t *tail) String() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(bytes.Trim(t.kept, "\x00")), "�"))
	if t.cut {
		text = "… " + text
	}
	return text
}
