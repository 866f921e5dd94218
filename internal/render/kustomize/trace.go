package kustomize

import (
	"bytes"
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
	marked map[string][]int // numbers of the marks in a file, by its key
}

// place is where an object comes from.
type place struct {
	file string
	// line is zero when that is not known.
	line       int
	kind, name string
	// document is kept when its name is written in an unusual way, until somebody wants to know.
	document []byte
}

const markPrefix = "#fairlead:"

var (
	kindLine  = regexp.MustCompile(`(?m)^kind:[ \t]*["']?([A-Za-z0-9]+)["']?[ \t]*(?:#.*)?\r?$`)
	nameLine  = regexp.MustCompile(`(?m)^metadata:[ \t]*\r?\n(?:[ \t]+.*\n|[ \t]*#.*\n|[ \t]*\r?\n)*?[ \t]+name:[ \t]*["']?([^\s"'#]+)`)
	markText  = regexp.MustCompile(`fairlead:(\d+)`)
	separator = []byte("\n---")
)

// mark puts comments into a file of resources, which key tells from others; file answers for it, and lines says whether
// the lines are those of file. A document that is written in an unusual way gets none.
func (t *trace) mark(key, file string, lines bool, content []byte) []byte {
	if t.marked == nil {
		t.marked = map[string][]int{}
	}
	numbers, again := t.marked[key]
	var noted []int
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
			if !again {
				t.addUnmarked(file, document)
			}
			out.Write(document)
			line += bytes.Count(document, []byte("\n"))
			continue
		}
		var number int
		if again {
			number, numbers = numbers[0], numbers[1:]
		} else {
			number = t.add(file, document, line)
			if !lines {
				t.places[number].line = 0
			}
			noted = append(noted, number)
		}
		out.Write(document[:head])
		out.WriteString(markPrefix + strconv.Itoa(number) + "\n")
		out.Write(document[head:])
		line += bytes.Count(document, []byte("\n"))
	}
	if !again {
		t.marked[key] = noted
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
	if strings.HasSuffix(p.kind, "List") {
		t.addUnmarked(file, document)
	}
	if p.name == "" {
		p.document = document
	}
	return t.remember(p)
}

// addUnmarked notes the places of objects that cannot be marked: JSON, lists, and YAML that is written unusually. Their
// lines are not known.
func (t *trace) addUnmarked(file string, document []byte) {
	var content listed
	if yaml.Unmarshal(document, &content) != nil {
		return
	}
	for _, o := range append(content.Items, content.named) {
		if o.Kind != "" && o.Metadata.Name != "" {
			t.remember(place{file: file, kind: o.Kind, name: o.Metadata.Name})
		}
	}
}

// named is what tells an object apart.
type named struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
}

// listed is an object, or a list of them.
type listed struct {
	named `yaml:",inline"`
	Items []named `yaml:"items"`
}

// remember adds a place, and gives its number.
func (t *trace) remember(p place) int {
	t.places = append(t.places, p)
	return len(t.places) - 1
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
	var left []int // have lost their mark
	for i, r := range objects {
		number := t.found(r)
		if number < 0 {
			left = append(left, i)
			continue
		}
		taken[number] = true
		places[i] = t.places[number]
	}
	if len(left) > 0 {
		t.readNames()
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

// readNames parses the documents whose names are not known yet.
func (t *trace) readNames() {
	for i := range t.places {
		var content named
		if p := &t.places[i]; p.document != nil && yaml.Unmarshal(p.document, &content) == nil {
			p.name, p.document = content.Metadata.Name, nil
		}
	}
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
