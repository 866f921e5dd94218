package render

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Options are the settings of a Memo; every field but Renderer has a default.
type Options struct {
	// Renderer renders what is not kept.
	Renderer Renderer
	// MaxBytes bounds roughly the memory for results, default 128 MiB.
	MaxBytes int64
	// MaxPerRequest is how many results of one request are kept, default 3: as many branches or commits can take
	// turns without being rendered again.
	MaxPerRequest int
	// ErrorTTL is how long an error is kept, default 30 s; negative: not at all. An error that repeats is kept for
	// twice as long each time, up to ten times ErrorTTL.
	ErrorTTL time.Duration
	// Store keeps results outside of the memory, and is asked for requests of which there is none in it; nil for none.
	// Errors are not stored.
	Store Store
	// Now is the clock, default time.Now.
	Now func() time.Time
}

// CallOptions are the wishes of one call of Memo.Render.
type CallOptions struct {
	// NoCache renders in any case. The result replaces what was kept.
	NoCache bool
	// RetryErrors does not give errors from memory.
	RetryErrors bool
	// Paths that the application declares as all that concerns it, in the files of the source and relative to their
	// root: as long as these are the same, a change of other files is not looked at. A path may be a glob.
	Paths []string
}

// Memo renders and keeps results. It is safe for concurrent use.
type Memo struct {
	o Options

	mu      sync.Mutex
	kept    map[requestKey][]*list.Element // of *variant, the one used last first
	recent  *list.List                     // of *variant, the one used last first
	bytes   int64
	flights map[flightKey]*flight
	stats   Stats
}

// Stats count what a Memo has done since it was made.
type Stats struct {
	// Renders that were done, Errors among them, results given from memory at once because the commit's root was
	// the same (Same), and after comparing the read set (Verified), calls that joined a render in progress (Joined),
	// and results that were taken from the store (Loaded).
	Renders, Errors, Same, Verified, Joined, Loaded uint64
	// Results kept now and their size in bytes, roughly.
	Results int
	Bytes   int64
}

// variant is one kept result of a request.
type variant struct {
	key      requestKey
	roots    string // of the files that it was last right for
	reads    *readSet
	declared string // identity of CallOptions.Paths; empty without
	result   *Result
	err      error
	until    time.Time // errors only
	failures int       // in a row, of errors
	bytes    int64
}

type flightKey struct {
	request requestKey
	roots   string
}

// flight is a render in progress. It ends early when nobody waits for it any more.
type flight struct {
	done    chan struct{}
	waiters int
	cancel  context.CancelCauseFunc
	result  *Result
	err     error
}

var errNobodyWaits = errors.New("nobody waits for the result any more")

