package content

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source/scratch"
)

// Options of a Store. Dir is required, every other field has a default.
type Options struct {
	// Dir is the directory. It may be deleted at any time, also while in use.
	Dir string
	// MaxBytes bounds the blobs on disk, default 1 GiB.
	MaxBytes int64
	// MemoryBytes bounds what is kept in memory while the disk cannot be written, default 64 MiB.
	MemoryBytes int64
	// KeepUnused is how long a record that nobody reads is kept, default 30 days.
	KeepUnused time.Duration
	// Logger for what is damaged and what cannot be written; nil discards it.
	Logger *slog.Logger
	// Now is the clock, default time.Now.
	Now func() time.Time
}

// Store keeps blobs and records. It is safe for concurrent use, and other processes may use the same directory.
type Store struct {
	o      Options
	key    []byte
	memory *memory

	written  atomic.Int64 // bytes since the last sweep
	swept    atomic.Int64 // bytes of blobs that the last sweep has left
	hits     atomic.Uint64
	misses   atomic.Uint64
	sweeping sync.Mutex
	failing  atomic.Bool // the last write failed

	mu      sync.Mutex
	answers map[string]any // of Keep and Recall
}

const (
	blobFolder   = "blobs"
	recordFolder = "records"
	temporary    = "tmp"
	// touchAfter is how old the time of last use may be before it is written again.
	touchAfter = time.Hour
)

// ErrDisk means that the directory cannot be written.
var ErrDisk = errors.New("the data directory cannot be written")

// Open opens a directory, which is made when it does not exist. A directory that cannot be written is no error: the
// store then keeps everything in memory.
func Open(o Options) (*Store, error) {
	if o.Dir == "" {
		return nil, errors.New("opening content store: no data directory given")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening content store: %w", err)
	}
	o.Dir = dir
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = 64 << 20
	}
	if o.KeepUnused == 0 {
		o.KeepUnused = 30 * 24 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{o: o, memory: newMemory(o.MemoryBytes), answers: map[string]any{}}
	if s.key, err = s.loadKey(); err != nil {
		s.complain("key", err)
		s.key = make([]byte, 32)
		_, _ = rand.Read(s.key) // never fails
	}
	s.Sweep()
	return s, nil
}

// Digest is the name of a blob: the sha256 of its content in hexadecimal.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// ValidDigest reports whether a text can be a blob's name.
func ValidDigest(digest string) bool {
	if len(digest) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(digest) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Put keeps a blob and returns its digest.
func (s *Store) Put(data []byte) (digest string) {
	digest = Digest(data)
	path := s.blob(digest)
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(data)) {
		if kept, err := os.ReadFile(path); err == nil && Digest(kept) == digest {
			s.touch(path, info)
			return digest
		}
	}
	if err := s.write(path, data); err != nil {
		s.complain(digest, err)
		s.memory.put(blobFolder+"/"+digest, data)
		return digest
	}
	if s.written.Add(int64(len(data))) > s.o.MaxBytes/10 {
		s.Sweep()
	}
	return digest
}

// Get reads a blob. A missing or damaged one gives fs.ErrNotExist.
func (s *Store) Get(digest string) ([]byte, error) {
	data, err := s.get(digest)
	if err == nil {
		s.hits.Add(1)
	} else {
		s.misses.Add(1)
	}
	return data, err
}

func (s *Store) get(digest string) ([]byte, error) {
	if !ValidDigest(digest) {
		return nil, fmt.Errorf("%q is not a digest: %w", digest, fs.ErrNotExist)
	}
	if data, ok := s.memory.get(blobFolder + "/" + digest); ok {
		return data, nil
	}
	path := s.blob(digest)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", digest, fs.ErrNotExist)
	}
	data, err := os.ReadFile(path)
	if err != nil || Digest(data) != digest {
		s.o.Logger.Warn("a kept file is damaged and is removed", "file", path, "error", err)
		os.Remove(path)
		return nil, fmt.Errorf("blob %s is damaged: %w", digest, fs.ErrNotExist)
	}
	s.touch(path, info)
	return data, nil
}

func (s *Store) blob(digest string) string {
	return filepath.Join(s.o.Dir, blobFolder, digest[:2], digest)
}

// touch notes that a file has been used.
func (s *Store) touch(path string, info fs.FileInfo) {
	if now := s.o.Now(); now.Sub(info.ModTime()) > touchAfter {
		_ = os.Chtimes(path, now, now) // a guess at what to remove first is all that depends on it
	}
}

// write writes a file beside its place and renames it.
func (s *Store) write(path string, parts ...[]byte) error {
	folder := filepath.Join(s.o.Dir, temporary)
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.MkdirAll(filepath.Dir(path), 0o700)); err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	if err := scratch.Write(folder, path, parts...); err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	if s.failing.CompareAndSwap(true, false) {
		s.o.Logger.Info("the data directory can be written again", "directory", s.o.Dir)
	}
	return nil
}

// complain logs the first of several failures to write.
func (s *Store) complain(name string, err error) {
	if s.failing.CompareAndSwap(false, true) {
		s.o.Logger.Error("cannot write to the data directory; fetched content is kept in memory and is fetched again after"+
			" a restart; check that the disk is not full", "directory", s.o.Dir, "name", name, "error", err)
	}
}

// Stats are what is kept, and what has been done since the store was opened.
type Stats struct {
	// Hits and Misses of Get.
	Hits, Misses uint64
	// Bytes of blobs on disk, roughly: those of other processes are counted at the next sweep.
	Bytes int64
}

// Stats gives the numbers of now.
func (s *Store) Stats() Stats {
	return Stats{Hits: s.hits.Load(), Misses: s.misses.Load(), Bytes: s.swept.Load() + s.written.Load()}
}

// Writable tells whether the last write to the directory worked.
func (s *Store) Writable() bool { return !s.failing.Load() }
