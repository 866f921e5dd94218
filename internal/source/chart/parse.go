package chart

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/content"
)

const (
	// maxCharts bounds the charts of one index.
	maxCharts = 200_000
	// maxField bounds one field of an entry that is looked at, in bytes.
	maxField = 64 << 10
	// maxText bounds a version or an application's version, in bytes.
	maxText = 256
	// maxURL bounds the address of an archive, in bytes.
	maxURL = 4096
)

// errUnusual means that an index is not written the way that Helm and repository servers write it: block style, one key
// a line. It may still be YAML.
var errUnusual = errors.New("the index is written in an unusual form of YAML")

// parseIndex reads an index as a stream. What is kept of each version is parsed, everything else is skipped by its
// indentation, so that neither time nor memory go into descriptions and annotations.
func parseIndex(r io.Reader) (*encoder, error) {
	p := &parser{
		lines: bufio.NewReaderSize(r, maxField),
		out:   &encoder{charts: map[string]span{}},
	}
	first, err := p.lines.Peek(1)
	if err == nil && first[0] == '{' {
		return parseJSON(p.lines)
	}
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.out, nil
}

// parser reads an index line by line.
type parser struct {
	lines *bufio.Reader
	out   *encoder

	line    []byte // the current line without its end and without a carriage return
	indent  int    // of the current line
	long    bool   // the current line was longer than the buffer; its rest is skipped
	ended   bool
	entries bool // the key "entries" was found
}

