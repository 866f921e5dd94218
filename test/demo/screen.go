package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// screen is where the demo shows what happens. On a terminal the table of Applications is drawn again in place;
// elsewhere every change is a line of its own. It is used by one goroutine.
type screen struct {
	out      io.Writer
	terminal bool
	now      func() time.Time

	drawn int              // lines of the table that stand on the terminal and may be drawn over
	shown map[string]state // what plain output has said of each Application
}

// newScreen shows on file, which is a terminal or not.
func newScreen(file *os.File) *screen {
	info, err := file.Stat()
	return &screen{
		out: file, now: time.Now, shown: map[string]state{},
		terminal: err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb",
	}
}

// Step prints a line about the demo itself.
func (s *screen) Step(format string, args ...any) {
	fmt.Fprintf(s.out, "• "+format+"\n", args...)
}

// Print prints text as it is.
func (s *screen) Print(text string) { fmt.Fprint(s.out, text) }

// Table shows the states of all Applications.
func (s *screen) Table(all []state, passed time.Duration) {
	if !s.terminal {
		for _, now := range all {
			if before := s.shown[now.Name]; now.Sync != "" && before != now {
				s.Change(change{before: before, now: now})
				s.shown[now.Name] = now
			}
		}
		return
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "APPLICATION\tNAMESPACE\tSYNC\tHEALTH\tREVISION\t")
	for _, a := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Name, or(a.Namespace, "-"), or(a.Sync, "…"), or(a.Health, "…"),
			or(a.Revision, "-"), a.Note)
	}
	fmt.Fprintf(w, "%.0f s\n", passed.Seconds())
	w.Flush()

	const (
		up       = "\x1b[%dA" // so many lines
		erase    = "\x1b[J"   // to the end of the screen
		noWrap   = "\x1b[?7l" // a line too long is cut, or the count of lines would be wrong
		wrapping = "\x1b[?7h"
	)
	if s.drawn > 0 {
		fmt.Fprintf(s.out, up, s.drawn)
	}
	fmt.Fprint(s.out, "\r", erase, noWrap, paint(table.String()), wrapping)
	s.drawn = strings.Count(table.String(), "\n")
}

// Freeze leaves the table as it stands; what follows is printed below it.
func (s *screen) Freeze() {
	if s.drawn > 0 {
		fmt.Fprintln(s.out)
	}
	s.drawn = 0
}

// Change prints a line about one Application.
func (s *screen) Change(c change) {
	clock := s.now().Format(time.TimeOnly)
	if c.now.Deleted {
		fmt.Fprintf(s.out, "%s  %-12s  deleted\n", clock, c.now.Name)
		return
	}
	line := fmt.Sprintf("%s  %-12s  %-9s  %-11s  %-7s  %s", clock, c.now.Name, or(c.now.Sync, "…"), or(c.now.Health, "…"),
		c.now.Revision, c.now.Note)
	line = strings.TrimRight(line, " ")
	if s.terminal {
		line = paint(line)
	}
	fmt.Fprintln(s.out, line)
}

// paint gives colour to the words that need a person, and a quiet one to those that do not.
func paint(text string) string {
	const green, amber, red, blue, plain = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[34m", "\x1b[0m"
	return strings.NewReplacer(
		"OutOfSync", amber+"OutOfSync"+plain,
		"Synced", green+"Synced"+plain,
		"Healthy", green+"Healthy"+plain,
		"Progressing", blue+"Progressing"+plain,
		"Degraded", red+"Degraded"+plain,
		"Missing", amber+"Missing"+plain,
		"Unknown", amber+"Unknown"+plain,
	).Replace(text)
}
