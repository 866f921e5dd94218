package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// patient sends the requests that somebody waits for: about single objects, and for discovery. While an answer is late it
// asks the API server for a sign of life, and gives up when there is none. So a server that takes requests and never
// answers holds up nobody for long, while one that is slow, because a webhook takes its time, is waited for. When the
// server is known to be away nothing is sent.
type patient struct {
	next http.RoundTripper
	// probe asks for a sign of life.
	probe func(context.Context) error
	// away tells why the server is known to be away; nil when it is not. lost says that it was found so.
	away func() error
	lost func(error)
}

const (
	// doubt is after which time without an answer the server is asked for a sign of life, which may take as long as a knock.
	doubt        = 3 * time.Second
	probeTimeout = knockTimeout
)

// over returns a transport of the same patience over that of a client.
func (p patient) over(c *http.Client) http.RoundTripper {
	p.next = roundTripperOf(c)
	return &p
}

// RoundTrip implements http.RoundTripper.
func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.away(); err != nil {
		return nil, fmt.Errorf("the API server cannot be reached: %w", err)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	w := p.wait(ctx, cancel)
	response, err := p.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		w.end()
		if gaveUp := context.Cause(ctx); gaveUp != nil && r.Context().Err() == nil {
			err = gaveUp
		}
		cancel(nil)
		return nil, err
	}
	response.Body = &awaitedBody{ReadCloser: response.Body, end: func() { w.end(); cancel(nil) }}
	return response, nil
}

// WrappedRoundTripper lets client-go find the transport.
func (p *patient) WrappedRoundTripper() http.RoundTripper { return p.next }

// waiting doubts, again and again, until its end.
type waiting struct {
	mu    sync.Mutex
	ended bool
	timer *time.Timer
}

func (p *patient) wait(ctx context.Context, giveUp context.CancelCauseFunc) *waiting {
	w := &waiting{}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(doubt, func() {
		probing, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		err := p.probe(probing)
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case w.ended || ctx.Err() != nil:
		case err != nil:
			giveUp(fmt.Errorf("the API server does not answer: %w", err))
			p.lost(err)
		default:
			w.timer.Reset(doubt)
		}
	})
	return w
}

func (w *waiting) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.timer.Stop()
}

// awaitedBody is waited for until it is closed.
type awaitedBody struct {
	io.ReadCloser
	end func()
}

func (b *awaitedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