// next goes to the next line that is not blank. Comments are lines here: in a block of text they are text.
func (p *parser) next() error {
	for {
		line, err := p.lines.ReadSlice('\n')
		p.long = errors.Is(err, bufio.ErrBufferFull)
		if p.long {
			line = bytes.Clone(line[:4096]) // enough to see what it belongs to
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = p.lines.ReadSlice('\n')
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(line) == 0 && errors.Is(err, io.EOF) {
			p.ended, p.line, p.indent = true, nil, -1
			return nil
		}
		line = bytes.TrimRight(line, "\r\n")
		text := bytes.TrimLeft(line, " ")
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		p.line, p.indent = line, len(line)-len(text)
		return nil
	}
}

// text is the current line without its indentation.
func (p *parser) text() []byte { return p.line[p.indent:] }

func isComment(text []byte) bool { return text[0] == '#' }

func isItem(text []byte) bool { return text[0] == '-' && (len(text) == 1 || text[1] == ' ') }

// document reads the keys at the left margin.
func (p *parser) document() error {
	if err := p.next(); err != nil {
		return err
	}
	if bytes.HasPrefix(p.line, []byte("\xef\xbb\xbf")) {
		p.line = p.line[3:]
	}
	for !p.ended {
		text := p.text()
		if p.indent > 0 || isItem(text) || isComment(text) || bytes.HasPrefix(text, []byte("---")) || text[0] == '%' {
			if err := p.next(); err != nil { // of a key that is not of interest
				return err
			}
			continue
		}
		if bytes.HasPrefix(text, []byte("...")) {
			break
		}
		name, rest, ok := splitKey(text)
		if !ok {
			return fmt.Errorf("%w: %.60q is not a key", errUnusual, text)
		}
		if string(name) != "entries" {
			if err := p.next(); err != nil {
				return err
			}
			continue
		}
		if p.entries {
			return errors.New("the index has the key entries twice")
		}
		p.entries = true
		switch string(rest) {
		case "", "{}", "null", "~":
		default:
			return fmt.Errorf("%w: entries: %.40q", errUnusual, rest)
		}
		if err := p.next(); err != nil {
			return err
		}
		if err := p.charts(); err != nil {
			return err
		}
	}
	if !p.entries {
		return errors.New("it has no key entries")
	}
	return nil
}

// charts reads the keys below entries.
func (p *parser) charts() error {
	names := -1 // their indentation
	for !p.ended && p.indent > 0 {
		text := p.text()
		if isComment(text) {
			if err := p.next(); err != nil {
				return err
			}
			continue
		}
		if names < 0 {
			names = p.indent
		}
		name, rest, ok := splitKey(text)
		if !ok || p.indent != names || isItem(text) {
			return fmt.Errorf("%w: %.60q is not the name of a chart", errUnusual, text)
		}
		switch string(rest) {
		case "", "[]", "null", "~":
		default:
			return fmt.Errorf("%w: the versions of %.60q are not a list below its name", errUnusual, name)
		}
		chart := string(name) // the line is overwritten by the next
		if err := p.next(); err != nil {
			return err
		}
		p.out.begin()
		if err := p.versions(names); err != nil {
			return err
		}
		p.out.end(chart)
		if len(p.out.charts) > maxCharts {
			return fmt.Errorf("%w: the index has more than %d charts", source.ErrTooLarge, maxCharts)
		}
	}
	return nil
}

// versions reads the list below a chart's name, whose items may stand as far left as the name.
func (p *parser) versions(names int) error {
	for !p.ended {
		text := p.text()
		switch {
		case isComment(text):
			if err := p.next(); err != nil {
				return err
			}
		case p.indent < names || p.indent == names && !isItem(text):
			return nil
		case !isItem(text):
			return fmt.Errorf("%w: %.60q is not an item of a list", errUnusual, text)
		default:
			if err := p.version(); err != nil {
				return err
			}
		}
	}
	return nil
}

// version reads one item: a mapping whose first key stands behind the dash or on the next line.
func (p *parser) version() error {
	list := p.indent
	dash := p.text()[1:]
	if inner := bytes.TrimLeft(dash, " "); len(inner) > 0 && !isComment(inner) {
		// The dash is indentation like any other for the mapping.
		p.indent = len(p.line) - len(inner)
	} else {
		if err := p.next(); err != nil {
			return err
		}
		if p.ended || p.indent <= list {
			return nil // an empty item
		}
	}
	keys := p.indent
	var one entry
	for !p.ended && p.indent == keys {
		text := p.text()
		if isComment(text) {
			if err := p.next(); err != nil {
				return err
			}
			continue
		}
		name, rest, ok := splitKey(text)
		if !ok || isItem(text) {
			return fmt.Errorf("%w: %.60q is not a key", errUnusual, text)
		}
		if err := p.field(&one, name, rest, keys); err != nil {
			return err
		}
	}
	if !p.ended && p.indent > list {
		return fmt.Errorf("%w: the indentation of %.60q", errUnusual, p.text())
	}
	if one.Version.Version != "" && one.url != "" {
		p.out.add(one)
	}
	return nil
}

// field reads the value of a key up to the next key, and keeps it where it is of interest.
func (p *parser) field(one *entry, key, rest []byte, keys int) error {
	name := ""
	switch string(key) {
	case "version", "appVersion", "urls", "digest", "created", "deprecated":
		name = string(key)
	case "<<":
		return fmt.Errorf("%w: a key to merge", errUnusual)
	}
	wanted := name != ""
	var first, block []byte
	if wanted {
		if p.long {
			return fmt.Errorf("%w: the field %s is longer than %d bytes", source.ErrTooLarge, name, maxField)
		}
		first = bytes.Clone(rest)
	}
	for {
		if err := p.next(); err != nil {
			return err
		}
		if !p.ended && p.indent <= keys && isComment(p.text()) {
			continue
		}
		// Items of a list may stand as far left as the key that they belong to.
		if p.ended || p.indent < keys || p.indent == keys && !isItem(p.text()) {
			break
		}
		if wanted {
			if p.long || len(block)+len(p.line) > maxField {
				return fmt.Errorf("%w: the field %s is longer than %d bytes", source.ErrTooLarge, name, maxField)
			}
			block = append(append(block, p.line...), '\n')
		}
	}
	if !wanted {
		return nil
	}
	if name == "urls" {
		url, err := firstURL(first, block)
		if len(url) <= maxURL {
			one.url = url
		}
		return err
	}
	value, err := scalar(first, block)
	if err != nil {
		return err
	}
	one.set(name, value)
	return nil
}

// set sets a field to what an index says.
func (e *entry) set(name, value string) {
	switch name {
	case "version":
		if len(value) <= maxText {
			e.Version.Version = value
		}
	case "appVersion":
		if len(value) <= maxText {
			e.AppVersion = value
		}
	case "digest":
		if d := strings.ToLower(strings.TrimPrefix(value, "sha256:")); content.ValidDigest(d) {
			e.Digest = d
		}
	case "created":
		if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
			e.Created = t
		}
	case "deprecated":
		e.Deprecated = value == "true"
	}
}

