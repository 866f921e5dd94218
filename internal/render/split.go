package render

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// document is one YAML document of a file.
type document struct {
	text []byte
	line int // of the file at which the text begins, from 1
	says int // line at which it begins to say something
}

// splitYAML cuts a file into its documents. Documents of nothing but comments, directives and blank lines are left out.
func splitYAML(content []byte) []document {
	var documents []document
	current := document{line: 1}
	flush := func() {
		if blank := blankLines(current.text); blank >= 0 {
			current.says = current.line + blank
			documents = append(documents, current)
		}
	}
	line := 0
	for rest := content; len(rest) > 0; {
		line++
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		text := rest[:end]
		rest = rest[end:]
		switch {
		case isMarker(text, "---"):
			flush()
			current = document{line: line}
			if tail := bytes.TrimSpace(text[3:]); len(tail) > 0 && tail[0] != '#' {
				current.text = append([]byte("   "), text[3:]...) // columns stay what they are
			} else {
				current.text = []byte("\n")
			}
		case isMarker(text, "..."):
			flush()
			current = document{line: line + 1}
		default:
			current.text = append(current.text, text...)
		}
	}
	flush()
	return documents
}

// isMarker reports whether a line is the given marker, alone or before other text.
func isMarker(line []byte, marker string) bool {
	if !bytes.HasPrefix(line, []byte(marker)) {
		return false
	}
	return len(line) == len(marker) || bytes.IndexByte([]byte(" \t\r\n"), line[len(marker)]) >= 0
}

// blankLines counts the lines before a document says anything, or returns -1 when it says nothing.
func blankLines(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return n
		}
		n++
	}
	return -1
}

// decodeText gives the content as UTF-8 without a byte order mark; files of Windows editors may be in UTF-16.
func decodeText(content []byte) []byte {
	switch {
	case bytes.HasPrefix(content, []byte("\xef\xbb\xbf")):
		return content[3:]
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
		return fromUTF16(content[2:], binary.LittleEndian)
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		return fromUTF16(content[2:], binary.BigEndian)
	}
	return content
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	out := make([]byte, 0, len(b))
	for _, r := range utf16.Decode(units) {
		out = utf8.AppendRune(out, r)
	}
	return out
}
