package kubelet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// session is one exec: a shell's state and its streams.
type session struct {
	ctx         context.Context
	target      target
	now         func() time.Time
	in          *bufio.Reader
	out, errOut io.Writer
	terminal    io.Writer // where typed characters are shown; nil without a terminal
	variables   map[string]string
	order       []string // names of variables in the order of env
	workDir     string
	code        int
	exited      bool
	exitOnError bool
}

func newSession(ctx context.Context, t target, now func() time.Time, in io.Reader, out, errOut io.Writer) *session {
	s := &session{
		ctx: ctx, target: t, now: now, in: bufio.NewReader(in), out: out, errOut: errOut,
		variables: map[string]string{}, workDir: "/",
	}
	if t.spec.WorkingDir != "" {
		s.workDir = t.spec.WorkingDir
	}
	s.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	s.set("HOSTNAME", t.pod.Name)
	s.set("HOME", "/root")
	s.set("KUBERNETES_SERVICE_HOST", "10.96.0.1")
	s.set("KUBERNETES_SERVICE_PORT", "443")
	for _, variable := range t.spec.Env {
		s.set(variable.Name, s.valueOf(variable))
	}
	return s
}

func (s *session) set(name, value string) {
	if _, known := s.variables[name]; !known {
		s.order = append(s.order, name)
	}
	s.variables[name] = value
}

// variable returns the value that $name has in a command.
func (s *session) variable(name string) string {
	switch name {
	case "?":
		return strconv.Itoa(s.code)
	case "PWD":
		return s.workDir
	}
	return s.variables[name]
}

func (s *session) print(text string) { _, _ = io.WriteString(s.out, text) }

// fail ends a command with an exit code and a message.
func (s *session) fail(code int, format string, args ...any) {
	fmt.Fprintf(s.errOut, format+"\n", args...)
	s.code = code
}

// useTerminal makes the session one at a terminal: what is typed is shown,
// and lines end the way terminals want it.
func (s *session) useTerminal() {
	s.terminal = s.out
	s.out = carriage{s.out}
	s.errOut = s.out
}

// carriage writes line ends as a terminal in raw mode needs them.
type carriage struct{ io.Writer }

// Write implements io.Writer.
func (c carriage) Write(p []byte) (int, error) {
	if _, err := io.WriteString(c.Writer, strings.ReplaceAll(string(p), "\n", "\r\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}

const (
	ctrlC     = 3
	ctrlD     = 4
	backspace = 8
	escape    = 27
	deletion  = 127
)

// readLine returns the next line of the input. more is false at its end.
func (s *session) readLine() (text string, more bool) {
	if s.terminal == nil {
		text, err := s.in.ReadString('\n')
		return text, err == nil
	}
	var typed []byte
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return string(typed), false
		}
		switch {
		case c == '\r' || c == '\n':
			s.print("\n")
			return string(typed), true
		case c == ctrlC:
			s.print("^C\n")
			s.code = 130
			return "", true
		case c == ctrlD && len(typed) == 0:
			s.print("\n")
			return "", false
		case c == backspace || c == deletion:
			if len(typed) > 0 {
				typed = typed[:len(typed)-1]
				_, _ = io.WriteString(s.terminal, "\b \b")
			}
		case c == escape:
			s.skipSequence()
		case c >= ' ':
			typed = append(typed, c)
			_, _ = s.terminal.Write([]byte{c})
		}
	}
}

// skipSequence drops an arrow key and its like.
func (s *session) skipSequence() {
	if c, err := s.in.ReadByte(); err != nil || c != '[' {
		return
	}
	for {
		if c, err := s.in.ReadByte(); err != nil || c >= '@' {
			return
		}
	}
}
