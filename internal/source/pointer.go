package source

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// maxPointer bounds files that point to an object of Git LFS, in bytes.
const maxPointer = 1024

// pointer is what a file of Git LFS holds in the place of its content.
type pointer struct {
	oid  string // sha256 of the content in hexadecimal
	size int64
}

// parsePointer reads a file that points to an object: lines of a key and a value, the version first. A file that a
// filter program would have to treat besides (ext- lines) is no pointer for us.
func parsePointer(raw []byte) (pointer, bool) {
	var p pointer
	if len(raw) == 0 || len(raw) > maxPointer {
		return p, false
	}
	first, rest, ok := strings.Cut(string(raw), "\n")
	if !ok || first != "version https://git-lfs.github.com/spec/v1" && first != "version https://hawser.github.com/spec/v1" {
		return p, false
	}
	seen := ""
	for line := range strings.Lines(rest) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch key {
		case "oid":
			if p.oid, ok = strings.CutPrefix(value, "sha256:"); !ok {
				return p, false
			}
		case "size":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return p, false
			}
			p.size = n
		default:
			return p, false
		}
		seen += key + " "
	}
	sum, err := hex.DecodeString(p.oid)
	return p, seen == "oid size " && err == nil && len(sum) == 32 && strings.ToLower(p.oid) == p.oid && p.size >= 0
}
