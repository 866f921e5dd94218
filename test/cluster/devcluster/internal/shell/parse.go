package shell

import "strings"

// Command is one simple command.
type Command struct {
	// Words are the program and its arguments, without quotes. Variables are
	// replaced.
	Words []string
	// After is what joins it to the command before: "", "&&" or "||".
	After string
}

// Parse splits script into simple commands. expand gives the value of a
// variable. ok is false when the script uses anything beyond simple commands;
// the commands returned are then those before that place.
func Parse(script string, expand func(name string) string) (commands []Command, ok bool) {
	p := &parser{rest: script, expand: expand}
	for p.rest != "" {
		if !p.step() {
			return p.commands, false
		}
	}
	p.endCommand("")
	return p.commands, true
}

// parser holds what has been read of a script so far.
type parser struct {
	rest     string
	expand   func(string) string
	commands []Command
	words    []string
	word     strings.Builder
	inWord   bool
	joined   string // how the command being read is joined to the one before
}

// beyond holds the characters that begin constructs which are not understood.
const beyond = "|&<>()`{}*?[]"

// step reads one character or one quoted part. It reports whether it
// understood it.
func (p *parser) step() bool {
	c := p.rest[0]
	switch {
	case strings.HasPrefix(p.rest, "&&"), strings.HasPrefix(p.rest, "||"):
		p.endCommand(p.rest[:2])
		p.rest = p.rest[2:]
	case c == ';' || c == '\n':
		p.endCommand("")
		p.rest = p.rest[1:]
	case c == ' ' || c == '\t' || c == '\r':
		p.endWord()
		p.rest = p.rest[1:]
	case c == '#' && !p.inWord:
		_, after, found := strings.Cut(p.rest, "\n")
		p.rest = ""
		if found {
			p.rest = "\n" + after
		}
	case c == '\'':
		text, after, closed := strings.Cut(p.rest[1:], "'")
		if !closed {
			return false
		}
		p.add(text)
		p.rest = after
	case c == '"':
		return p.doubleQuoted()
	case c == '\\':
		if len(p.rest) < 2 {
			return false
		}
		if p.rest[1] != '\n' {
			p.add(p.rest[1:2])
		}
		p.rest = p.rest[2:]
	case c == '$':
		return p.variable()
	case strings.IndexByte(beyond, c) >= 0:
		return false
	default:
		p.add(p.rest[:1])
		p.rest = p.rest[1:]
	}
	return true
}

func (p *parser) doubleQuoted() bool {
	p.add("")
	p.rest = p.rest[1:]
	for p.rest != "" {
		switch c := p.rest[0]; {
		case c == '"':
			p.rest = p.rest[1:]
			return true
		case c == '\\' && len(p.rest) > 1 && strings.IndexByte("\"\\$`", p.rest[1]) >= 0:
			p.add(p.rest[1:2])
			p.rest = p.rest[2:]
		case c == '`':
			return false
		case c == '$':
			if !p.variable() {
				return false
			}
		default:
			p.add(p.rest[:1])
			p.rest = p.rest[1:]
		}
	}
	return false
}

// variable reads $NAME, ${NAME} and $?; a lone $ stands for itself.
func (p *parser) variable() bool {
	rest := p.rest[1:]
	switch {
	case strings.HasPrefix(rest, "("):
		return false
	case strings.HasPrefix(rest, "{"):
		name, after, closed := strings.Cut(rest[1:], "}")
		if !closed || name == "" || nameLength(name) != len(name) {
			return false
		}
		p.add(p.expand(name))
		p.rest = after
	case strings.HasPrefix(rest, "?"):
		p.add(p.expand("?"))
		p.rest = rest[1:]
	default:
		n := nameLength(rest)
		if n == 0 {
			p.add("$")
		} else {
			p.add(p.expand(rest[:n]))
		}
		p.rest = rest[n:]
	}
	return true
}

// nameLength is how many bytes at the start of s make a variable's name.
func nameLength(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

func (p *parser) add(text string) {
	p.word.WriteString(text)
	p.inWord = true
}

func (p *parser) endWord() {
	if p.inWord {
		p.words = append(p.words, p.word.String())
	}
	p.word.Reset()
	p.inWord = false
}

// endCommand finishes a command; next joins the one that follows.
func (p *parser) endCommand(next string) {
	p.endWord()
	if len(p.words) > 0 {
		p.commands = append(p.commands, Command{Words: p.words, After: p.joined})
		p.joined = next
	}
	p.words = nil
}

// Script returns the script of a command line like sh -c SCRIPT, and whether
// the command line is one. exitOnError tells whether it stops at the first
// command that fails, as with sh -ec.
func Script(words []string) (script string, exitOnError, ok bool) {
	if len(words) < 3 || !IsShell(words[0]) {
		return "", false, false
	}
	for i, word := range words[1:] {
		if !strings.HasPrefix(word, "-") {
			return "", false, false
		}
		exitOnError = exitOnError || strings.Contains(word, "e")
		if strings.HasSuffix(word, "c") && i+2 < len(words) {
			return words[i+2], exitOnError, true
		}
	}
	return "", false, false
}

// IsShell tells whether program is a shell.
func IsShell(program string) bool {
	switch program[strings.LastIndexByte(program, '/')+1:] {
	case "sh", "bash", "ash", "dash":
		return true
	}
	return false
}
