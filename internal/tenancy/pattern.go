package tenancy

import (
	"path"
	"regexp"
	"strings"

	"github.com/gobwas/glob"
)

// pattern is a compiled glob pattern of a project, with or without a ! before it.
type pattern struct {
	text   string
	denies bool
	glob   *glob.Pattern // nil when the pattern cannot be read
}

func compile(text string, separators ...rune) pattern {
	p := pattern{text: text}
	body := text
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		p.denies, body = true, rest
	}
	if g, err := glob.Compile(body, separators...); err == nil {
		p.glob = g
	}
	return p
}

// fits tells whether the pattern lets the value through: one without ! when it matches, one with ! when it does not.
func (p pattern) fits(value string) bool {
	if p.glob == nil {
		return false
	}
	if !p.denies && p.text == "*" {
		return true
	}
	return p.glob.Match(value) != p.denies
}

// matchesKind matches as shell patterns do, and an unreadable pattern matches nothing.
func matchesKind(pattern, value string) bool {
	ok, err := path.Match(pattern, value)
	return ok && err == nil
}

// matcher is an entry of a list of namespaces: a glob pattern, or a regular expression between slashes.
type matcher struct {
	glob   pattern
	regexp *regexp.Regexp
}

func compileMatcher(text string) matcher {
	m := matcher{glob: compile(text)}
	if len(text) > 2 && strings.HasPrefix(text, "/") && strings.HasSuffix(text, "/") {
		if r, err := regexp.Compile(text[1 : len(text)-1]); err == nil {
			m.regexp = r
		}
	}
	return m
}

func (m matcher) matches(value string) bool {
	if m.regexp != nil && m.regexp.MatchString(value) {
		return true
	}
	return !m.glob.denies && m.glob.fits(value)
}
