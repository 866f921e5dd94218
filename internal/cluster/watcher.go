package cluster

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// watcher keeps one kind of objects, in one namespace or in all, in step with the API server. client-go's Reflector
// decides when to list and when to watch on; the watcher is what it lists and watches with, and where it stores.
type watcher struct {
	resource  Resource
	namespace string
	// remote: the kind is served by another server behind the API server.
	remote  bool
	client  rest.Interface
	gate    *gate
	state   *state
	decoder func() *decoder
	// settled is called when others need not wait for the watcher any more, and, as news, whenever it begins to work or
	// to fail.
	settled func(w *watcher, news bool)
	// review asks whether the kind may be listed before it is; nil when that shows by trying.
	review func(ctx context.Context, r Resource, namespace string) error
	// checked says that review permitted it.
	checked atomic.Bool
	// patience is how long others wait for the first list.
	patience time.Duration
	now      func() time.Time

	cancel context.CancelFunc
	timer  *time.Timer
	done   chan struct{}
	wake   chan struct{} // ends a pause of one that was refused

	mu       sync.Mutex
	synced   bool // listed once
	tried    bool // listed once, or not listable for now
	reported bool
	err      error
	refused  time.Duration // the present pause after refusals, 0 when there was none
	started  time.Time     // of the last watch
	stopped  bool
}

const (
	// A refusal (no permission, no such resource) is a matter of minutes or never; it is asked again at these intervals,
	// and at once when roles or definitions change.
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Minute
	// Credentials that expired are renewed by somebody soon.
	credentialPause = 15 * time.Second
	// minInterval spaces out the watches of a watcher whose connections end as soon as they begin.
	minInterval = 200 * time.Millisecond
)

func (w *watcher) start(ctx context.Context) {
	ctx, w.cancel = context.WithCancel(ctx)
	w.done, w.wake = make(chan struct{}), make(chan struct{}, 1)
	silent := klog.New(nil) // what happens is told by report
	r := cache.NewReflectorWithOptions(w, nil, w, cache.ReflectorOptions{
		Logger: &silent, Name: w.resource.Name, TypeDescription: w.resource.Kind.String(),
		Backoff: &wait.Backoff{Duration: 250 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 8, Cap: 10 * time.Second},
	})
	w.mu.Lock()
	w.timer = time.AfterFunc(w.patience, w.giveUp)
	w.mu.Unlock()
	go func() {
		defer close(w.done)
		r.RunWithContext(klog.NewContext(ctx, silent))
	}()
}

// stop ends the watch and waits for its end; nothing is stored afterwards.
func (w *watcher) stop() {
	w.mu.Lock()
	w.stopped = true
	w.timer.Stop()
	w.mu.Unlock()
	w.cancel()
	<-w.done
}

// retry ends the pause of a watcher that was refused.
func (w *watcher) retry() {
	w.mu.Lock()
	w.refused = min(w.refused, firstPause/4) // the permission may take a moment to work
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// WatchWithContext opens a watch. It is called by the Reflector.
func (w *watcher) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	for {
		if err := w.turn(ctx, minInterval); err != nil {
			return nil, err
		}
		options.Watch = true
		body, err := w.stream(ctx, &options)
		if err == nil {
			w.answered()
			decoder := newStreamDecoder(body, w.decoder(), w.report, options.ResourceVersion)
			reporter := apierrors.NewClientErrorReporter(500, "watch", "ClientWatchDecoding")
			return watch.NewStreamWatcherWithLogger(klog.New(nil), decoder, reporter), nil
		}
		if options.SendInitialEvents != nil && (apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)) {
			return nil, err // the server does not stream lists; the Reflector asks for an ordinary one
		}
		if err = w.failed(ctx, err); err != nil {
			return nil, err
		}
	}
}

// Watch is WatchWithContext for callers without a context.
func (w *watcher) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return w.WatchWithContext(context.Background(), options)
}

// ListWithContext lists, for servers that cannot stream lists. It is called by the Reflector.
func (w *watcher) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	for {
		if err := w.turn(ctx, 0); err != nil {
			return nil, err
		}
		body, err := w.read(ctx, &options)
		if err == nil {
			w.answered()
			list, err := w.decoder().decodeList(body)
			if err != nil {
				w.report(err)
			}
			return list, err
		}
		if err = w.failed(ctx, err); err != nil {
			return nil, err
		}
	}
}

