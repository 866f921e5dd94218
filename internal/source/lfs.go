package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source/scratch"
)

// lfsConfigFile may say where the LFS server of a repository is.
const lfsConfigFile = ".lfsconfig"

// lfsObject gives the object that a file points to: from the mirror's own folder on disk, or from the server.
func (s *Snapshot) lfsObject(p pointer) ([]byte, error) {
	all := s.mirror.all
	if p.size > all.o.MaxFileSize {
		return nil, fmt.Errorf("%w: its git LFS object has %d bytes, the limit is %d", ErrTooLarge, p.size, all.o.MaxFileSize)
	}
	data, err, _ := s.mirror.lfs.Do(p.oid, func() (any, error) {
		if data, err := s.mirror.keptObject(p); err == nil {
			return data, nil
		}
		data, err := s.fetchObject(p)
		if err == nil {
			if kept := s.mirror.keepObject(p, data); kept != nil {
				all.o.Logger.Warn("a git LFS object cannot be kept in the data directory", "repository", s.repo.URL, "error", kept)
			}
		}
		return data, err
	})
	if err != nil {
		return nil, fmt.Errorf("git LFS object %.12s: %w", p.oid, err)
	}
	return data.([]byte), nil
}

func (s *Snapshot) fetchObject(p pointer) (data []byte, err error) {
	all := s.mirror.all
	ctx, cancel := context.WithTimeout(all.ctx, all.o.FetchTimeout)
	defer cancel()
	stated, err := s.lfsStated()
	if err != nil {
		return nil, s.repo.fail(ErrLFS, nil, "%v", err)
	}
	err = all.withToken(ctx, s.repo, func(repo Repository) error {
		if repo.scheme() == "file" {
			data, err = lfsFile(repo, p)
		} else {
			data, err = s.mirror.lfsDownload(ctx, repo, stated, p)
		}
		if err == nil {
			if problem := p.check(data); problem != nil {
				err = repo.fail(ErrLFS, nil, "%v", problem)
			}
		}
		return err
	})
	return data, err
}

// check compares an object with what the pointer promises.
func (p pointer) check(data []byte) error {
	sum := sha256.Sum256(data)
	if int64(len(data)) != p.size || hex.EncodeToString(sum[:]) != p.oid {
		return errors.New("it is not what the file in the repository promises: size or checksum differ")
	}
	return nil
}

// lfsStated is the URL of the LFS server that the repository states, or empty.
func (s *Snapshot) lfsStated() (string, error) {
	raw, err := s.topFile(lfsConfigFile)
	if err != nil || raw == nil {
		return "", err
	}
	settings, err := parseConfig(raw)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", lfsConfigFile, err)
	}
	stated := ""
	for _, one := range settings {
		if one.section == "lfs" && one.subsection == "" && one.key == "url" {
			stated = one.value
		}
	}
	if stated == "" {
		return "", nil
	}
	if s.repo.overHTTP() && sameHost(s.repo.URL, stated) {
		return strings.TrimRight(stated, "/"), nil
	}
	if hostName(s.repo.URL) == hostName(stated) && !s.repo.overHTTP() {
		return "", nil // the server that ssh leads to says where its objects are
	}
	return "", fmt.Errorf("%s names an LFS server on another host than the repository's, which is not asked", lfsConfigFile)
}

// lfsFile reads an object of a repository on this machine.
func lfsFile(repo Repository, p pointer) ([]byte, error) {
	dir := strings.TrimPrefix(repo.URL, "file://")
	for _, store := range []string{"lfs", filepath.Join(".git", "lfs")} {
		f, err := os.Open(filepath.Join(dir, store, "objects", p.oid[:2], p.oid[2:4], p.oid))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, repo.fail(ErrLFS, nil, "reading it from the repository's folder: %v", err)
		}
		defer f.Close()
		return readObject(f, p)
	}
	return nil, repo.fail(ErrLFS, nil, "the repository's folder does not have it")
}

// readObject reads at most what the pointer promises, and one byte to notice more.
func readObject(r io.Reader, p pointer) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, p.size+1))
}

// objectFile is where an object lies: in a folder of the mirror's own, so that nobody is served what somebody else was
// allowed to fetch.
func (m *mirror) objectFile(p pointer) string {
	return filepath.Join(m.all.lfsObjects(), m.id, p.oid[:2], p.oid)
}

func (m *mirror) keptObject(p pointer) ([]byte, error) {
	f, err := os.Open(m.objectFile(p))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readObject(f, p)
	if err == nil {
		err = p.check(data)
	}
	if err == nil {
		now := m.all.o.Now()
		os.Chtimes(f.Name(), now, now) //nolint:errcheck // only costs a download later
	}
	return data, err
}

func (m *mirror) keepObject(p pointer, data []byte) error {
	path := m.objectFile(p)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return scratch.Write(filepath.Dir(path), path, data)
}

func (m *Mirrors) lfsObjects() string { return filepath.Join(m.o.Dir, "lfs") }

// sweepObjects removes objects that have not been used for long, and what killed processes left.
func (m *Mirrors) sweepObjects(now time.Time) {
	scratch.SweepAll(m.lfsObjects())
	filepath.WalkDir(m.lfsObjects(), func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // as far as it goes
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // what cannot be listed is tried again at the next start
		}
		if info, err := d.Info(); err == nil && now.Sub(info.ModTime()) >= m.o.KeepUnused {
			os.Remove(path) //nolint:gosec // nobody else may write to the data directory
		}
		return nil
	})
}
