package kubelet

import (
	"context"
	"io"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/shell"
)

// executor carries out kubectl exec in one container.
type executor struct {
	target target
	now    func() time.Time
}

// ExecInContainer implements remotecommand.Executor.
func (e executor) ExecInContainer(ctx context.Context, _, _, _ string, words []string, in io.Reader, out, errOut io.WriteCloser, tty bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if in == nil {
		in = strings.NewReader("")
	}
	if out == nil {
		out = discard{}
	}
	if errOut == nil {
		errOut = out
		if !tty {
			errOut = discard{}
		}
	}
	s := newSession(ctx, e.target, e.now, in, out, errOut)
	if tty {
		s.useTerminal()
	}
	code := s.start(words)
	if code == 0 {
		return nil
	}
	return utilexec.CodeExitError{Err: exitError(code), Code: code}
}

// discard is an io.WriteCloser that drops everything.
type discard struct{}

// Write implements io.Writer.
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Close implements io.Closer.
func (discard) Close() error { return nil }

// exitError is the error of a command that ended with this exit code.
type exitError int

// Error implements error.
func (exitError) Error() string { return "the command failed" }

// start runs the command line of an exec: a shell with a script, a shell that
// reads its input, or a single command.
func (s *session) start(words []string) int {
	if script, exitOnError, ok := shell.Script(words); ok {
		s.exitOnError = exitOnError
		s.script(script)
		return s.code
	}
	if len(words) > 0 && shell.IsShell(words[0]) {
		s.interactive()
		return s.code
	}
	s.command(words)
	return s.code
}

// script runs commands until one of them exits.
func (s *session) script(text string) {
	for _, c := range s.parse(text) {
		if c.After == "&&" && s.code != 0 || c.After == "||" && s.code == 0 {
			continue
		}
		s.command(c.Words)
		if s.exited || s.exitOnError && s.code != 0 {
			s.exited = true
			return
		}
	}
}

// parse reads a script, and says so when it is beyond this shell. None of it
// is run then, as with a mistake in the syntax.
func (s *session) parse(text string) []shell.Command {
	commands, ok := shell.Parse(text, s.variable)
	if !ok {
		s.fail(2, "sh: this container is simulated, and its shell knows only simple commands, ;, && and ||")
		return nil
	}
	return commands
}

// interactive runs a shell on the input, with a prompt and line editing when
// it is a terminal.
func (s *session) interactive() {
	for !s.exited {
		if s.terminal != nil {
			s.print(s.workDir + " $ ")
		}
		text, more := s.readLine()
		if strings.TrimSpace(text) != "" {
			s.script(text)
		}
		if !more {
			return
		}
	}
}
