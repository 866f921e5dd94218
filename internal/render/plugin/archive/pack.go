package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// Source is a tree of files to pack.
type Source struct {
	// Files are those of the repository.
	Files fs.FS
	// Root is the folder that is packed; empty is ".".
	Root string
	// Exclude are patterns of path.Match for names relative to Root. A folder that matches is left out whole.
	Exclude []string
	// Limit bounds what is packed; zero fields are those of DefaultLimit.
	Limit Limit
}

// Archive is a packed tree. It lies in a file without a name, which is gone when it is closed or the process ends.
type Archive struct {
	// Checksum is sha256 of the content, in hexadecimal.
	Checksum string
	// Size of the content in bytes.
	Size int64

	file *os.File
}

// Pack packs a tree into a file of the folder dir; empty is the system's folder for such files. Names, order and times
// depend on the tree alone, so equal trees give equal archives.
func Pack(ctx context.Context, dir string, s Source) (*Archive, error) {
	file, err := os.CreateTemp(dir, "archive-*.tgz")
	if err != nil {
		return nil, fmt.Errorf("making a file for the archive: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("making a file for the archive: %w", err)
	}
	hash := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(file, hash), 64<<10)
	zip, err := gzip.NewWriterLevel(buffered, gzip.BestSpeed) // it crosses a local socket
	if err != nil {
		file.Close()
		return nil, err
	}
	if err := errors.Join(s.WriteTar(ctx, zip), zip.Close(), buffered.Flush()); err != nil {
		file.Close()
		return nil, err
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("measuring the archive: %w", err)
	}
	return &Archive{Checksum: hex.EncodeToString(hash.Sum(nil)), Size: size, file: file}, nil
}

// Reader reads the archive from its beginning. There may be several at once.
func (a *Archive) Reader() io.Reader { return io.NewSectionReader(a.file, 0, a.Size) }

// Close gives the space back.
func (a *Archive) Close() error { return a.file.Close() }

// WriteTar writes the tree as a tar file.
func (s Source) WriteTar(ctx context.Context, w io.Writer) error {
	if s.Root == "" {
		s.Root = "."
	}
	for _, pattern := range s.Exclude {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("the exclusion %q is no valid pattern: %w", pattern, err)
		}
	}
	p := packer{Source: s, ctx: ctx, budget: budget{limit: s.Limit.orDefault()}, tar: tar.NewWriter(w)}
	if err := p.folder(s.Root); err != nil {
		return err
	}
	return p.tar.Close()
}

type packer struct {
	Source
	ctx    context.Context // of one call
	budget budget
	tar    *tar.Writer
}

func (p *packer) folder(dir string) error {
	entries, err := fs.ReadDir(p.Files, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := p.ctx.Err(); err != nil {
			return context.Cause(p.ctx)
		}
		name := path.Join(dir, e.Name())
		if p.excluded(name) {
			continue
		}
		if err := p.entry(name, e); err != nil {
			return err
		}
		if e.IsDir() {
			if err := p.folder(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// relative is a name as it stands in the archive.
func (p *packer) relative(name string) string {
	if p.Root == "." {
		return name
	}
	return strings.TrimPrefix(name, p.Root+"/")
}

// excluded reports whether a file or folder is left out. A repository's own folder always is: it is none of its files.
func (p *packer) excluded(name string) bool {
	relative := p.relative(name)
	if name == ".git" {
		return true
	}
	for _, pattern := range p.Exclude {
		if matches, _ := path.Match(pattern, relative); matches { // checked before
			return true
		}
	}
	return false
}

// someTime is the time of all files that have none. Archives of one tree have to be equal, and some programs want no time
// before 1980.
func someTime() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

func (p *packer) entry(name string, e fs.DirEntry) error {
	header := &tar.Header{Name: p.relative(name), ModTime: someTime()}
	switch {
	case e.IsDir():
		header.Typeflag, header.Mode, header.Name = tar.TypeDir, 0o755, header.Name+"/"
		if err := p.budget.take(0); err != nil {
			return err
		}
		return p.tar.WriteHeader(header)
	case e.Type()&fs.ModeSymlink != 0:
		return p.link(name, header)
	case e.Type().IsRegular():
		return p.file(name, header)
	}
	return nil // a socket or the like
}

func (p *packer) file(name string, header *tar.Header) error {
	f, err := p.Files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size, header.Mode = tar.TypeReg, info.Size(), 0o644
	if info.Mode()&0o111 != 0 {
		header.Mode = 0o755
	}
	if err := p.budget.take(header.Size); err != nil {
		return err
	}
	if err := p.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	if _, err := io.Copy(p.tar, f); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	return nil
}

// link packs a symbolic link that stays in what is sent.
func (p *packer) link(name string, header *tar.Header) error {
	target, err := fs.ReadLink(p.Files, name)
	if err != nil {
		return err
	}
	leads := path.Join(path.Dir(name), target)
	inside := !path.IsAbs(target) && fs.ValidPath(leads) &&
		(p.Root == "." || leads == p.Root || strings.HasPrefix(leads, p.Root+"/"))
	if !inside {
		return fmt.Errorf("%w: the symbolic link %s leads to %s, which is outside of what is sent to the plugin; exclude it, or send more of the repository",
			ErrInvalid, name, target)
	}
	if _, err := fs.Stat(p.Files, name); err != nil && !errors.Is(err, fs.ErrNotExist) { // out of the repository by way of other links
		return fmt.Errorf("%w: following the symbolic link %s: %w", ErrInvalid, name, err)
	}
	header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, target, 0o777
	if err := p.budget.take(0); err != nil {
		return err
	}
	return p.tar.WriteHeader(header)
}
