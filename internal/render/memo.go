package render

import (
	"container/list"
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Options are the settings of a Memo; every field has a default.
type Options struct {
	// Renderers add or replace renderers of source types.
	Renderers map[v1alpha1.ApplicationSourceType]Renderer
	// MaxCombinedSize bounds the manifests of one directory source together, in bytes; zero: no limit. It is asked
	// at each rendering; nil: DefaultMaxCombinedSize.
	MaxCombinedSize func() int64
	// MaxBytes bounds roughly the memory for results, default 128 MiB.
	MaxBytes int64
	// MaxPerRequest is how many results of one request are kept, default 3: as many branches or commits can take
	// turns without being rendered again.
	MaxPerRequest int
	// ErrorTTL is how long an error is kept, default 30 s; negative: not at all.
	ErrorTTL time.Duration
	// Now is the clock, default time.Now.
	Now func() time.Time
}

// CallOptions are the wishes of one call of Memo.Render.
type CallOptions struct {
	// NoCache renders in any case. The result replaces what was kept.
	NoCache bool
}

// Memo renders and keeps results. It is safe for concurrent use.
type Memo struct {
	o        Options
	renderer Renderer
	keys     keyMaker

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
	// the same (Same), and after comparing the read set (Verified), calls that joined a render in progress (Joined).
	Renders, Errors, Same, Verified, Joined uint64
	// Results kept now and their size in bytes, roughly.
	Results int
	Bytes   int64
}

// variant is one kept result of a request.
type variant struct {
	key    requestKey
	root   any // of the commit that it was last right for
	reads  *readSet
	result *Result
	err    error
	until  time.Time // errors only
	bytes  int64
}

type flightKey struct {
	request requestKey
	root    any
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
	d := dispatcher{renderers: map[v1alpha1.ApplicationSourceType]Renderer{
		v1alpha1.ApplicationSourceTypeDirectory: Directory{MaxCombinedSize: o.MaxCombinedSize},
	}}
	for kind, r := range o.Renderers {
		d.renderers[kind] = r
	}
	return &Memo{
		o: o, renderer: d, kept: map[requestKey][]*list.Element{}, recent: list.New(), flights: map[flightKey]*flight{},
	}
}

// Render gives the objects of a request for a commit, from memory where what the renderer saw is the same. The result is
// shared and must not be changed. Identical calls at the same time share one render. File systems whose files have no
// object ids (fs.FileInfo.Sys) are rendered each time.
func (m *Memo) Render(ctx context.Context, snapshot fs.FS, req Request, o CallOptions) (*Result, error) {
	req = req.shared()
	key, err := m.keys.key(req)
	if err != nil {
		return nil, err
	}
	var root any
	if info, err := fs.Stat(snapshot, "."); err == nil {
		root = objectID(info)
	}
	if root == nil {
		return m.render(ctx, snapshot, req, nil)
	}
	if !o.NoCache {
		if v := m.find(key, root, snapshot); v != nil {
			return v.result, v.err
		}
	}
	return m.join(ctx, flightKey{key, root}, snapshot, req, o.NoCache)
}

// find looks for a kept result that is right for the snapshot.
func (m *Memo) find(key requestKey, root any, snapshot fs.FS) *variant {
	now := m.o.Now()
	m.mu.Lock()
	var candidates [8]*variant
	unsure := candidates[:0]
	for _, e := range m.kept[key] {
		v := e.Value.(*variant)
		switch {
		case v.err != nil && now.After(v.until):
		case v.root == root:
			m.use(e)
			m.stats.Same++
			m.mu.Unlock()
			return v
		default:
			unsure = append(unsure, v)
		}
	}
	m.mu.Unlock()
	for _, v := range unsure { // without the lock, because folders may have to be read from the repository
		if !v.reads.holds(snapshot) {
			continue
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.stats.Verified++
		for _, e := range m.kept[key] {
			if e.Value == v {
				v.root = root
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
func (m *Memo) join(ctx context.Context, key flightKey, snapshot fs.FS, req Request, alone bool) (*Result, error) {
	m.mu.Lock()
	f := m.flights[key]
	if f == nil || alone {
		f = m.start(ctx, key, snapshot, req, alone)
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
		if m.flights[key] == f {
			delete(m.flights, key) // a later caller must not join what is being given up
		}
	}
	return nil, context.Cause(ctx)
}

// start begins a render; m.mu is held.
func (m *Memo) start(ctx context.Context, key flightKey, snapshot fs.FS, req Request, alone bool) *flight {
	f := &flight{done: make(chan struct{})}
	ctx, f.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	if !alone {
		m.flights[key] = f
	}
	go func() {
		defer f.cancel(nil)
		f.result, f.err = m.render(ctx, snapshot, req, &key)
		m.mu.Lock()
		if m.flights[key] == f {
			delete(m.flights, key)
		}
		m.mu.Unlock()
		close(f.done)
	}()
	return f
}

// render runs the renderer and keeps the result under key, unless that is nil.
func (m *Memo) render(ctx context.Context, snapshot fs.FS, req Request, key *flightKey) (*Result, error) {
	record := newRecorder(snapshot)
	result, err := m.renderer.Render(ctx, record, req)
	var bytes int64
	if err == nil {
		bytes, err = seal(&result, req.Namespace)
	}
	m.mu.Lock()
	m.stats.Renders++
	if err != nil {
		m.stats.Errors++
	}
	m.mu.Unlock()
	v := &variant{err: err, bytes: bytes, until: m.o.Now().Add(m.o.ErrorTTL)}
	if err == nil {
		v.result = &result
	}
	if key == nil || ctx.Err() != nil {
		return v.result, v.err
	}
	v.key, v.root, v.reads = key.request, key.root, record.finish()
	// An error that came from a failing read may be gone by the next try.
	if err == nil || m.o.ErrorTTL > 0 && !v.reads.vague {
		v.bytes += v.reads.bytes() + 512
		m.keep(v)
	}
	return v.result, v.err
}

// keep adds a result, replaces what it makes needless, and drops what has not been used for longest.
func (m *Memo) keep(v *variant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range append([]*list.Element(nil), m.kept[v.key]...) {
		old := e.Value.(*variant)
		if old.root == v.root || old.err != nil {
			m.drop(e)
		}
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
