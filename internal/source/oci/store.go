package oci

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/archive"
	"github.com/fairlead-cd/fairlead/internal/source/ask"
	"github.com/fairlead-cd/fairlead/internal/source/clients"
	"github.com/fairlead-cd/fairlead/internal/source/content"
	"github.com/fairlead-cd/fairlead/internal/source/registry"
)

// mediaTypeChart is a layer whose files lie in a folder of the chart's name.
const mediaTypeChart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// DefaultMediaTypes are the layers that are read unless Options say otherwise.
func DefaultMediaTypes() []string {
	return []string{
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		mediaTypeChart,
	}
}

// Options say where artifacts are kept and what limits apply. Dir is required, every other field has a default.
type Options struct {
	// Dir is the data directory. It may be deleted at any time, also while in use, and several processes may use it.
	Dir string
	// Env gives HTTP_PROXY, HTTPS_PROXY and NO_PROXY for repositories without a proxy of their own.
	Env []string
	// Logger for what is damaged and what cannot be written; nil discards it.
	Logger *slog.Logger
	// Now is the clock, default time.Now.
	Now func() time.Time
	// MediaTypes of layers that are read, default DefaultMediaTypes. It is reposerver.oci.layer.media.types.
	MediaTypes []string
	// Limits of a layer and its content, default archive.DefaultLimits.
	Limits archive.Limits
	// MaxBytes bounds the layers kept on disk, in bytes, default 1 GiB.
	MaxBytes int64
	// CacheSize bounds the memory for unpacked layers, in bytes, default 64 MiB.
	CacheSize int64
	// Silence is how long a registry may say nothing, default 30 s.
	Silence time.Duration
	// Timeout bounds one download with all its attempts, default 5 min.
	Timeout time.Duration
	// Attempts is how often a registry that cannot be reached is tried, default 3; RetryDelay is the time before the
	// second attempt, default 250 ms.
	Attempts   int
	RetryDelay time.Duration
	// RetryAfter is how long a failure is given to callers that accept an aged answer before the registry is asked
	// again, default 10 s.
	RetryAfter time.Duration
	// KeepClients is how long the connection to a repository that nobody asks for is kept, default 10 min.
	KeepClients time.Duration
	// OnRequest, when not nil, is told of all that registries were asked. It must not block.
	OnRequest func(Request)
}

// Request is something that a registry was asked, for metrics.
type Request struct {
	// URL of the repository without credentials.
	URL string
	// Kind of request.
	Kind RequestKind
	// Duration of it, with all attempts.
	Duration time.Duration
	// Err is the failure, or nil.
	Err error
}

// RequestKind is what a registry is asked for. The names are Argo CD's.
type RequestKind string

// Kinds of requests.
const (
	RequestResolve  RequestKind = "resolve-revision"
	RequestMetadata RequestKind = "digest-metadata"
	RequestExtract  RequestKind = "extract"
	RequestTags     RequestKind = "get-tags"
	RequestTest     RequestKind = "test-repo"
)

// reported is a request that OnRequest is told of.
func reported[T any](s *Store, r *repository, kind RequestKind, do func(context.Context) (T, error)) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		began := s.o.Now()
		value, err := do(ctx)
		s.o.OnRequest(Request{URL: r.repo.URL, Kind: kind, Duration: s.o.Now().Sub(began), Err: err})
		return value, err
	}
}

// Store reads and keeps artifacts. It is safe for concurrent use.
type Store struct {
	o    Options
	kept *content.Store

	digests   *ask.Group[pin]
	tags      *ask.Group[[]string]
	manifests *ask.Group[artifact]
	layers    *ask.Group[*archive.Files]
	unpacked  *otter.Cache[string, *archive.Files] // by media type and digest of the layer

	repos *clients.Kept[*repository]
}

// repository is one repository as seen with one set of credentials.
type repository struct {
	id     string
	repo   source.Repository // in its normal form
	client *registry.Client
}

// New prepares a data directory. It contacts nobody.
func New(o Options) (*Store, error) {
	if o.Dir == "" {
		return nil, errors.New("opening artifact store: no data directory given")
	}
	if len(o.MediaTypes) == 0 {
		o.MediaTypes = DefaultMediaTypes()
	}
	setDefault(&o.Limits.Compressed, archive.DefaultLimits().Compressed)
	setDefault(&o.CacheSize, 64<<20)
	setDefault(&o.Silence, 30*time.Second)
	setDefault(&o.Timeout, 5*time.Minute)
	setDefault(&o.RetryAfter, 10*time.Second)
	setDefault(&o.KeepClients, 10*time.Minute)
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
		Dir: filepath.Join(o.Dir, "oci"), MaxBytes: o.MaxBytes, Logger: o.Logger, Now: o.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("opening artifact store: %w", err)
	}
	asking := ask.Options{
		Timeout: o.Timeout, Attempts: o.Attempts, Delay: o.RetryDelay, RetryAfter: o.RetryAfter, Now: o.Now,
	}
	s := &Store{
		o: o, kept: kept,
		digests: ask.New[pin](asking), tags: ask.New[[]string](asking),
		manifests: ask.New[artifact](asking), layers: ask.New[*archive.Files](asking),
		unpacked: otter.Must(&otter.Options[string, *archive.Files]{
			MaximumWeight: uint64(o.CacheSize),
			Weigher:       func(_ string, f *archive.Files) uint32 { return uint32(min(f.Size()+4096, 1<<31)) },
		}),
		repos: clients.Keep[*repository](o.KeepClients, o.Now),
	}
	return s, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Close ends all requests. Snapshots stay readable.
func (s *Store) Close() error {
	if !s.repos.Stop() {
		return nil
	}
	s.digests.Close()
	s.tags.Close()
	s.manifests.Close()
	s.layers.Close()
	s.unpacked.InvalidateAll()
	s.unpacked.StopAllGoroutines()
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
		client, err := registry.New(normal, s.o.Env, s.o.Silence)
		return &repository{id: id, repo: normal, client: client}, err
	})
}

// Close implements clients.Client.
func (r *repository) Close() { r.client.Close() }
