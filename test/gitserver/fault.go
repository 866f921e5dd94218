package gitserver

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"time"
)

// Fault says how the server misbehaves. The zero value is a server that works.
type Fault struct {
	// Status answers every request with this code when it is not zero.
	Status int
	// Hang leaves requests without an answer until the client gives up or the server is closed.
	Hang bool
	// Delay waits before answering.
	Delay time.Duration
	// Truncate ends the connection after so many bytes of the answer's body when it is not zero; with Hang, it stays open
	// until the next SetFault.
	Truncate int
	// Only limits the fault to requests for this protocol version 2 command ("ls-refs", "fetch"); empty: to all.
	Only string
	// Redirect sends every request on to the same path below this URL when it is not empty.
	Redirect string
}

// SetFault makes the server misbehave from the next request on; the zero Fault heals it.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	if s.changed != nil {
		close(s.changed)
	}
	s.changed = make(chan struct{})
}

// stall waits for another fault, or the end.
func (s *Server) stall(r *http.Request) {
	s.mu.Lock()
	changed := s.changed
	s.mu.Unlock()
	select {
	case <-changed:
	case <-r.Context().Done():
	case <-s.done:
	}
}

func (f Fault) serve(s *Server, w *recorder, r *http.Request) {
	if f.Only != "" {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if command(r, body) != f.Only {
			s.backend.ServeHTTP(w, r)
			return
		}
	}
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
	switch {
	case f.Hang && f.Truncate > 0:
		s.backend.ServeHTTP(&truncating{recorder: w, left: f.Truncate, atEnd: func() { s.stall(r) }}, r)
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	case f.Redirect != "":
		http.Redirect(w, r, strings.TrimSuffix(f.Redirect, "/")+r.URL.RequestURI(), http.StatusMovedPermanently)
	case f.Status != 0:
		http.Error(w, http.StatusText(f.Status), f.Status)
	case f.Truncate > 0:
		s.backend.ServeHTTP(&truncating{recorder: w, left: f.Truncate}, r)
	default:
		s.backend.ServeHTTP(w, r)
	}
}

// truncating drops the connection when more than left bytes have been written.
type truncating struct {
	*recorder
	left  int
	atEnd func() // nil: nothing
}

func (t *truncating) Write(p []byte) (int, error) {
	n, err := t.recorder.Write(p[:min(len(p), t.left)])
	t.left -= n
	if t.left <= 0 {
		t.Flush()
		if t.atEnd != nil {
			t.atEnd()
		}
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// command finds the protocol version 2 command in a request body: "command=ls-refs" in the first packet.
func command(r *http.Request, body []byte) string {
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return ""
		}
		body, _ = io.ReadAll(io.LimitReader(z, 256))
	}
	const prefix = "command="
	if len(body) < 4+len(prefix) || string(body[4:4+len(prefix)]) != prefix {
		return ""
	}
	line, _, _ := bytes.Cut(body[4+len(prefix):], []byte("\n"))
	if i := bytes.Index(line, []byte("0")); i > 0 { // no line feed: the next packet's length follows
		line = line[:i]
	}
	return string(line)
}
