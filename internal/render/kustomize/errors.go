package kustomize

import (
	"regexp"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// buildError is an error of Kustomize's own. It is render.ErrInvalidManifest.
type buildError struct {
	message string
}

func (e *buildError) Error() string { return e.message }

// Unwrap returns render.ErrInvalidManifest.
func (e *buildError) Unwrap() error { return render.ErrInvalidManifest }

// noise is what Kustomize puts around the reason on the way up through bases, and says nothing to a user.
var noise = []*regexp.Regexp{
	// A folder is first tried as a file, and the error of that attempt comes along with each level.
	regexp.MustCompile(`accumulation err='accumulating resources from '[^']*': (?:'[^']*' must resolve to a file|read [^']*|[^']* is a folder[^']*)': `),
	regexp.MustCompile(`recursed accumulation of path '[^']*': `),
	regexp.MustCompile(`accumulating (?:resources|components): `),
	regexp.MustCompile("(?s)trouble configuring builtin \\w+ with config: `.*?\n`: "),
}

// shorten brings a message of Kustomize into the user's terms: paths of the repository in the place of virtual ones, and
// the reason without the way that it took.
func (p *preparer) shorten(message string) string {
	for _, n := range noise {
		message = n.ReplaceAllString(message, "")
	}
	message = virtualPath.ReplaceAllStringFunc(message, func(virtual string) string {
		end := strings.TrimRight(virtual, ".")
		shown := p.fs.display(end)
		if shown == "." {
			shown = "the root of the repository"
		}
		return shown + virtual[len(end):]
	})
	message = ownName.ReplaceAllString(message, "$1")
	message = markComment.ReplaceAllString(message, "")
	return strings.TrimSpace(message)
}

var (
	// ownName is a file of ours that is named relative to its kustomization.
	ownName = regexp.MustCompile(`(?:\./)?\.fairlead-\d+-([\w.-]+)`)
	// markComment is a comment of ours in a document that a message quotes.
	markComment = regexp.MustCompile(`#fairlead:\d+(?:\\n|\n)?`)
)
