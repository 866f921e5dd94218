package cache

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// Options say where Redis is and what is kept there.
type Options struct {
	// Address of the server, host:port or the path of a socket. With Sentinels it is not used.
	Address string
	// Sentinels are the addresses of Redis Sentinels, which know the server of the name MasterName.
	Sentinels  []string
	MasterName string
	// Username and Password for the server, and for the sentinels.
	Username, Password                 string
	SentinelUsername, SentinelPassword string
	// DB is the number of the database.
	DB int
	// TLS to speak, or nil for none.
	TLS *tls.Config
	// Key gives the server key of the installation. It may change; what was kept under another one is then lost.
	Key func() []byte
	// Version of this build: entries of another one are not read, because it may render otherwise.
	Version string
	// Uncompressed keeps values as they are, instead of by gzip.
	Uncompressed bool
	// TTL of an entry, default 24 h.
	TTL time.Duration
	// MaxEntry bounds an entry in bytes, before and after compression, default 32 MiB; larger results are not kept.
	MaxEntry int64
	// Timeout of a read, default 250 ms.
	Timeout time.Duration
	// OnRequest, when not nil, is told how long each request took and whether it failed. It must not block.
	OnRequest func(duration time.Duration, failed bool)
	// Logger is told when Redis goes and comes back; nil for none.
	Logger *slog.Logger
}

const (
	// maxQueued and maxQueuedBytes bound what waits to be written.
	maxQueued      = 1000
	maxQueuedBytes = 64 << 20
	// writeTimeout is for writes, for which nobody waits.
	writeTimeout = 5 * time.Second
)

// Redis keeps rendered results. It is a render.Store, and safe for concurrent use.
type Redis struct {
	o       Options
	client  *redis.Client
	breaker breaker
	queue   chan entry
	stop    context.CancelFunc
	writer  sync.WaitGroup

	queuedBytes atomic.Int64
	hits        atomic.Uint64
	misses      atomic.Uint64
	failures    atomic.Uint64
	dropped     atomic.Uint64

	mu     sync.Mutex
	key    []byte
	sealer *sealer
}

var _ render.Store = (*Redis)(nil)

type entry struct {
	key   [32]byte
	value []byte
}

// Stats count what a Redis has done since it was made.
type Stats struct {
	// Hits and Misses of reads; a read that was not tried because the server fails is a miss too.
	Hits, Misses uint64
	// Failures of the server.
	Failures uint64
	// Dropped results that were too large, or too many at once, to be kept.
	Dropped uint64
}

