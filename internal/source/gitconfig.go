package source

import (
	"errors"
	"fmt"
	"strings"
)

// Bounds of configuration files that a repository brings along.
const (
	maxConfig   = 1 << 20
	maxSettings = 10_000
)

// setting is one line of a git configuration file: section "subsection", key and value. Section and key are in lower
// case.
type setting struct{ section, subsection, key, value string }

var errConfig = errors.New("it is not in git's configuration format")

// parseConfig reads a file in git's configuration format, such as .gitmodules. Includes mean nothing here.
func parseConfig(raw []byte) ([]setting, error) {
	if len(raw) > maxConfig {
		return nil, fmt.Errorf("it has more than %d bytes", maxConfig)
	}
	p := configParser{rest: strings.TrimPrefix(string(raw), "\ufeff")}
	for p.rest != "" {
		if err := p.line(); err != nil {
			return nil, err
		}
		if len(p.found) > maxSettings {
			return nil, fmt.Errorf("it has more than %d settings", maxSettings)
		}
	}
	return p.found, nil
}

type configParser struct {
	rest                string
	section, subsection string
	found               []setting
}

// line reads one section header, setting or comment.
func (p *configParser) line() error {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	switch {
	case p.rest == "":
		return nil
	case p.rest[0] == '#' || p.rest[0] == ';':
		_, p.rest, _ = strings.Cut(p.rest, "\n")
		return nil
	case p.rest[0] == '[':
		return p.header()
	}
	n := 0
	for n < len(p.rest) && isWord(p.rest[n]) {
		n++
	}
	if n == 0 || p.section == "" {
		return errConfig
	}
	one := setting{section: p.section, subsection: p.subsection, key: strings.ToLower(p.rest[:n]), value: "true"}
	p.rest = strings.TrimLeft(p.rest[n:], " \t")
	if strings.HasPrefix(p.rest, "=") {
		p.rest = p.rest[1:]
		value, err := p.value()
		if err != nil {
			return err
		}
		one.value = value
	} else if p.rest != "" && !strings.ContainsAny(p.rest[:1], "\r\n#;") {
		return errConfig
	}
	p.found = append(p.found, one)
	return nil
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

// header reads [section], [section "subsection"] or the old [section.subsection].
func (p *configParser) header() error {
	name, after, ok := strings.Cut(p.rest[1:], "]")
	if quote := strings.IndexByte(p.rest, '"'); quote >= 0 && (!ok || quote <= len(name)) {
		return p.quotedHeader(quote)
	}
	if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != "" {
		return errConfig
	}
	p.section, p.subsection, _ = strings.Cut(strings.ToLower(name), ".")
	p.rest = after
	return nil
}

func (p *configParser) quotedHeader(quote int) error {
	section := strings.TrimRight(p.rest[1:quote], " \t")
	if section == "" || strings.ContainsAny(section, " \t\r\n.]") {
		return errConfig
	}
	var name strings.Builder
	at := quote + 1
	for ; at < len(p.rest) && p.rest[at] != '"'; at++ {
		if p.rest[at] == '\\' {
			at++
		}
		if at >= len(p.rest) || p.rest[at] == '\n' {
			return errConfig
		}
		name.WriteByte(p.rest[at])
	}
	if !strings.HasPrefix(p.rest[min(at, len(p.rest)):], `"]`) {
		return errConfig
	}
	p.section, p.subsection, p.rest = strings.ToLower(section), name.String(), p.rest[at+2:]
	return nil
}

// value reads what stands behind the equals sign, to the end of the line: quotes and escapes are resolved, blanks at
// both ends and comments are left out.
func (p *configParser) value() (string, error) {
	var out strings.Builder
	quoted, keep := false, 0 // keep is the length without blanks at the end
	p.rest = strings.TrimLeft(p.rest, " \t")
	for at := 0; at < len(p.rest); at++ {
		c := p.rest[at]
		switch {
		case c == '\n' || c == '\r' && strings.HasPrefix(p.rest[at:], "\r\n"):
			if quoted {
				return "", errConfig
			}
			p.rest = p.rest[at:]
			return out.String()[:keep], nil
		case c == '"':
			quoted = !quoted
			keep = out.Len()
			continue
		case !quoted && (c == '#' || c == ';'):
			_, p.rest, _ = strings.Cut(p.rest[at:], "\n")
			return out.String()[:keep], nil
		case c == '\\':
			at++
			if at < len(p.rest) && p.rest[at] == '\r' && strings.HasPrefix(p.rest[at:], "\r\n") {
				at++
			}
			if at >= len(p.rest) {
				return "", errConfig
			}
			if p.rest[at] == '\n' {
				continue
			}
			i := strings.IndexByte(`tbn"\`, p.rest[at])
			if i < 0 {
				return "", errConfig
			}
			out.WriteByte("\t\b\n\"\\"[i])
			keep = out.Len()
			continue
		}
		out.WriteByte(c)
		if quoted || c != ' ' && c != '\t' {
			keep = out.Len()
		}
	}
	if quoted {
		return "", errConfig
	}
	p.rest = ""
	return out.String()[:keep], nil
}
