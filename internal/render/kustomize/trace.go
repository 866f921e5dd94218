package kustomize

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// trace finds the files of objects. Before the kind of each object in a file of resources stands a comment with the
// number of its place; Kustomize keeps comments, and they are no part of what a manifest says. A JSON patch loses them;
// then the place whose kind and name fit, and that nobody else has, is taken.
type trace struct {
	places []place
	known  map[string]int // number of a file's first place, by name
}

// place is where an object comes from.
type place struct {
	file string
	// line is zero when that is not known.
	line       int
	kind, name string
}

const markPrefix = "#fairlead:"

var (
	kindLine  = regexp.MustCompile(`(?m)^kind:[ \t]*["']?([A-Za-z0-9]+)["']?[ \t]*(?:#.*)?\r?$`)
	nameLine  = regexp.MustCompile(`(?m)^metadata:[ \t]*\r?\n(?:[ \t]+.*\n|[ \t]*#.*\n|[ \t]*\r?\n)*?[ \t]+name:[ \t]*["']?([^\s"'#]+)`)
	markText  = regexp.MustCompile(`fairlead:(\d+)`)
	separator = []byte("\n---")
)

// mark puts comments into a file of resources. A document that is written in an unusual way gets none.
func (t *trace) mark(file string, content []byte) []byte {
	switch path.Ext(file) {
	case ".json":
		return content
	}
	next, again := t.known[file]
	var out bytes.Buffer
	out.Grow(len(content) + 64)
	line := 1
	for rest := content; len(rest) > 0; {
		document := rest
		if at := bytes.Index(rest, separator); at >= 0 {
			document = rest[:at+1]
		}
		rest = rest[len(document):]
		head, ok := plainHead(document)
		if !ok {
			out.Write(document)
			line += bytes.Count(document, []byte("\n"))
			continue
		}
		number := next
		if again {
			next++
		} else {
			number = t.add(file, document, line)
		}
		out.Write(document[:head])
		out.WriteString(markPrefix + strconv.Itoa(number) + "\n")
		out.Write(document[head:])
		line += bytes.Count(document, []byte("\n"))
	}
	return out.Bytes()
}

// add notes the place of a document.
func (t *trace) add(file string, document []byte, line int) int {
	p := place{file: file, line: line + leading(document)}
	if m := kindLine.FindSubmatch(document); m != nil {
		p.kind = string(m[1])
	}
	if m := nameLine.FindSubmatch(document); m != nil {
		p.name = string(m[1])
	}
	if t.known == nil {
		t.known = map[string]int{}
	}
	number := len(t.places)
	if _, ok := t.known[file]; !ok {
		t.known[file] = number
	}
	t.places = append(t.places, p)
	return number
}

// leading counts the lines before the first that says something.
func leading(document []byte) int {
	n := 0
	for line := range bytes.Lines(document) {
		text := bytes.TrimSpace(line)
		if len(text) > 0 && text[0] != '#' && !bytes.HasPrefix(text, []byte("---")) {
			return n
		}
		n++
	}
	return 0
}

// plainHead finds the line of the kind, at the first column, in a document that is a plain block mapping up to there,
// so that a comment before it is a comment for sure.
func plainHead(document []byte) (int, bool) {
	at := kindLine.FindIndex(document)
	if at == nil {
		return 0, false
	}
	for line := range bytes.Lines(document[:at[0]]) {
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' || bytes.HasPrefix(line, []byte("---")) && !bytes.ContainsAny(line, `|>"'{[`) {
			continue
		}
		// A quote that is still open at the end of a line may span what looks like a key.
		if bytes.Count(line, []byte(`"`))%2 != 0 || bytes.Count(line, []byte(`'`))%2 != 0 || bytes.ContainsAny(line, "{}[]") {
			return 0, false
		}
	}
	return at[0], true
}

// found gives the place of an object whose comment is still there, or -1.
func (t *trace) found(r *resource.Resource) int {
	node := r.YNode()
	if node == nil {
		return -1
	}
	if number, ok := t.number(node.HeadComment); ok {
		return number
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		for _, n := range []*yaml.Node{node.Content[i], node.Content[i+1]} {
			for _, comment := range []string{n.HeadComment, n.FootComment} {
				if number, ok := t.number(comment); ok {
					return number
				}
			}
		}
	}
	return -1
}

func (t *trace) number(comment string) (int, bool) {
	if comment == "" {
		return 0, false
	}
	all := markText.FindAllStringSubmatch(comment, -1)
	if all == nil {
		return 0, false
	}
	number, err := strconv.Atoi(all[len(all)-1][1])
	return number, err == nil && number < len(t.places)
}

// of gives the places of all objects; those that are not known have no file.
func (t *trace) of(objects []*resource.Resource) []place {
	places := make([]place, len(objects))
	taken := map[int]bool{}
	var left []int
	for i, r := range objects {
		number := t.found(r)
		if number < 0 {
			left = append(left, i)
			continue
		}
		taken[number] = true
		places[i] = t.places[number]
	}
	for _, i := range left {
		kind, name, candidate := objects[i].GetKind(), objects[i].GetName(), -1
		for number, p := range t.places {
			if taken[number] || p.name == "" || p.kind != kind || !strings.Contains(name, p.name) {
				continue
			}
			if candidate >= 0 {
				candidate = -1
				break
			}
			candidate = number
		}
		if candidate >= 0 {
			places[i] = t.places[candidate]
		}
	}
	return places
}

// markOne marks a document that was made from a file, at no line that could be told.
func (t *trace) markOne(file string, document []byte) []byte {
	head, ok := plainHead(document)
	if !ok {
		return document
	}
	number := t.add(file, document, 0)
	t.places[number].line = 0
	return slices.Concat(document[:head], []byte(markPrefix+strconv.Itoa(number)+"\n"), document[head:])
}
