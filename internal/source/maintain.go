package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Where a mirror keeps the tips of history that was rewritten: below the day on which they were left.
const leftPrefix = ownPrefix + "left/"

// packedFile holds the size of a mirror's objects after the last time that all of them were packed anew.
const packedFile = "fairlead-packed"

// growth is what a mirror may gain, beside its own size, before all objects are packed anew.
const growth = 64 << 20

// maxLeft bounds the memory for tips that references no longer name.
const maxLeft = 10_000

// maintain keeps the number of packs small after a number of fetches. Once a mirror has doubled since, what rewritten
// history left unreachable longer than Options.KeepRewritten ago is dropped; so a mirror never grows beyond about twice
// of what is reachable and recent, and most maintenance costs what was fetched lately.
func (m *mirror) maintain() {
	if m.fetches++; m.fetches < m.all.o.PackAfter {
		return
	}
	m.fetches = 0
	ctx, cancel := context.WithTimeout(m.all.ctx, m.all.o.FetchTimeout)
	defer cancel()
	err := m.keepLeft(ctx)
	if err == nil {
		_, err = m.git.run(ctx, nil, nil, nil, "pack-refs", "--all")
	}
	switch {
	case err != nil:
	case m.size() > 2*m.packedSize()+growth:
		err = m.repackAll(ctx)
	default:
		_, err = m.git.run(ctx, nil, nil, nil, "repack", "--geometric=2", "-d", "--quiet")
	}
	if err != nil {
		m.all.o.Logger.Warn("maintenance of a mirror failed", "directory", m.git.dir, "error", err)
	}
}

// leave notes the tips that no reference names any more.
func (m *mirror) leave(before, after *refs) {
	if before == nil {
		return
	}
	named := make(map[string]bool, len(after.ids))
	for _, id := range after.ids {
		named[id] = true
	}
	if len(m.left) > maxLeft {
		clear(m.left)
	}
	for _, id := range before.ids {
		if !named[id] {
			m.left[id] = struct{}{}
		}
	}
}

// keepLeft gives a reference to each tip that was left and that no branch or tag contains, and drops such references
// after a while.
func (m *mirror) keepLeft(ctx context.Context) error {
	today := m.all.o.Now().Unix() / 86400
	oldest := today - int64(m.all.o.KeepRewritten/(24*time.Hour))
	var commands strings.Builder
	for id := range m.left {
		out, err := m.git.run(ctx, nil, nil, nil, "rev-list", "--max-count=1", id, "--not", "--branches", "--tags")
		if err == nil && len(out) > 0 {
			fmt.Fprintf(&commands, "update %s%d/%s %s\n", leftPrefix, today, id, id)
		}
	}
	out, err := m.git.run(ctx, nil, nil, nil, "for-each-ref", "--format=%(refname)", leftPrefix)
	if err != nil {
		return err
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		day, _, _ := strings.Cut(strings.TrimPrefix(name, leftPrefix), "/")
		if n, err := strconv.ParseInt(day, 10, 64); err != nil || n < oldest {
			fmt.Fprintf(&commands, "delete %s\n", name)
		}
	}
	if commands.Len() > 0 {
		if _, err := m.git.run(ctx, nil, nil, strings.NewReader(commands.String()), "update-ref", "--stdin"); err != nil {
			return err
		}
	}
	clear(m.left)
	return nil
}

// repackAll packs all objects anew and drops those that nothing names and that are old. Commits that were fetched by
// their id alone lose their reference and count as such from now on.
func (m *mirror) repackAll(ctx context.Context) error {
	out, err := m.git.run(ctx, nil, nil, nil, "for-each-ref", "--format=delete %(refname)", commitsPrefix)
	if err == nil && len(out) > 0 {
		_, err = m.git.run(ctx, nil, nil, strings.NewReader(string(out)), "update-ref", "--stdin")
	}
	if err != nil {
		return err
	}
	expire := strconv.FormatInt(m.all.o.Now().Add(-m.all.o.KeepRewritten).Unix(), 10)
	if _, err := m.git.run(ctx, nil, nil, nil, "repack", "-d", "--quiet", "--cruft", "--cruft-expiration="+expire); err != nil {
		return err
	}
	m.objects.reset() // so that nothing is remembered that is gone
	return os.WriteFile(filepath.Join(m.git.dir, packedFile), []byte(strconv.FormatInt(m.size(), 10)), 0o600)
}

func (m *mirror) packedSize() int64 {
	raw, err := os.ReadFile(filepath.Join(m.git.dir, packedFile))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(raw), 10, 64) // what is not a number is none
	return n
}

// size of the mirror's objects on disk, in bytes.
func (m *mirror) size() int64 { return sizeOf(m.git.dir) }

func sizeOf(dir string) int64 {
	var n int64
	filepath.WalkDir(filepath.Join(dir, "objects"), func(_ string, d fs.DirEntry, err error) error { //nolint:errcheck // as far as it goes
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // files come and go while git runs
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// sizeCheck is how often the size of a mirror is looked at while git fetches into it.
const sizeCheck = 500 * time.Millisecond

// bound ends a fetch into a directory when it grows beyond the limit. stop says whether it did.
func (m *mirror) bound(ctx context.Context, dir string) (bounded context.Context, stop func() error) {
	limit := m.all.o.MaxRepositorySize
	if limit <= 0 {
		return ctx, func() error { return nil }
	}
	ctx, cancel := context.WithCancelCause(ctx)
	over := fmt.Errorf("%w: the limit is %d bytes", ErrRepositoryTooLarge, limit)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(sizeCheck)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if sizeOf(dir) > limit {
					cancel(over)
					return
				}
			case <-done:
				return
			}
		}
	}()
	return ctx, func() error {
		close(done)
		<-ended
		defer cancel(nil)
		if sizeOf(dir) > limit || errors.Is(context.Cause(ctx), ErrRepositoryTooLarge) {
			return over
		}
		return nil
	}
}