// New makes a Memo.
func New(o Options) *Memo {
	if o.MaxBytes == 0 {
		o.MaxBytes = 128 << 20
	}
	if o.MaxPerRequest == 0 {
		o.MaxPerRequest = 3
	}
	if o.ErrorTTL == 0 {
		o.ErrorTTL = 30 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Memo{o: o, kept: map[requestKey][]*list.Element{}, recent: list.New(), flights: map[flightKey]*flight{}}
}

// Render gives the objects of a request, from memory where what the renderer saw is the same. The result is shared and
// must not be changed. Identical calls at the same time share one render. File systems whose files have no object ids
// (fs.FileInfo.Sys) are rendered each time.
func (m *Memo) Render(ctx context.Context, in Inputs, req Request, o CallOptions) (*Result, error) {
	req = req.shared()
	key, err := keyOf(req)
	if err != nil {
		return nil, err
	}
	call := call{in: in, req: req, key: flightKey{key, rootsOf(in)}, o: o}
	if call.key.roots == "" {
		return m.render(ctx, call)
	}
	if !o.NoCache {
		if v := m.find(ctx, call); v != nil {
			return v.result, v.err
		}
	}
	return m.join(ctx, call)
}

// call is one call of Render.
type call struct {
	in  Inputs
	req Request
	key flightKey
	o   CallOptions
}

// find looks for a kept result that is right for the inputs.
func (m *Memo) find(ctx context.Context, c call) *variant {
	now := m.o.Now()
	m.mu.Lock()
	var room [8]*variant
	candidates := room[:0]
	for _, e := range m.kept[c.key.request] {
		v := e.Value.(*variant)
		if v.err == nil || !now.After(v.until) && !c.o.RetryErrors {
			candidates = append(candidates, v)
		}
	}
	m.mu.Unlock()
	declared := ""                 // found out once it is needed
	for _, v := range candidates { // without the lock, because folders may have to be read from the repository
		same := v.roots == c.key.roots
		if !same && len(c.o.Paths) > 0 && declared == "" {
			declared = declaredID(c.in.Files, c.o.Paths)
		}
		if !v.reads.holds(ctx, c.in, same, declared != "" && declared == v.declared) {
			continue
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if same {
			m.stats.Same++
		} else {
			m.stats.Verified++
		}
		for _, e := range m.kept[v.key] {
			if e.Value == v {
				v.roots = c.key.roots
				m.use(e)
			}
		}
		return v
	}
	return nil
}

// use moves a result to the front; m.mu is held.
func (m *Memo) use(e *list.Element) {
	m.recent.MoveToFront(e)
	of := m.kept[e.Value.(*variant).key]
	for i := range of {
		if of[i] == e {
			copy(of[1:i+1], of[:i])
			of[0] = e
		}
	}
}

// join takes part in the render of a request for a commit, or starts it.
func (m *Memo) join(ctx context.Context, c call) (*Result, error) {
	m.mu.Lock()
	f := m.flights[c.key]
	if f == nil || c.o.NoCache {
		f = m.start(ctx, c)
	} else {
		m.stats.Joined++
	}
	f.waiters++
	m.mu.Unlock()
	select {
	case <-f.done:
		return f.result, f.err
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel(errNobodyWaits)
		if m.flights[c.key] == f {
			delete(m.flights, c.key) // a later caller must not join what is being given up
		}
	}
	return nil, context.Cause(ctx)
}

// start begins a render; m.mu is held.
func (m *Memo) start(ctx context.Context, c call) *flight {
	f := &flight{done: make(chan struct{})}
	ctx, f.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	if !c.o.NoCache {
		m.flights[c.key] = f
	}
	go func() {
		defer f.cancel(nil)
		f.result, f.err = m.obtain(ctx, c)
		m.mu.Lock()
		if m.flights[c.key] == f {
			delete(m.flights, c.key)
		}
		m.mu.Unlock()
		close(f.done)
	}()
	return f
}

// obtain takes the result from the store, or renders.
func (m *Memo) obtain(ctx context.Context, c call) (*Result, error) {
	if m.o.Store != nil && !c.o.NoCache && !m.has(c.key.request) {
		if v := m.load(ctx, c); v != nil {
			return v.result, nil
		}
	}
	return m.render(ctx, c)
}

// render runs the renderer and keeps the result, if the files have an identity.
func (m *Memo) render(ctx context.Context, c call) (*Result, error) {
	record := newRecording(c.in)
	record.declared = c.o.Paths
	result, err := m.o.Renderer.Render(ctx, record.inputs(), c.req)
	var bytes int64
	if err == nil {
		bytes, err = seal(&result, c.req.Namespace)
	}
	m.mu.Lock()
	m.stats.Renders++
	if err != nil {
		m.stats.Errors++
	}
	m.mu.Unlock()
	v := &variant{key: c.key.request, roots: c.key.roots, err: err, bytes: bytes}
	if err == nil {
		v.result = &result
	}
	if c.key.roots == "" || ctx.Err() != nil || err != nil && m.o.ErrorTTL < 0 {
		return v.result, v.err
	}
	v.reads = record.finish()
	if len(c.o.Paths) > 0 {
		v.declared = declaredID(c.in.Files, c.o.Paths)
	}
	v.bytes += v.reads.bytes() + 512
	if m.o.Store != nil && err == nil {
		m.save(v)
	}
	m.keep(v)
	return v.result, v.err
}

// keep adds a result, replaces what it makes needless, and drops what has not been used for longest.
func (m *Memo) keep(v *variant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range append([]*list.Element(nil), m.kept[v.key]...) {
		old := e.Value.(*variant)
		if old.err != nil && v.err != nil {
			v.failures = old.failures + 1
		}
		if old.roots == v.roots || old.err != nil {
			m.drop(e)
		}
	}
	if v.err != nil {
		v.until = m.o.Now().Add(min(m.o.ErrorTTL<<min(v.failures, 4), 10*m.o.ErrorTTL))
	}
	e := m.recent.PushFront(v)
	of := append([]*list.Element{e}, m.kept[v.key]...)
	m.kept[v.key] = of
	m.bytes += v.bytes
	if len(of) > m.o.MaxPerRequest {
		m.drop(of[len(of)-1])
	}
	for m.bytes > m.o.MaxBytes && m.recent.Len() > 1 {
		m.drop(m.recent.Back())
	}
}

// drop forgets a result; m.mu is held.
func (m *Memo) drop(e *list.Element) {
	v := m.recent.Remove(e).(*variant)
	m.bytes -= v.bytes
	var rest []*list.Element
	for _, other := range m.kept[v.key] {
		if other != e {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(m.kept, v.key)
		return
	}
	m.kept[v.key] = rest
}

// Stats gives the counts so far.
func (m *Memo) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Results, s.Bytes = m.recent.Len(), m.bytes
	return s
}

// Forget drops everything that is kept.
func (m *Memo) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.kept)
	m.recent.Init()
	m.bytes = 0
}
