package render_test

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"
)

func sortStrings(lines []string) []string {
	slices.Sort(lines)
	return lines
}

func utf16Text(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}
