package pods

import (
	"math"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/shell"
)

// Program is what a container does.
type Program struct {
	// Prints are the lines that it writes, in order.
	Prints []Print
	// Ends tells whether it ends at all.
	Ends bool
	// After is how long it runs when it ends.
	After time.Duration
	// ExitCode is how it ends.
	ExitCode int32
}

// Print is one line that a program writes.
type Print struct {
	// At is the time since the program began.
	At   time.Duration
	Text string
}

// ProgramOf returns what a container does: command and args are read as a
// command line, and as a script when they start a shell with -c. true, false,
// exit, sleep and echo do what they say; whatever else runs on for ever, or,
// when completes is set, ends well at once.
func ProgramOf(c *corev1.Container, completes bool) Program {
	var p Program
	words := append(append([]string(nil), c.Command...), c.Args...)
	script, exitOnError, isScript := shell.Script(words)
	if !isScript {
		if len(words) == 0 || !p.do(words) {
			p.Ends = completes
			return p
		}
		p.Ends = true
		return p
	}
	environment := map[string]string{}
	for _, variable := range c.Env {
		environment[variable.Name] = variable.Value
	}
	commands, understood := shell.Parse(script, func(name string) string { return environment[name] })
	p.run(commands, understood, exitOnError, completes)
	return p
}

// run adds what the commands of a script do.
func (p *Program) run(commands []shell.Command, understood, exitOnError, completes bool) {
	for _, command := range commands {
		if command.After == "&&" && p.ExitCode != 0 || command.After == "||" && p.ExitCode == 0 {
			continue
		}
		if command.Words[0] == "set" {
			exitOnError = exitOnError || len(command.Words) > 1 && strings.HasPrefix(command.Words[1], "-") && strings.Contains(command.Words[1], "e")
			continue
		}
		if !p.do(command.Words) {
			understood = false
			break
		}
		if command.Words[0] == "exit" || exitOnError && p.ExitCode != 0 {
			p.Ends = true
			return
		}
	}
	p.Ends = understood || completes
	if !understood {
		p.ExitCode = 0
	}
}

// do adds one command and reports whether it was understood.
func (p *Program) do(words []string) bool {
	args := words[1:]
	switch words[0][strings.LastIndexByte(words[0], '/')+1:] {
	case "true", ":":
		p.ExitCode = 0
	case "false":
		p.ExitCode = 1
	case "exit":
		if len(args) == 0 {
			return true
		}
		code, err := strconv.ParseUint(args[0], 10, 8)
		if err != nil {
			return false
		}
		p.ExitCode = int32(code)
	case "sleep":
		d, ok := Sleep(args)
		if !ok {
			return false
		}
		p.After += d
		p.ExitCode = 0
	case "echo":
		p.Prints = append(p.Prints, Print{At: p.After, Text: strings.Join(args, " ")})
		p.ExitCode = 0
	default:
		return false
	}
	return true
}

// Sleep adds up the arguments of the command sleep: numbers with an optional
// unit s, m, h or d. It does not understand infinity, which never ends.
func Sleep(args []string) (total time.Duration, ok bool) {
	if len(args) == 0 {
		return 0, false
	}
	for _, arg := range args {
		unit := time.Second
		number := strings.TrimRight(arg, "smhd")
		switch arg[len(number):] {
		case "", "s":
		case "m":
			unit = time.Minute
		case "h":
			unit = time.Hour
		case "d":
			unit = 24 * time.Hour
		default:
			return 0, false
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) || n*float64(unit) > math.MaxInt64/2 {
			return 0, false
		}
		total += time.Duration(n * float64(unit))
	}
	return total, true
}
