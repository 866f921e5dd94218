package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// occupy locks the mirror's directory for this process. When another process holds it, a directory of our own is taken,
// after waiting a moment for what may be the last breath of a killed predecessor. Lock files and half-written packs that
// such a one left are removed.
func (m *mirror) occupy() error {
	if m.git.lock != nil {
		return nil
	}
	first := filepath.Join(m.all.repositories(), m.id)
	patience := m.all.o.Now().Add(2 * time.Second)
	for n := 1; ; {
		dir := first
		if n > 1 {
			dir += "-" + strconv.Itoa(n)
		}
		lock, err := lockFile(dir + ".lock")
		if err == nil {
			m.mu.Lock()
			m.git.dir, m.git.lock = dir, lock
			m.mu.Unlock()
			m.tidy()
			return nil
		}
		if missing(err) {
			return err
		}
		switch {
		case n == 1 && m.all.o.Now().Before(patience):
			select {
			case <-time.After(50 * time.Millisecond):
			case <-m.all.ctx.Done():
				return ErrClosed
			}
		case n < 16:
			n++
		default:
			return err
		}
	}
}

// tidy removes what a killed git left behind. The lock is held, so no git is at work here.
func (m *mirror) tidy() {
	filepath.WalkDir(m.git.dir, func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // as far as it goes
		if err != nil {
			return nil //nolint:nilerr // what cannot be listed holds nothing that could be removed
		}
		name := d.Name()
		if d.IsDir() {
			if len(name) == 2 && isHex(name) { // loose objects
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, "tmp_") {
			m.all.o.Logger.Info("removing leftover of a killed git", "file", path)
			os.Remove(path) //nolint:gosec // the folder is locked, and nobody else may write to it
		}
		return nil
	})
	os.RemoveAll(m.git.dir + ".new")
	os.RemoveAll(m.git.dir + ".old")
}

// prepare makes sure that there is a mirror on disk, locked for us.
func (m *mirror) prepare(ctx context.Context) error {
	if _, err := os.Stat(m.all.repositories()); missing(err) {
		// The whole data directory is gone; its key must come back, or the next start would not find the mirrors.
		if err := os.MkdirAll(m.all.repositories(), 0o700); err != nil {
			return err
		}
		if err := m.all.saveKey(m.all.key); err != nil {
			return err
		}
	}
	if err := m.occupy(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(m.git.dir, "HEAD")); err == nil {
		return nil
	}
	m.objects.reset()
	return m.initialize(ctx, m.git)
}

// initialize makes an empty bare repository, from whatever is there.
func (m *mirror) initialize(ctx context.Context, p program) error {
	if err := os.RemoveAll(p.dir); err != nil {
		return err
	}
	dir := p.dir
	p.dir = "" // init does not want GIT_DIR
	_, err := p.run(ctx, nil, nil, nil, "init", "--quiet", "--bare", "--template=", dir)
	return err
}

// swap puts the directory beside in the mirror's place.
func (m *mirror) swap(beside string) error {
	old := m.git.dir + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(m.git.dir, old); err != nil && !missing(err) {
		return err
	}
	if err := os.Rename(beside, m.git.dir); err != nil {
		return err
	}
	m.objects.reset()
	return errors.Join(os.RemoveAll(old))
}
