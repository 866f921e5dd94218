package apply

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// mostCauses and mostWords bound what is repeated of an answer.
	mostCauses = 5
	mostWords  = 1000
)

// said returns the words of an error that tell something, in short.
func said(err error) string {
	status, ok := statusOf(err)
	if !ok {
		return shortened(err.Error())
	}
	if status.Details == nil || !apierrors.IsInvalid(err) {
		return shortened(preamble.ReplaceAllString(status.Message, ""))
	}
	causes := status.Details.Causes
	var parts []string
	for _, cause := range causes {
		if cause.Field != "" {
			parts = append(parts, cause.Field+": "+detail(cause.Message))
		}
	}
	if len(parts) == 0 {
		return shortened(preamble.ReplaceAllString(status.Message, ""))
	}
	if more := len(parts) - mostCauses; more > 0 {
		parts = append(parts[:mostCauses], fmt.Sprintf("and %d more", more))
	}
	return shortened(strings.Join(parts, "; "))
}

// preamble is how the API server begins: with the object, which the sentence
// names already.
var preamble = regexp.MustCompile(`^(\S+ "[^"]*" is (forbidden|invalid): |` + typedPatchFailed + ` \([^)]*\): (errors:\s*)?|` +
	conversionFailed + ` \([^)]*\) to proper version: (unable to convert unstructured object to [^:]*: )?(error decoding from json: )?)`)

// detail is the message of a cause without the value that it quotes: such a
// value can be a whole pod.
func detail(message string) string {
	message, _, _ = strings.Cut(message, "\n@@") // a difference in Go's terms
	rest, ok := strings.CutPrefix(message, "Invalid value: ")
	if !ok {
		return message
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		if words, ok := strings.CutPrefix(rest[len(quoted):], ": "); ok {
			if len(quoted) < 60 {
				return quoted + ": " + words
			}
			return words
		}
	}
	if composite.MatchString(rest) {
		for _, end := range []string{"}: ", "]: "} {
			if at := strings.LastIndex(rest, end); at >= 0 {
				return rest[at+len(end):]
			}
		}
	}
	return rest
}

// composite is how a quoted value begins that is no string: as JSON or in Go's terms.
var composite = regexp.MustCompile(`^(\{|\[|map\[|&?[\w.\[\]*]+\{)`)

func shortened(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= mostWords {
		return text
	}
	return strings.ToValidUTF8(text[:mostWords], "") + "…"
}
