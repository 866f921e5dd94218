package v1alpha1_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	messageStart = regexp.MustCompile(`^message (\w+) \{$`)
	messageField = regexp.MustCompile(`^  (?:(optional|repeated|required) )?(map<.+>|\S+) (\w+) = (\d+);$`)
)

// Clients of Argo CD read these messages, so testdata/protobuf.txt holds what they expect, one field
// a line, and any field with another number or type breaks them. New fields are added there by hand,
// with numbers from 1000 on.
func TestFieldNumbersAreThoseOfArgoCD(t *testing.T) {
	table, err := os.ReadFile("testdata/protobuf.txt")
	if err != nil {
		t.Fatal(err)
	}
	definition, err := os.ReadFile("generated.proto")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parseTable(string(table)), parseProto(string(definition))); diff != "" {
		t.Errorf("messages differ from testdata/protobuf.txt (-want +got):\n%s", diff)
	}
}

// parseTable returns the type and number of every field: "Message.field" to "label type = number".
func parseTable(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, rest, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
			fields[name] = rest
		}
	}
	return fields
}

// parseProto returns the same for a .proto file, with the names of other packages shortened to their
// last part.
func parseProto(text string) map[string]string {
	const own = ".github.com.fairlead_cd.fairlead.api.v1alpha1."
	fields := map[string]string{}
	message := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := messageStart.FindStringSubmatch(line); m != nil {
			message = m[1]
		}
		if m := messageField.FindStringSubmatch(line); m != nil {
			label, kind, name, number := m[1], strings.ReplaceAll(m[2], own, ""), m[3], m[4]
			kind = strings.NewReplacer("<.", "<", " .", " ").Replace(strings.TrimPrefix(kind, "."))
			fields[message+"."+name] = strings.TrimSpace(label+" "+kind) + " = " + number
		}
	}
	return fields
}