// splitKey splits "key: value". The key may be quoted.
func splitKey(text []byte) (key, rest []byte, ok bool) {
	if text[0] == '"' || text[0] == '\'' {
		end := bytes.IndexByte(text[1:], text[0])
		if end < 0 || bytes.IndexByte(text[1:1+end], '\\') >= 0 || end+2 >= len(text) || text[end+2] != ':' {
			return nil, nil, false
		}
		key, rest = text[1:1+end], text[end+3:]
	} else {
		at := bytes.IndexByte(text, ':')
		for at >= 0 && at+1 < len(text) && text[at+1] != ' ' {
			next := bytes.IndexByte(text[at+1:], ':')
			if next < 0 {
				return nil, nil, false
			}
			at += 1 + next
		}
		if at <= 0 || strings.IndexByte("{[&*!|>@`?", text[0]) >= 0 {
			return nil, nil, false
		}
		key, rest = bytes.TrimRight(text[:at], " "), text[at+1:]
	}
	if len(rest) > 0 && rest[0] != ' ' {
		return nil, nil, false
	}
	rest = bytes.TrimSpace(rest)
	if len(rest) > 0 && rest[0] == '#' {
		rest = nil
	}
	return key, rest, true
}

// scalar gives the text of a value. What is more than a word on one line is left to a YAML parser.
func scalar(first, block []byte) (string, error) {
	if len(bytes.TrimSpace(block)) == 0 {
		if s, ok := plain(first); ok {
			return s, nil
		}
	}
	var n yaml.Node
	if err := yaml.Unmarshal(fragment(first, block), &n); err != nil {
		return "", fmt.Errorf("%w: %w", errUnusual, err)
	}
	value := valueOf(&n)
	if value == nil || value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
		return "", nil
	}
	return value.Value, nil
}

// plain reads a simple scalar.
func plain(text []byte) (string, bool) {
	if len(text) == 0 {
		return "", true
	}
	switch q := text[0]; {
	case q == '"' || q == '\'':
		end := len(text) - 1
		if end < 1 || text[end] != q || bytes.IndexByte(text[1:end], q) >= 0 || bytes.IndexByte(text[1:end], '\\') >= 0 {
			return "", false
		}
		return string(text[1:end]), true
	case q >= '0' && q <= '9' || q >= 'a' && q <= 'z' || q >= 'A' && q <= 'Z':
		s := string(text)
		if s == "null" || s == "Null" || s == "NULL" {
			return "", true
		}
		return s, !strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":")
	}
	return "", false
}

// firstURL gives the first of a list. Helm looks at no other either.
func firstURL(first, block []byte) (string, error) {
	if len(first) == 0 {
		line, _, _ := bytes.Cut(block, []byte("\n"))
		if item, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("- ")); ok {
			rest := bytes.TrimSpace(block[len(line):])
			if s, ok := plain(bytes.TrimSpace(item)); ok && (len(rest) == 0 || isItem(rest)) {
				return s, nil
			}
		}
	}
	var n yaml.Node
	if err := yaml.Unmarshal(fragment(first, block), &n); err != nil {
		return "", fmt.Errorf("%w: %w", errUnusual, err)
	}
	if list := valueOf(&n); list != nil && list.Kind == yaml.SequenceNode && len(list.Content) > 0 &&
		list.Content[0].Kind == yaml.ScalarNode {
		return list.Content[0].Value, nil
	}
	return "", nil
}

// fragment is a document of one key with a value.
func fragment(first, block []byte) []byte {
	out := append([]byte("v: "), first...)
	return append(append(out, '\n'), block...)
}

func valueOf(document *yaml.Node) *yaml.Node {
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil
	}
	mapping := document.Content[0]
	if mapping.Kind != yaml.MappingNode || len(mapping.Content) != 2 {
		return nil
	}
	return mapping.Content[1]
}
