package chart

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/ask"
	"github.com/fairlead-cd/fairlead/internal/source/clients"
	"github.com/fairlead-cd/fairlead/internal/source/content"
)

// Options say where charts are kept and what limits apply. Dir is required, every other field has a default.
type Options struct {
	// Dir is the data directory. It may be deleted at any time, also while in use, and several processes may use it.
	Dir string
	// Env gives HTTP_PROXY, HTTPS_PROXY and NO_PROXY for repositories without a proxy of their own.
	Env []string
	// Logger for what is damaged and what cannot be written; nil discards it.
	Logger *slog.Logger
	// Now is the clock, default time.Now.
	Now func() time.Time
	// MaxIndex bounds the index of a repository, in bytes, default 64 MiB.
	MaxIndex int64
	// MaxArchive bounds the archive of a chart, in bytes, default 32 MiB.
	MaxArchive int64
	// MaxBytes bounds the archives kept on disk, in bytes, default 1 GiB.
	MaxBytes int64
	// Downloads bounds how many archives are downloaded at once, default 4.
	Downloads int
	// Silence is how long a server may say nothing, default 30 s.
	Silence time.Duration
	// Timeout bounds one download with all its attempts, default 5 min.
	Timeout time.Duration
	// Attempts is how often a server that cannot be reached is tried, default 3; RetryDelay is the time before the
	// second attempt, default 250 ms.
	Attempts   int
	RetryDelay time.Duration
	// RetryAfter is how long a failure is given to callers that accept an aged answer before the server is asked
	// again, default 10 s.
	RetryAfter time.Duration
	// KeepIndex is how long the index of a repository that nobody asks for stays in memory, default 10 min.
	KeepIndex time.Duration
	// OnRequest, when not nil, is told of every request. It must not block.
	OnRequest func(Request)
}

// Request is one request to a server, for metrics.
type Request struct {
	// URL of the repository without credentials.
	URL string
	// Kind is index, archive, tags, manifest or ping.
	Kind string
	// Duration of the request.
	Duration time.Duration
	// Unchanged tells that the server answered that the index has not changed.
	Unchanged bool
	// Err is the failure, or nil.
	Err error
}

// Store finds and keeps charts. It is safe for concurrent use.
type Store struct {
	o    Options
	kept *content.Store

	indexes   *ask.Group[*index]
	lists     *ask.Group[tagList]
	locations *ask.Group[location]
	archives  *ask.Group[[]byte]
	slots     chan struct{} // one for every download

	repos *clients.Kept[*repository]
}

// repository is one repository as seen with one set of credentials.
type repository struct {
	id     string
	repo   source.Repository // in its normal form
	remote remote
}

// remote is how a kind of repository is asked. A maxAge of zero asks the server in any case.
type remote interface {
	// versions of a chart, newest first, and when the server was asked.
	versions(ctx context.Context, name string, maxAge time.Duration) ([]Version, time.Time, error)
	// locate finds one version.
	locate(ctx context.Context, name, version string, maxAge time.Duration) (location, error)
	// fetch downloads an archive that locate has found.
	fetch(ctx context.Context, name string, at location) ([]byte, error)
	// names of all charts.
	names(ctx context.Context, maxAge time.Duration) ([]string, error)
	// test finds out whether URL and credentials work.
	test(ctx context.Context) error
	close()
}

// anyAge accepts an answer however old.
const anyAge = 100 * 365 * 24 * time.Hour

// New prepares a data directory. It contacts nobody.
func New(o Options) (*Store, error) {
	if o.Dir == "" {
		return nil, errors.New("opening chart store: no data directory given")
	}
	setDefault(&o.MaxIndex, 64<<20)
	setDefault(&o.MaxArchive, 32<<20)
	setDefault(&o.Downloads, 4)
	setDefault(&o.Silence, 30*time.Second)
	setDefault(&o.Timeout, 5*time.Minute)
	setDefault(&o.RetryAfter, 10*time.Second)
	setDefault(&o.KeepIndex, 10*time.Minute)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnRequest == nil {
		o.OnRequest = func(Request) {}
	}
	kept, err := content.Open(content.Options{
		Dir: filepath.Join(o.Dir, "charts"), MaxBytes: o.MaxBytes, Logger: o.Logger, Now: o.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("opening chart store: %w", err)
	}
	asking := ask.Options{
		Timeout: o.Timeout, Attempts: o.Attempts, Delay: o.RetryDelay, RetryAfter: o.RetryAfter, Now: o.Now,
	}
	once := asking // what it does has attempts of its own
	once.Attempts, once.Timeout = 1, 3*o.Timeout
	s := &Store{
		o: o, kept: kept,
		indexes: ask.New[*index](asking), lists: ask.New[tagList](asking),
		locations: ask.New[location](once), archives: ask.New[[]byte](once),
		slots: make(chan struct{}, o.Downloads),
		repos: clients.Keep[*repository](o.KeepIndex, o.Now),
	}
	return s, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// asking are the options for requests that are repeated but not shared.
func (s *Store) asking() ask.Options {
	return ask.Options{Attempts: s.o.Attempts, Delay: s.o.RetryDelay}
}

// Close ends all requests.
func (s *Store) Close() error {
	if !s.repos.Stop() {
		return nil
	}
	s.archives.Close()
	s.locations.Close()
	s.indexes.Close()
	s.lists.Close()
	s.repos.Close()
	return nil
}

// Stats tell what is kept on disk.
func (s *Store) Stats() content.Stats { return s.kept.Stats() }

// repository finds or makes what is known about a repository.
func (s *Store) repository(repo source.Repository) (*repository, error) {
	normal, err := repo.Normal()
	if err != nil {
		return nil, err
	}
	id := s.kept.Name("repository", normal.Key())
	return s.repos.Get(id, normal, func() (*repository, error) {
		r := &repository{id: id, repo: normal}
		switch scheme(normal.URL) {
		case "http", "https":
			r.remote, err = newHelm(s, r)
		case "oci":
			r.remote, err = newOCI(s, r)
		default:
			err = normal.Failure(source.ErrInvalidRepository, nil, "charts are read over https, http or oci")
		}
		return r, err
	})
}

// Close implements clients.Client.
func (r *repository) Close() { r.remote.close() }

// report tells OnRequest how a request went.
func (s *Store) report(repo source.Repository, kind string, began time.Time, unchanged bool, err error) {
	s.o.OnRequest(Request{URL: repo.URL, Kind: kind, Duration: s.o.Now().Sub(began), Unchanged: unchanged, Err: err})
}
