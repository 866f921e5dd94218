package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// Limits bound an archive and what is in it. A zero field takes the value of DefaultLimits.
type Limits struct {
	// Compressed bounds the archive itself, in bytes.
	Compressed int64
	// Unpacked bounds all files together, in bytes.
	Unpacked int64
	// File bounds one file, in bytes.
	File int64
	// Files bounds the number of files, folders and links.
	Files int
	// Depth bounds folders in folders.
	Depth int
}

// DefaultLimits are enough for any chart that people write.
func DefaultLimits() Limits {
	return Limits{Compressed: 32 << 20, Unpacked: 128 << 20, File: 32 << 20, Files: 20_000, Depth: 40}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	setDefault(&l.Compressed, d.Compressed)
	setDefault(&l.Unpacked, d.Unpacked)
	setDefault(&l.File, d.File)
	setDefault(&l.Files, d.Files)
	setDefault(&l.Depth, d.Depth)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

const (
	maxName = 4096 // bytes in a path
	maxLink = 4096 // bytes in the target of a symbolic link
	// perEntry is what an entry may take in a tar archive apart from its content, in bytes.
	perEntry = 8 << 10
)

// Unpack reads a tar archive, which may be compressed by gzip. More than the limits gives source.ErrTooLarge, what leads
// out of the archive source.ErrLinkOutside, what is no archive source.ErrDamaged.
func Unpack(r io.Reader, limits Limits) (*Files, error) {
	limits = limits.withDefaults()
	u := &unpacker{limits: limits, root: newFolder()}
	packed := &bounded{r: r, left: limits.Compressed, what: "archive", limit: limits.Compressed}
	buffered := bufio.NewReader(packed)
	if magic, err := buffered.Peek(2); err != nil {
		return nil, u.explain(err, "reading")
	} else if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, u.explain(err, "decompressing")
		}
		defer z.Close()
		buffered = bufio.NewReader(z)
	}
	// Counts headers, padding, and what is skipped.
	stream := limits.Unpacked + int64(limits.Files)*perEntry
	if err := u.all(tar.NewReader(&bounded{r: buffered, left: stream, what: "unpacked archive", limit: stream})); err != nil {
		return nil, err
	}
	if err := u.checkLinks(u.root, ""); err != nil {
		return nil, err
	}
	u.root.finish()
	return &Files{root: u.root, size: u.bytes}, nil
}

// bounded fails when more than left bytes are read.
type bounded struct {
	r     io.Reader
	left  int64
	limit int64
	what  string
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.exceeded()
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, b.exceeded()
	}
	return n, err
}

func (b *bounded) exceeded() error {
	return fmt.Errorf("%w: the %s has more than %d bytes", source.ErrTooLarge, b.what, b.limit)
}

type unpacker struct {
	limits Limits
	root   *node
	count  int
	bytes  int64
}

func (u *unpacker) explain(err error, doing string) error {
	switch {
	case errors.Is(err, source.ErrTooLarge):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w: the archive ends too early", doing, source.ErrDamaged)
	}
	return fmt.Errorf("%s: %w: %w", doing, source.ErrDamaged, err)
}

func (u *unpacker) all(t *tar.Reader) error {
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			if u.count == 0 {
				return fmt.Errorf("unpacking: %w: the archive holds nothing", source.ErrDamaged)
			}
			return nil
		}
		if err != nil {
			return u.explain(err, "unpacking")
		}
		if err := u.entry(t, h); err != nil {
			return err
		}
	}
}

func (u *unpacker) entry(t *tar.Reader, h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := u.name(h.Name)
	if err != nil {
		return err
	}
	if name == "." {
		if h.Typeflag != tar.TypeDir {
			return fmt.Errorf("%q: %w: the root of an archive is a folder", h.Name, fs.ErrInvalid)
		}
		u.count++
		return nil
	}
	parent, err := u.folder(path.Dir(name))
	if err != nil {
		return err
	}
	base := path.Base(name)
	switch h.Typeflag {
	case tar.TypeDir:
		_, err = u.folder(name)
		return err
	case tar.TypeReg, tar.TypeRegA, tar.TypeCont, tar.TypeGNUSparse: //nolint:staticcheck // old archives have TypeRegA
		data, err := u.content(t, h, name)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if h.Mode&0o111 != 0 {
			mode = 0o755
		}
		return u.put(parent, name, base, &node{mode: mode, data: data})
	case tar.TypeSymlink:
		if len(h.Linkname) > maxLink || !utf8.ValidString(h.Linkname) || strings.ContainsRune(h.Linkname, 0) || h.Linkname == "" {
			return fmt.Errorf("%s: %w: the target of the symbolic link", name, fs.ErrInvalid)
		}
		return u.put(parent, name, base, &node{mode: fs.ModeSymlink | 0o777, target: h.Linkname})
	case tar.TypeLink:
		target, err := u.name(h.Linkname)
		if err != nil {
			return fmt.Errorf("%s: hard link: %w", name, err)
		}
		linked := u.root.at(target)
		if linked == nil || !linked.mode.IsRegular() {
			return fmt.Errorf("%s: %w: the hard link leads to %q, which is no file that came before it", name, source.ErrLinkOutside, target)
		}
		return u.put(parent, name, base, &node{mode: linked.mode, data: linked.data})
	}
	return fmt.Errorf("%s: %w: devices, pipes and the like are not unpacked", name, fs.ErrInvalid)
}

