package source

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options say where mirrors lie and what limits apply. Dir is required, every other field has a default.
type Options struct {
	// Dir is the data directory. It may be deleted at any time, also while in use: what was in it is fetched again.
	Dir string
	// Git is the git program, default "git" from the path in Env.
	Git string
	// Env is the environment of git: PATH, HOME, and HTTP_PROXY, HTTPS_PROXY, NO_PROXY where they are to count.
	// Variables that begin with GIT_ are left out. Default: the usual PATH only.
	Env []string
	// Logger for what is repaired and made; nil discards it.
	Logger *slog.Logger
	// Now is the clock, default time.Now.
	Now func() time.Time
	// PollTimeout bounds the listing of references and the silence of a server during a fetch, default 30 s.
	PollTimeout time.Duration
	// FetchTimeout bounds one whole fetch, default 15 min.
	FetchTimeout time.Duration
	// RetryAfter is how long a failure is given to callers that accept an aged answer before the server is asked
	// again, default 10 s.
	RetryAfter time.Duration
	// MaxFileSize bounds one file that is read from a commit, in bytes, default 10 MiB.
	MaxFileSize int64
	// CacheSize bounds the memory for parsed folders and small files of all mirrors, in bytes, default 64 MiB.
	CacheSize int64
	// MaxRepositorySize bounds the size of one mirror on disk, in bytes; zero: no limit.
	MaxRepositorySize int64
	// WithoutSubmodules leaves the folders of submodules empty.
	WithoutSubmodules bool
	// Credentials says how to reach the repository of a submodule; nil: without credentials. The URL names the user
	// that .gitmodules states for ssh.
	Credentials func(ctx context.Context, parent Repository, url string) (Repository, error)
	// Readers bounds the object reading processes of one mirror, default 2.
	Readers int
	// ReaderIdle is how long an unused reading process is kept, default 30 s.
	ReaderIdle time.Duration
	// PackAfter is the number of fetches after which a mirror's packs are put together, default 50.
	PackAfter int
	// KeepUnused is how long a mirror that nobody asks for stays on disk, default 7 days.
	KeepUnused time.Duration
	// KeepRewritten is how long the commits stay readable that a forced push or a deleted branch has left behind,
	// default 14 days. After that they are dropped when the mirror has grown much.
	KeepRewritten time.Duration
	// OnFetch, when not nil, is told the duration and the result of every poll. It must not block.
	OnFetch func(FetchReport)
}

// FetchReport is one poll of a repository, for metrics.
type FetchReport struct {
	// URL of the repository without credentials.
	URL string
	// Listing is the time that listing the references took, Fetching that of fetching objects, zero when none were.
	Listing, Fetching time.Duration
	// Changed tells whether references differed.
	Changed bool
	// Err is the failure, or nil.
	Err error
}

// Mirrors are all mirrors below one data directory. It is safe for concurrent use.
type Mirrors struct {
	o     Options
	cache *objectCache
	ctx   context.Context // of everything that goes on behind the callers
	stop  context.CancelCauseFunc
	work  sync.WaitGroup

	mu      sync.Mutex
	key     []byte // makes directory names out of credentials
	mirrors map[string]*mirror
	seed    maphash.Seed
	known   map[uint64]known // what callers pass, by a quick hash

	tokens tokens
}

// known is a Repository as a caller passes it, and what was made of it.
type known struct {
	given, normal Repository
	mirror        *mirror
}

// maxKnown bounds the memory for Repositories seen.
const maxKnown = 4096

