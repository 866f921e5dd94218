package download

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// Options are the limits of a Store; every field has a default.
type Options struct {
	// Env gives HTTP_PROXY, HTTPS_PROXY and NO_PROXY for repositories without a proxy of their own.
	Env []string
	// Logger for what is given although it could not be verified; nil discards it.
	Logger *slog.Logger
	// Now is the clock, default time.Now.
	Now func() time.Time
	// MaxFile bounds one file in bytes, default 10 MiB.
	MaxFile int64
	// MaxBytes bounds the memory for files, default 32 MiB.
	MaxBytes int64
	// Timeout bounds one download, default 60 s.
	Timeout time.Duration
	// RetryAfter is how long a failure is given to callers that accept an aged answer, default 10 s.
	RetryAfter time.Duration
	// KeepStale is how long a file is given whose server cannot be reached, default one day.
	KeepStale time.Duration
}

// Store reads files and keeps them. It is safe for concurrent use.
type Store struct {
	o       Options
	kept    *otter.Cache[string, *file]
	flights singleflight.Group
}

// file is what is known of one URL read with some credentials. It does not change.
type file struct {
	content []byte
	found   bool // content is what the server gave
	// etag and modified are what the server said about the content.
	etag, modified string
	verified       time.Time // when the server last said that this is the content
	err            error     // of the last attempt
	tried          time.Time // when that was
}

// New makes a Store.
func New(o Options) *Store {
	o.MaxFile = cmp.Or(o.MaxFile, 10<<20)
	o.MaxBytes = cmp.Or(o.MaxBytes, 32<<20)
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.RetryAfter = cmp.Or(o.RetryAfter, 10*time.Second)
	o.KeepStale = cmp.Or(o.KeepStale, 24*time.Hour)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{o: o, kept: otter.Must(&otter.Options[string, *file]{
		MaximumWeight: uint64(o.MaxBytes),
		Weigher:       func(key string, f *file) uint32 { return uint32(512 + len(key) + len(f.content)) },
	})}
}

// Close ends what goes on behind the callers.
func (s *Store) Close() error {
	s.kept.StopAllGoroutines()
	return nil
}

// Get gives the content of the file at the repository's URL, read with the repository's credentials. The answer was
// verified at most maxAge ago; zero asks the server in any case. While the server cannot be reached, what it gave before
// is given. Callers at the same time share one request. The content must not be changed. The error is a *source.Error.
func (s *Store) Get(ctx context.Context, repo source.Repository, maxAge time.Duration) ([]byte, error) {
	address, repo, err := check(repo)
	if err != nil {
		return nil, err
	}
	key := repo.Key() + " " + address.String()
	if known, ok := s.kept.GetIfPresent(key); ok && maxAge > 0 {
		now := s.o.Now()
		switch {
		case known.found && now.Sub(known.verified) <= maxAge:
			return known.content, nil
		case known.err != nil && now.Sub(known.tried) <= min(maxAge, s.o.RetryAfter):
			return s.lastGood(repo, known)
		}
	}
	// The request goes on without its first caller: others may wait for it too.
	flight := s.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Timeout)
		defer cancel()
		before, _ := s.kept.GetIfPresent(key)
		now := s.fetch(ctx, repo, address, before)
		s.kept.Set(key, now)
		return now, nil
	})
	select {
	case <-ctx.Done():
		return nil, repo.Failure(source.ErrUnreachable, context.Cause(ctx), "%v", context.Cause(ctx))
	case result := <-flight:
		now := result.Val.(*file)
		if now.err == nil {
			return now.content, nil
		}
		if maxAge == 0 {
			return nil, now.err
		}
		return s.lastGood(repo, now)
	}
}

// lastGood gives what a server gave before it could not be reached, or the failure.
func (s *Store) lastGood(repo source.Repository, f *file) ([]byte, error) {
	if f.found && errors.Is(f.err, source.ErrUnreachable) && s.o.Now().Sub(f.verified) <= s.o.KeepStale {
		s.o.Logger.Warn("a file is used as it was, because its server cannot be reached", "url", repo.URL, "error", f.err)
		return f.content, nil
	}
	return nil, f.err
}

// check takes the credentials out of the URL, and what may be secret in it out of the repository that errors are about.
func check(repo source.Repository) (*url.URL, source.Repository, error) {
	normal, err := repo.Normal()
	if err != nil {
		return nil, repo, err
	}
	address, err := url.Parse(strings.TrimSpace(repo.URL))
	if err != nil {
		return nil, normal, normal.Failure(source.ErrInvalidRepository, nil, "the URL cannot be parsed")
	}
	address.User, address.Fragment, address.RawFragment = nil, "", ""
	address.Scheme = strings.ToLower(address.Scheme)
	normal.URL = address.Scheme + "://" + strings.ToLower(address.Host) + address.EscapedPath()
	if address.Scheme != "http" && address.Scheme != "https" {
		return nil, normal, normal.Failure(source.ErrInvalidRepository, nil, "files are read over https and http alone")
	}
	return address, normal, nil
}
