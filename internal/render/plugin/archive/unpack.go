package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// UnpackOptions are the options of Unpack.
type UnpackOptions struct {
	// PreserveMode keeps the permissions that the archive states. Otherwise no file can be executed.
	PreserveMode bool
	// Limit bounds what is unpacked; zero fields are those of DefaultLimit.
	Limit Limit
}

// Unpack unpacks a compressed tar file below a folder, which should be empty. Nothing is written outside of it, and no
// link in it leads out of it. After an error what is there is of no use and is the caller's to remove.
func Unpack(r io.Reader, root *os.Root, o UnpackOptions) error {
	zip, err := gzip.NewReader(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return fmt.Errorf("%w: it is not compressed with gzip: %w", ErrInvalid, err)
	}
	defer zip.Close()
	return UnpackTar(zip, root, o)
}

// UnpackTar is Unpack for a tar file that is not compressed.
func UnpackTar(r io.Reader, root *os.Root, o UnpackOptions) error {
	o.Limit = o.Limit.orDefault()
	u := unpacker{root: root, preserve: o.PreserveMode, budget: budget{limit: o.Limit}}
	// Content, headers and padding: an archive of the largest size has less than this.
	bounded := &boundedReader{r: r, left: o.Limit.Bytes + int64(o.Limit.Files)*8<<10 + 1<<20}
	archive := tar.NewReader(bounded)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return classify(err)
		}
		if err := u.entry(header, archive); err != nil {
			return err
		}
	}
	return u.makeLinks()
}

// Copy copies a tree to a folder, with its permissions, as packing and unpacking would.
func Copy(ctx context.Context, s Source, root *os.Root) error {
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := s.WriteTar(ctx, w)
		w.CloseWithError(err)
		done <- err
	}()
	err := UnpackTar(r, root, UnpackOptions{PreserveMode: true, Limit: s.Limit})
	r.CloseWithError(errors.New("unpacking has ended"))
	if packing := <-done; err == nil || packing != nil && errors.Is(err, packing) {
		err = packing
	}
	return err
}

func classify(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}

type unpacker struct {
	root     *os.Root
	preserve bool
	budget   budget
	links    []link
}

// link is a symbolic link that is made once everything else is there, so that nothing is written by way of it.
type link struct{ name, target string }

func (u *unpacker) entry(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name := strings.TrimSuffix(header.Name, "/")
	name = strings.TrimPrefix(name, "./")
	if name == "" || name == "." {
		return nil
	}
	if !fs.ValidPath(name) || strings.Contains(name, "\x00") {
		return fmt.Errorf("%w: %q is no name of a file below the archive's root", ErrInvalid, header.Name)
	}
	if err := u.budget.take(0); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return u.folder(name)
	case tar.TypeReg:
		return u.file(name, header, content)
	case tar.TypeSymlink:
		u.links = append(u.links, link{name, header.Linkname})
		return nil
	}
	return fmt.Errorf("%w: %q is neither a file, a folder nor a symbolic link", ErrInvalid, header.Name)
}

func (u *unpacker) folder(name string) error {
	if err := u.root.MkdirAll(name, 0o755); err != nil {
		return fmt.Errorf("%w: making the folder %s: %w", ErrInvalid, name, err)
	}
	return nil
}

func (u *unpacker) file(name string, header *tar.Header, content io.Reader) error {
	u.budget.files-- // it has been counted
	if err := u.budget.take(header.Size); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if u.preserve {
		mode = fs.FileMode(header.Mode) & fs.ModePerm
	}
	if dir := path.Dir(name); dir != "." {
		if err := u.folder(dir); err != nil {
			return err
		}
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return fmt.Errorf("%w: making the file %s: %w", ErrInvalid, name, err)
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return classify(fmt.Errorf("unpacking %s: %w", name, err))
	}
	if u.preserve {
		if err := f.Chmod(mode); err != nil { // whatever the process's mask is
			f.Close()
			return fmt.Errorf("unpacking %s: %w", name, err)
		}
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("unpacking %s: %w", name, err)
	}
	return nil
}

// makeLinks makes the links, and then sees whether one leads out: by itself, or by way of others.
func (u *unpacker) makeLinks() error {
	for _, l := range u.links {
		if dir := path.Dir(l.name); dir != "." {
			if err := u.folder(dir); err != nil {
				return err
			}
		}
		if err := u.root.Symlink(l.target, l.name); err != nil {
			return fmt.Errorf("%w: making the symbolic link %s: %w", ErrInvalid, l.name, err)
		}
	}
	for _, l := range u.links {
		_, err := u.root.Stat(l.name)
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
			continue // leads to something below the root, or nowhere
		}
		return fmt.Errorf("%w: the symbolic link %s leads to %s, out of the archive: %w", ErrInvalid, l.name, l.target, err)
	}
	return nil
}
