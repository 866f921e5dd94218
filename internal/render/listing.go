package render

import (
	"io"
	"io/fs"
)

// Listing is how far an open folder has been read, of a file system that lists folders as a whole.
type Listing struct {
	entries []fs.DirEntry
	listed  bool
}

// Next gives what fs.ReadDirFile's ReadDir gives, for a folder of a file system.
func (l *Listing) Next(from fs.ReadDirFS, name string, n int) ([]fs.DirEntry, error) {
	if !l.listed {
		entries, err := from.ReadDir(name)
		if err != nil {
			return nil, err
		}
		l.entries, l.listed = entries, true
	}
	if n <= 0 {
		n = len(l.entries)
	} else if len(l.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(l.entries))
	out := l.entries[:n:n]
	l.entries = l.entries[n:]
	return out, nil
}
