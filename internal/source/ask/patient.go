package ask

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// ErrSilent means that a server has said nothing for too long.
var ErrSilent = errors.New("the server did not answer in time")

// Patient is a transport that gives up when a server says nothing for the time of silence, at the beginning of an answer
// or in its middle. A long answer that keeps coming is not cut off.
type Patient struct {
	http.RoundTripper
	Silence time.Duration
}

// RoundTrip implements http.RoundTripper.
func (p Patient) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(p.Silence, func() { cancel(ErrSilent) })
	resp, err := p.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		timer.Stop()
		err = silent(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &patientBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, timer: timer, silence: p.Silence}
	return resp, nil
}

// CloseIdleConnections is found by http.Client.
func (p Patient) CloseIdleConnections() {
	if t, ok := p.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func silent(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrSilent) {
		return ErrSilent
	}
	return err
}

type patientBody struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	silence time.Duration
}

func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = silent(b.ctx, err)
	}
	if n > 0 {
		b.timer.Reset(b.silence)
	}
	return n, err
}

func (b *patientBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
