package worker

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// firstWords keeps the beginning of what a worker writes to standard error. It is never shown as a whole: a crash of Go
// may print values.
type firstWords struct {
	mu   sync.Mutex
	text []byte
}

// maxWords bounds what is kept.
const maxWords = 16 << 10

// Write implements io.Writer.
func (w *firstWords) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, b[:min(len(b), maxWords-len(w.text))]...)
	return len(b), nil
}

func (w *firstWords) has(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Contains(w.text, []byte(text))
}

// summary is what can be told of it: the runtime's own words, or where a panic happened.
func (w *firstWords) summary() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	said := ""
	for line := range strings.Lines(string(w.text)) {
		line = strings.TrimSpace(line)
		function, _, isFrame := strings.Cut(line, "(")
		switch {
		case strings.HasPrefix(line, "fatal error: "), strings.HasPrefix(line, "panic: runtime error: "):
			return line
		case strings.HasPrefix(line, "fairlead: "), strings.HasPrefix(line, "SIG"):
			return line
		case strings.HasPrefix(line, "panic: "):
			said = "panic"
		case said != "" && isFrame && strings.Contains(function, ".") && !strings.Contains(function, " ") && function != "panic" &&
			!isRuntime(function):
			return said + " in " + function
		}
	}
	if said == "" {
		return "without a word"
	}
	return said
}

// death is how a worker ended that the parent did not end.
type death struct {
	err error
	// outside: it was not the request's fault.
	outside bool
}

// diagnose tells why a worker has ended, from its status and its last words.
func diagnose(state *os.ProcessState, words *firstWords, memoryLimit int64) death {
	signal, signalled := strings.CutPrefix(state.String(), "signal: ")
	signal, _, _ = strings.Cut(signal, " (")
	switch {
	case state.ExitCode() == statusMemory, words.has("out of memory"), words.has("cannot allocate memory"):
		return death{err: memoryError(memoryLimit)}
	case words.has("stack exceeds"), words.has("stack overflow"):
		return death{err: stackError()}
	case signalled && slices.Contains([]string{"killed", "terminated", "hangup", "interrupt"}, signal), words.has("SIGQUIT: quit"):
		return death{err: fmt.Errorf("%w (%s); if nobody did that, the system may have run out of memory", ErrKilled, state), outside: true}
	}
	return death{err: fmt.Errorf("%w: the process ended with %s: %s", ErrCrashed, state, words.summary())}
}