// name checks a path and brings it into the form of io/fs.
func (u *unpacker) name(raw string) (string, error) {
	switch {
	case len(raw) > maxName:
		return "", fmt.Errorf("%.40q…: %w: the path has more than %d bytes", raw, source.ErrTooLarge, maxName)
	case !utf8.ValidString(raw) || strings.ContainsAny(raw, "\x00\\"):
		return "", fmt.Errorf("%q: %w: the path has bytes that are not allowed", raw, fs.ErrInvalid)
	case strings.HasPrefix(raw, "/"):
		return "", fmt.Errorf("%q: %w: the path is absolute", raw, source.ErrLinkOutside)
	}
	for part := range strings.SplitSeq(raw, "/") {
		if part == ".." {
			return "", fmt.Errorf("%q: %w: the path leads up with two dots", raw, source.ErrLinkOutside)
		}
	}
	name := path.Clean(raw)
	if strings.Count(name, "/") >= u.limits.Depth {
		return "", fmt.Errorf("%.80q: %w: folders are nested more than %d deep", name, source.ErrTooLarge, u.limits.Depth)
	}
	return name, nil
}

// folder finds or makes a folder.
func (u *unpacker) folder(name string) (*node, error) {
	at := u.root
	if name == "." {
		return at, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		next, ok := at.children[part]
		if !ok {
			next = newFolder()
			if err := u.put(at, name, part, next); err != nil {
				return nil, err
			}
		}
		if !next.mode.IsDir() {
			return nil, fmt.Errorf("%s: %w: %s is a file or a link and a folder too", name, fs.ErrInvalid, part)
		}
		at = next
	}
	return at, nil
}

// put adds a node. Of two files of one name the later stays, as when unpacking to disk.
func (u *unpacker) put(parent *node, name, base string, n *node) error {
	if u.count++; u.count > u.limits.Files {
		return fmt.Errorf("%w: the archive has more than %d files", source.ErrTooLarge, u.limits.Files)
	}
	if old, ok := parent.children[base]; ok && old.mode.IsDir() {
		return fmt.Errorf("%s: %w: it is a folder and a file too", name, fs.ErrInvalid)
	}
	parent.children[strings.Clone(base)] = n
	return nil
}

func (u *unpacker) content(t *tar.Reader, h *tar.Header, name string) ([]byte, error) {
	if h.Size > u.limits.File {
		return nil, fmt.Errorf("%s: %w: it has %d bytes, the limit is %d", name, source.ErrTooLarge, h.Size, u.limits.File)
	}
	if u.bytes+h.Size > u.limits.Unpacked {
		return nil, fmt.Errorf("%w: the files have more than %d bytes", source.ErrTooLarge, u.limits.Unpacked)
	}
	var data bytes.Buffer
	data.Grow(int(min(h.Size, 256<<10)) + bytes.MinRead) // the header may promise what does not come
	if _, err := data.ReadFrom(t); err != nil {
		return nil, u.explain(err, name)
	}
	u.bytes += int64(data.Len())
	return bytes.Clone(data.Bytes()), nil
}

// checkLinks refuses symbolic links that lead out of the archive.
func (u *unpacker) checkLinks(n *node, at string) error {
	for name, child := range n.children {
		full := path.Join(at, name)
		switch {
		case child.mode.IsDir():
			if err := u.checkLinks(child, full); err != nil {
				return err
			}
		case child.mode&fs.ModeSymlink != 0:
			target := path.Join(at, child.target)
			if strings.HasPrefix(child.target, "/") || target == ".." || strings.HasPrefix(target, "../") {
				return fmt.Errorf("%s: %w: it points to %q", full, source.ErrLinkOutside, child.target)
			}
		}
	}
	return nil
}
