package kustomize

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// buildError is an error of Kustomize's own. It is render.ErrInvalidManifest.
type buildError struct {
	message string
}

func (e *buildError) Error() string { return e.message }

// Unwrap returns render.ErrInvalidManifest.
func (e *buildError) Unwrap() error { return render.ErrInvalidManifest }

// clearer is what to make of a part of Kustomize's messages.
type clearer struct {
	pattern *regexp.Regexp
	with    string
}

// clearers take away the way that an error took up through the bases, and bring types of the library into words.
var clearers = []clearer{
	// A folder is first tried as a file.
	{regexp.MustCompile(`accumulation err='accumulating resources from '[^']*': (?:'[^']*' must resolve to a file|read [^']*|[^']* is a folder[^']*)': `), ""},
	// And a file is tried as a folder too, when it cannot be read.
	{regexp.MustCompile(`(?s)accumulation err='(?:accumulating|merging) resources from '[^']*': (.*)': must build at directory: '([^']*)': file is not directory`), `$2: $1`},
	{regexp.MustCompile(`recursed (?:accumulation of|merging from) path '[^']*': `), ""},
	{regexp.MustCompile(`accumulating (?:resources|components): `), ""},
	{regexp.MustCompile(`accumulating resources from '([^']*)': `), "$1: "},
	{regexp.MustCompile(`couldn't make target for path '[^']*': `), ""},
	{regexp.MustCompile("(?s)trouble configuring builtin \\w+ with config: `.*?\n`: "), ""},
	{regexp.MustCompile(`merging from generator &\{[^}]*\}: `), ""},
	{regexp.MustCompile(`resid\.ResId\{Gvk:resid\.Gvk\{Group:"([^"]*)", Version:"[^"]*", Kind:"([^"]*)"[^}]*\}, Name:"([^"]*)", Namespace:"[^"]*"\}`), `$2 $3`},
	{regexp.MustCompile(`\.?\[no(?:Ns|Grp|Ver)\]`), ""},
	{regexp.MustCompile(`missing metadata\.name in object \{\{\S* (\S*)\} .*\}\}`), "the $1 has no metadata.name; add it"},
	{regexp.MustCompile(`MalformedYAMLError: (.*) in File: \S+`), "invalid YAML: $1"},
	// What follows is the document itself.
	{regexp.MustCompile(`(?s) for the following resource:\n.*`), ""},
	{regexp.MustCompile(`(?s)line \[[\d ]*\] has invalid utf8 bytes.*`), "a line is not UTF-8"},
	{regexp.MustCompile(`#fairlead:\d+(?:\\n|\n)?`), ""},
}

var (
	quotedStep = regexp.MustCompile(`^(?:accumulateDirectory|loader\.New):? ("(?:[^"\\]|\\.)*")$`)
	// ownName is a file of ours that is named relative to its kustomization.
	ownName = regexp.MustCompile(`(?:\./)?\.fairlead-\d+-([\w.-]+)`)
)

// shorten brings a message of Kustomize into the user's terms: paths of the repository in the place of virtual ones, and
// the reason without the way that it took.
func (p *preparer) shorten(message string) string {
	for _, c := range clearers {
		message = c.pattern.ReplaceAllString(message, c.with)
	}
	if m := quotedStep.FindStringSubmatch(message); m != nil {
		if inner, err := strconv.Unquote(m[1]); err == nil {
			message = p.shorten(inner)
		}
	}
	message = virtualPath.ReplaceAllStringFunc(message, func(found string) string {
		virtual := strings.TrimRight(found, ".")
		shown := p.fs.display("/" + strings.TrimLeft(virtual, "./"))
		if shown == "." {
			shown = "the root of the repository"
		}
		return shown + found[len(virtual):]
	})
	message = ownName.ReplaceAllString(message, "$1")
	return p.fs.hide(strings.TrimSpace(message))
}

// decrypted is a file whose plain text must not be told.
type decrypted struct {
	plain, cipher []byte
}

// hide blots out the words of decrypted files. Kustomize quotes documents in some of its messages.
func (f *filesystem) hide(message string) string {
	for _, d := range f.decrypted {
		for word := range bytes.FieldsFuncSeq(d.plain, func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune(`"',:={}[]`, r)
		}) {
			if len(word) >= 3 && !bytes.Contains(d.cipher, word) {
				message = strings.ReplaceAll(message, string(word), "***")
			}
		}
	}
	return message
}
