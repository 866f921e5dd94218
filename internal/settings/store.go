package settings

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
)

// Options is what a store needs.
type Options struct {
	// Client reaches the cluster of the control plane.
	Client kubernetes.Interface
	// Namespace is the namespace of the control plane.
	Namespace string
	// Logger receives warnings about settings and what Ensure creates. No value of a Secret is ever logged.
	Logger *slog.Logger
	// TLSDataPath, SSHDataPath and GPGDataPath are folders that go before the ConfigMaps of the same content; empty for
	// none. They may be absent and are read at each use.
	TLSDataPath, SSHDataPath, GPGDataPath string
	// Insecure tells that the server speaks plain HTTP, so that Ensure makes no certificate.
	Insecure bool
	// Defaults are the settings that hold where nothing is set; nil for those of [Defaults].
	Defaults *Settings
	// Entropy is how things that cannot be foreseen are made; nil for the real ones.
	Entropy *Entropy
}

// Store keeps the current settings. All methods are safe for concurrent use.
type Store struct {
	options Options
	current atomic.Pointer[Settings]
	ready   chan struct{}
	dirty   chan struct{}

	mu          sync.Mutex
	subscribers map[int]func(*Settings)
	nextID      int

	// Only the goroutine of Run touches what follows.
	lastInput Input
	logged    map[Warning]bool
}

// New gives a store that holds the defaults until Run has read the cluster.
func New(o Options) *Store {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Defaults == nil {
		o.Defaults = Defaults()
	}
	o.Entropy = o.Entropy.orReal()
	s := &Store{
		options:     o,
		ready:       make(chan struct{}),
		dirty:       make(chan struct{}, 1),
		subscribers: map[int]func(*Settings){},
		logged:      map[Warning]bool{},
	}
	s.current.Store(o.Defaults)
	return s
}

// Get gives the current settings, which are the defaults until the store is ready. The result must not be changed.
func (s *Store) Get() *Settings {
	return s.current.Load()
}

// Ready waits until the settings have been read from the cluster once, or until ctx ends.
func (s *Store) Ready(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the settings to be read from the cluster: %w", context.Cause(ctx))
	}
}

// Subscribe has f called with every new reading from now on, one call at a time, in order. f must return quickly and
// must not call the returned function, which ends the subscription.
func (s *Store) Subscribe(f func(*Settings)) (unsubscribe func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.nextID
	s.nextID++
	s.subscribers[id] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subscribers, id)
	}
}

// Run watches the objects that hold settings until ctx ends. It must be called once. The error is nil when ctx ended.
func (s *Store) Run(ctx context.Context) error {
	sources := newSources(s.options.Client, s.options.Namespace, s.wake)
	var running sync.WaitGroup
	defer running.Wait()
	for _, informer := range sources.informers {
		running.Go(func() { informer.RunWithContext(ctx) })
	}
	if !sources.wait(ctx) {
		if ctx.Err() == nil {
			return errors.New("read the settings: an informer ended early")
		}
		return nil
	}
	s.apply(sources.read())
	close(s.ready)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.dirty:
			s.apply(sources.read())
		}
	}
}

// wake asks for a new reading; while one is asked for already, nothing is added.
func (s *Store) wake() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// apply parses the input, unless it is what was parsed last, and tells everybody.
func (s *Store) apply(in Input) {
	select {
	case <-s.ready:
		if reflect.DeepEqual(in, s.lastInput) {
			return
		}
	default:
	}
	s.lastInput = in
	parsed := Parse(in, s.options.Defaults, s.current.Load())
	s.logWarnings(parsed.Warnings)
	s.current.Store(parsed)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.subscribers {
		f(parsed)
	}
}

// logWarnings logs each warning when it first appears, and again only after it was gone in between.
func (s *Store) logWarnings(warnings []Warning) {
	for _, w := range warnings {
		if !s.logged[w] {
			s.options.Logger.Warn("a setting cannot be used", "object", w.Object, "key", w.Key, "problem", w.Message)
			s.logged[w] = true
		}
	}
	for w := range s.logged {
		if !slices.Contains(warnings, w) {
			delete(s.logged, w)
		}
	}
}

func labelledSecret(secret *corev1.Secret) LabelledSecret {
	return LabelledSecret{
		Name:        secret.Name,
		UID:         string(secret.UID),
		Type:        secret.Labels[labelSecretType],
		Labels:      secret.Labels,
		Annotations: secret.Annotations,
		Data:        secret.Data,
	}
}
