package content

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source/scratch"
)

// Sweep removes what killed processes left behind, records that nobody reads, and blobs above the size, those unused for
// longest first. It runs by itself when much has been written.
func (s *Store) Sweep() {
	if !s.sweeping.TryLock() {
		return
	}
	defer s.sweeping.Unlock()
	s.written.Store(0)
	now := s.o.Now()
	scratch.Sweep(filepath.Join(s.o.Dir, temporary))
	for _, f := range s.files(recordFolder) {
		if now.Sub(f.used) > s.o.KeepUnused {
			os.Remove(f.path)
		}
	}
	blobs := s.files(blobFolder)
	var total int64
	for _, f := range blobs {
		total += f.size
	}
	defer func() { s.swept.Store(total) }()
	if total <= s.o.MaxBytes {
		return
	}
	slices.SortFunc(blobs, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range blobs {
		if total <= s.o.MaxBytes/10*9 {
			break
		}
		if os.Remove(f.path) == nil {
			total -= f.size
		}
	}
}

type file struct {
	path string
	size int64
	used time.Time
}

func (s *Store) files(folder string) []file {
	var found []file
	//nolint:errcheck // as far as it goes
	filepath.WalkDir(filepath.Join(s.o.Dir, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // what cannot be listed cannot be removed either
		}
		if info, err := d.Info(); err == nil {
			found = append(found, file{path: path, size: info.Size(), used: info.ModTime()})
		}
		return nil
	})
	return found
}
