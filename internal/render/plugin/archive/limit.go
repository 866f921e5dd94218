package archive

import (
	"errors"
	"fmt"
	"io"
)

// ErrTooLarge means that there is more to pack or unpack than the limit allows.
var ErrTooLarge = errors.New("too large")

// ErrInvalid means that an archive, or a tree of files, has something in it that is refused.
var ErrInvalid = errors.New("invalid archive")

// Limit bounds what is packed or unpacked, before compression.
type Limit struct {
	// Files bounds files, folders and links together.
	Files int
	// Bytes bounds the content of files together.
	Bytes int64
}

// DefaultLimit is enough for any repository that is worth sending to a plugin.
var DefaultLimit = Limit{Files: 500_000, Bytes: 2 << 30}

// orDefault fills in what is zero.
func (l Limit) orDefault() Limit {
	if l.Files == 0 {
		l.Files = DefaultLimit.Files
	}
	if l.Bytes == 0 {
		l.Bytes = DefaultLimit.Bytes
	}
	return l
}

// budget counts down a limit.
type budget struct {
	limit Limit
	files int
	bytes int64
}

func (b *budget) take(size int64) error {
	b.files++
	b.bytes += size
	switch {
	case b.files > b.limit.Files:
		return fmt.Errorf("%w: more than %d files", ErrTooLarge, b.limit.Files)
	case size < 0 || b.bytes > b.limit.Bytes:
		return fmt.Errorf("%w: more than %d bytes in files", ErrTooLarge, b.limit.Bytes)
	}
	return nil
}

// boundedReader gives ErrTooLarge when more than left bytes are read.
type boundedReader struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: the archive does not end", ErrTooLarge)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