// List is ListWithContext for callers without a context.
func (w *watcher) List(options metav1.ListOptions) (runtime.Object, error) {
	return w.ListWithContext(context.Background(), options)
}

// IsWatchListSemanticsUnSupported tells the Reflector, by its odd name, whether to stream lists. Servers behind the API
// server may be built with anything; one that does not know of streaming lists answers with a watch without a list, for ever.
func (w *watcher) IsWatchListSemanticsUnSupported() bool { return w.remote }

// stream begins a watch.
func (w *watcher) stream(ctx context.Context, options *metav1.ListOptions) (io.ReadCloser, error) {
	if err := w.permitted(ctx); err != nil {
		return nil, err
	}
	return w.request(options).Stream(ctx)
}

// read lists.
func (w *watcher) read(ctx context.Context, options *metav1.ListOptions) ([]byte, error) {
	if err := w.permitted(ctx); err != nil {
		return nil, err
	}
	answer := w.request(options).Do(ctx)
	if err := answer.Error(); err != nil { // says more than the error of Raw
		return nil, err
	}
	return answer.Raw()
}

func (w *watcher) request(options *metav1.ListOptions) *rest.Request {
	return w.client.Get().AbsPath(resourcePath(w.resource, w.namespace)...).MaxRetries(0).SpecificallyVersionedParams(options, parameterCodec, parameterVersion)
}

// turn waits until the next request may be made, a watch no sooner than interval after the one before.
func (w *watcher) turn(ctx context.Context, interval time.Duration) error {
	w.mu.Lock()
	pause := w.refused
	if pause == 0 {
		pause = max(0, interval-w.now().Sub(w.started))
	}
	w.mu.Unlock()
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-w.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := w.gate.wait(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if interval > 0 {
		w.started = w.now()
	}
	return nil
}

// failed sorts an error: nil when the same request is due again, in its turn, because the server could not be reached or
// refused it; otherwise the error for the Reflector.
func (w *watcher) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if unreachable(err) {
		w.gate.away(err, w.now())
		return nil
	}
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return err // in the ordinary course of things
	}
	told := fmt.Errorf("%s cannot be listed: %w", w.resource.Kind.GroupKind(), err)
	if !refusing(err) {
		w.note(told, w.remote) // nobody should wait for another server; errors of the API server pass
		return err
	}
	last := lastPause
	w.checked.Store(false)
	if apierrors.IsUnauthorized(err) {
		last = credentialPause
		w.state.apiChanged() // discovery finds out whether this concerns everything
	}
	w.mu.Lock()
	w.refused = min(max(2*w.refused, firstPause), last)
	w.mu.Unlock()
	w.note(told, true)
	return nil
}

// answered notes that a request went through. For a watcher that has its list this ends whatever was wrong.
func (w *watcher) answered() {
	w.mu.Lock()
	w.refused = 0
	synced := w.synced
	w.mu.Unlock()
	if synced {
		w.report(nil)
	}
}

// report notes that the watcher works (nil) or does not.
func (w *watcher) report(err error) { w.note(err, err == nil) }

// note is report; final says that enough was tried for others to go on without waiting for this kind.
func (w *watcher) note(err error, final bool) {
	w.mu.Lock()
	if err == nil {
		w.synced, w.refused = true, 0
	}
	news := !w.reported || (err == nil) != (w.err == nil)
	settled := news || final && !w.tried
	w.reported, w.tried, w.err = true, w.tried || final, err
	stopped := w.stopped
	w.mu.Unlock()
	if settled && !stopped {
		w.settled(w, news)
	}
}

// status returns whether the objects were ever listed, whether that was tried, and what is wrong now.
func (w *watcher) status() (synced, tried bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.synced, w.tried, w.err
}

// giveUp lets others stop waiting for a server that does not even refuse. Nobody waits while the API server is away.
func (w *watcher) giveUp() {
	_, away := w.gate.state()
	w.mu.Lock()
	done := w.tried || w.stopped
	if !done && away != nil {
		w.timer.Reset(w.patience)
		done = true
	}
	w.mu.Unlock()
	if done {
		return
	}
	_, _, err := w.status()
	if err == nil {
		err = fmt.Errorf("%s cannot be listed: no answer for %s", w.resource.Kind.GroupKind(), w.patience)
	}
	w.note(err, true)
}
