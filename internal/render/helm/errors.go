package helm

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrTemplate means that a template of a chart cannot be parsed or executed.
var ErrTemplate = errors.New("rendering chart")

// tplText is where Helm quotes a text that a template gave to tpl. It comes from values, which may be secret.
var tplText = regexp.MustCompile(`(error during tpl function execution|cannot parse template)( for)? "(?:[^"\\]|\\.)*"`)

// maxErrorLines and maxErrorLength bound an error: templates that include each other give long ones.
const maxErrorLines, maxErrorLength = 12, 4000

// templateError is an error of Helm's engine, which says chart, file and line, in one piece and without what must not be
// shown.
func templateError(err error) error {
	text := tplText.ReplaceAllString(err.Error(), "$1")
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) > maxErrorLines {
		lines = append(append(lines[:maxErrorLines/2:maxErrorLines/2], "..."), lines[len(lines)-maxErrorLines/2:]...)
	}
	text = strings.Join(lines, " ")
	if len(text) > maxErrorLength {
		text = strings.ToValidUTF8(text[:maxErrorLength/2]+" ... "+text[len(text)-maxErrorLength/2:], "")
	}
	return fmt.Errorf("%w: %s", ErrTemplate, text)
}