// New prepares a client. The server is reached when it is first needed.
func New(o Options) *Redis {
	if o.TTL == 0 {
		o.TTL = 24 * time.Hour
	}
	if o.MaxEntry == 0 {
		o.MaxEntry = 32 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 250 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnRequest == nil {
		o.OnRequest = func(time.Duration, bool) {}
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Redis{
		o: o, client: newClient(o), stop: stop, queue: make(chan entry, maxQueued),
		breaker: breaker{first: time.Second, most: 30 * time.Second, now: time.Now},
	}
	r.writer.Go(func() { r.write(ctx) })
	return r
}

func newClient(o Options) *redis.Client {
	const connections = 8
	if len(o.Sentinels) > 0 {
		return redis.NewFailoverClient(&redis.FailoverOptions{
			SentinelAddrs: o.Sentinels, MasterName: o.MasterName,
			SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
			Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLS,
			DialTimeout: writeTimeout, ReadTimeout: writeTimeout, WriteTimeout: writeTimeout, ContextTimeoutEnabled: true,
			MaxRetries: -1, PoolSize: connections, DisableIdentity: true,
		})
	}
	return redis.NewClient(&redis.Options{
		Addr: o.Address, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLS,
		DialTimeout: writeTimeout, ReadTimeout: writeTimeout, WriteTimeout: writeTimeout, ContextTimeoutEnabled: true,
		MaxRetries: -1, PoolSize: connections, DisableIdentity: true,
	})
}

// sealerNow is for the installation's key of now, or nil while there is none.
func (r *Redis) sealerNow() *sealer {
	key := r.o.Key()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sealer == nil || !bytes.Equal(key, r.key) {
		s, err := newSealer(key, r.o.Version, !r.o.Uncompressed, r.o.MaxEntry)
		if err != nil {
			return nil
		}
		r.sealer, r.key = s, bytes.Clone(key)
	}
	return r.sealer
}

// Load implements render.Store.
func (r *Redis) Load(ctx context.Context, key [32]byte) ([]byte, bool) {
	value, ok := r.load(ctx, key)
	if ok {
		r.hits.Add(1)
	} else {
		r.misses.Add(1)
	}
	return value, ok
}

func (r *Redis) load(ctx context.Context, key [32]byte) ([]byte, bool) {
	s := r.sealerNow()
	if s == nil || !r.breaker.allow() {
		return nil, false
	}
	limited, cancel := context.WithTimeout(ctx, r.o.Timeout)
	defer cancel()
	name := s.name(key)
	// Never more than an entry can have, whatever stands there.
	most := r.o.MaxEntry + sealedExtra
	began := time.Now()
	sealed, err := r.client.GetRange(limited, name, 0, most).Bytes()
	r.settle(ctx, began, err)
	if err != nil || len(sealed) == 0 || int64(len(sealed)) > most {
		return nil, false
	}
	value, err := s.open(name, sealed)
	return value, err == nil
}

// sealedExtra is how much longer than its value an entry can be.
const sealedExtra = 1 << 10

// settle tells the breaker, whoever counts, and the log when something has changed.
func (r *Redis) settle(ctx context.Context, began time.Time, err error) {
	failed := err != nil && !errors.Is(err, redis.Nil) && ctx.Err() == nil // a caller that goes is not the server's failure
	r.o.OnRequest(time.Since(began), failed)
	if failed {
		r.failures.Add(1)
	}
	switch changed := r.breaker.done(failed); {
	case changed && failed:
		r.o.Logger.Warn("Redis cannot be used; results are kept in memory alone until it can", "error", err)
	case changed:
		r.o.Logger.Info("Redis can be used again")
	}
}

// Save implements render.Store.
func (r *Redis) Save(key [32]byte, value []byte) {
	size := int64(len(value))
	if size > r.o.MaxEntry || r.queuedBytes.Add(size) > maxQueuedBytes {
		if size <= r.o.MaxEntry {
			r.queuedBytes.Add(-size)
		}
		r.dropped.Add(1)
		return
	}
	select {
	case r.queue <- entry{key, value}:
	default:
		r.queuedBytes.Add(-size)
		r.dropped.Add(1)
	}
}

// write writes what is queued.
func (r *Redis) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-r.queue:
			r.put(ctx, e)
			r.queuedBytes.Add(-int64(len(e.value)))
		}
	}
}

func (r *Redis) put(ctx context.Context, e entry) {
	s := r.sealerNow()
	if s == nil || !r.breaker.allow() {
		r.dropped.Add(1)
		return
	}
	name := s.name(e.key)
	sealed, err := s.seal(name, e.value)
	if err != nil {
		r.breaker.done(false)
		r.dropped.Add(1)
		return
	}
	limited, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	began := time.Now()
	r.settle(ctx, began, r.client.Set(limited, name, sealed, r.o.TTL).Err())
}

// Stats gives the counts so far.
func (r *Redis) Stats() Stats {
	return Stats{Hits: r.hits.Load(), Misses: r.misses.Load(), Failures: r.failures.Load(), Dropped: r.dropped.Load()}
}

// Close ends the writing, without what is still queued, and the connections.
func (r *Redis) Close() error {
	r.stop()
	r.writer.Wait()
	return r.client.Close()
}