// NewMirrors prepares a data directory. It contacts nobody.
func NewMirrors(o Options) (*Mirrors, error) {
	if o.Dir == "" {
		return nil, errors.New("opening mirrors: no data directory given")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening mirrors: %w", err)
	}
	o.Dir = dir
	setDefault(&o.Git, "git")
	setDefault(&o.PollTimeout, 30*time.Second)
	setDefault(&o.FetchTimeout, 15*time.Minute)
	setDefault(&o.RetryAfter, 10*time.Second)
	setDefault(&o.MaxFileSize, 10<<20)
	setDefault(&o.CacheSize, 64<<20)
	setDefault(&o.Readers, 2)
	setDefault(&o.ReaderIdle, 30*time.Second)
	setDefault(&o.PackAfter, 50)
	setDefault(&o.KeepUnused, 7*24*time.Hour)
	setDefault(&o.KeepRewritten, 14*24*time.Hour)
	if len(o.Env) == 0 {
		o.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Mirrors{o: o, cache: newObjectCache(o.CacheSize), mirrors: map[string]*mirror{}, seed: maphash.MakeSeed(), known: map[uint64]known{}}
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	if m.key, err = m.loadKey(); err != nil {
		return nil, fmt.Errorf("opening mirrors: %w", err)
	}
	m.sweep()
	return m, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Close ends everything that goes on. Snapshots can no longer be read.
func (m *Mirrors) Close() error {
	m.stop(ErrClosed)
	m.work.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.mirrors {
		r.close()
	}
	m.mirrors, m.known = map[string]*mirror{}, map[uint64]known{}
	m.cache.close()
	return nil
}

func (m *Mirrors) repositories() string { return filepath.Join(m.o.Dir, "git") }
func (m *Mirrors) runtime() string      { return filepath.Join(m.o.Dir, "run") }

// loadKey reads or makes the key that turns credentials into directory names. Names must not give a password away to
// somebody who can list the directory and guess.
func (m *Mirrors) loadKey() ([]byte, error) {
	if err := os.MkdirAll(m.repositories(), 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(m.repositories(), "key")
	key, err := os.ReadFile(path)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key, m.saveKey(key)
}

func (m *Mirrors) saveKey(key []byte) error {
	temporary, err := os.CreateTemp(m.repositories(), "key-")
	if err != nil {
		return err
	}
	_, err = temporary.Write(key)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), filepath.Join(m.repositories(), "key"))
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
	return err
}

// mirror finds or makes the mirror of a repository; the second result is the repository in its normal form.
func (m *Mirrors) mirror(repo Repository) (*mirror, Repository, error) {
	if m.ctx.Err() != nil {
		return nil, repo, ErrClosed
	}
	quick := repo.quickHash(m.seed)
	m.mu.Lock()
	k, ok := m.known[quick]
	m.mu.Unlock()
	if ok && k.given.equal(&repo) {
		return k.mirror, k.normal, nil
	}
	normal, err := repo.normalize()
	if err == nil {
		err = normal.git()
	}
	if err != nil {
		return nil, repo, repo.invalid(err)
	}
	if path, ok := strings.CutPrefix(normal.URL, "file://"); ok && m.owns(path) {
		// Otherwise one could read the mirrors of others by their path.
		return nil, repo, normal.fail(ErrInvalidRepository, nil, "the URL leads into the data directory")
	}
	h := hmac.New(sha256.New, m.key)
	h.Write([]byte(normal.Key()))
	id := hex.EncodeToString(h.Sum(nil)[:20])

	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.mirrors[id]
	if !ok {
		found = newMirror(m, id)
		m.mirrors[id] = found
	}
	if len(m.known) >= maxKnown {
		clear(m.known)
	}
	m.known[quick] = known{given: repo, normal: normal, mirror: found}
	return found, normal, nil
}

// owns reports whether a path lies in the data directory.
func (m *Mirrors) owns(path string) bool {
	inside := func(dir, path string) bool {
		rel, err := filepath.Rel(dir, path)
		return err == nil && filepath.IsLocal(rel)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = filepath.Clean(path)
	}
	dir, err := filepath.EvalSymlinks(m.o.Dir)
	if err != nil {
		dir = m.o.Dir
	}
	return inside(m.o.Dir, filepath.Clean(path)) || inside(dir, target)
}

// sweep removes mirrors that have not been used for long, and what key files a killed process left.
func (m *Mirrors) sweep() {
	os.RemoveAll(m.runtime())
	m.sweepObjects(m.o.Now())
	entries, err := os.ReadDir(m.repositories())
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || m.o.Now().Sub(info.ModTime()) < m.o.KeepUnused {
			continue
		}
		dir := filepath.Join(m.repositories(), e.Name())
		lock, err := lockFile(dir + ".lock")
		if err != nil {
			continue // somebody uses it
		}
		m.o.Logger.Info("removing unused mirror", "directory", dir)
		os.RemoveAll(dir)
		os.Remove(dir + ".lock")
		lock.Close()
	}
}
