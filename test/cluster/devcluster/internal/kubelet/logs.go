package kubelet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// pollFollowed is how often a followed log is looked at.
const pollFollowed = 200 * time.Millisecond

// logOptions are what a request for a log asks for.
type logOptions struct {
	follow, previous, timestamps bool
	since                        time.Time
	tail, limit                  int64 // -1: all
}

func readLogOptions(query url.Values, now time.Time) (logOptions, error) {
	o := logOptions{
		follow:     query.Get("follow") == "true",
		previous:   query.Get("previous") == "true",
		timestamps: query.Get("timestamps") == "true",
	}
	var errs [4]error
	o.tail, errs[0] = number(query, "tailLines")
	o.limit, errs[1] = number(query, "limitBytes")
	seconds, err := number(query, "sinceSeconds")
	errs[2] = err
	if seconds >= 0 {
		o.since = now.Add(-time.Duration(seconds) * time.Second)
	}
	if text := query.Get("sinceTime"); text != "" {
		o.since, errs[3] = time.Parse(time.RFC3339, text)
	}
	return o, errors.Join(errs[:]...)
}

// number returns a query parameter that holds a number, -1 when it is missing.
func number(query url.Values, name string) (int64, error) {
	text := query.Get(name)
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1, fmt.Errorf("%s is not a number: %q", name, text)
	}
	return n, nil
}

// logs answers kubectl logs.
func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	t, ok := s.find(w, r)
	if !ok {
		return
	}
	o, err := readLogOptions(r.URL.Query(), s.now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := t.run(o.previous); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusOK)
	// An error here means that the client has gone.
	_ = s.writeLog(r.Context(), flushing{w, http.NewResponseController(w)}, t, o)
}

// writeLog writes the log of a container and, when it is followed, goes on
// until the container or the context ends.
func (s *Server) writeLog(ctx context.Context, w io.Writer, t target, o logOptions) error {
	if o.limit >= 0 {
		w = &limited{w, o.limit}
	}
	run, err := t.run(o.previous)
	if err != nil {
		return err
	}
	lines := t.history(run, s.now())
	seen := time.Time{}
	if len(lines) > 0 {
		seen = lines[len(lines)-1].at
	}
	for len(lines) > 0 && lines[0].at.Before(o.since) {
		lines = lines[1:]
	}
	if o.tail >= 0 && int64(len(lines)) > o.tail {
		lines = lines[int64(len(lines))-o.tail:]
	}
	if err := write(w, lines, o.timestamps); err != nil || !o.follow || o.previous {
		return err
	}
	return s.follow(ctx, w, t, run.ContainerID, seen, o.timestamps)
}

// follow writes the lines of one run of a container that are later than seen,
// until the run or the context ends.
func (s *Server) follow(ctx context.Context, w io.Writer, t target, id string, seen time.Time, timestamps bool) error {
	poll := time.NewTicker(pollFollowed)
	defer poll.Stop()
	for {
		current, err := s.lookUp(t.pod.Namespace, t.pod.Name, t.spec.Name)
		if err != nil || current.status.ContainerID != id {
			return nil
		}
		run, err := current.run(false)
		if err != nil {
			return nil
		}
		lines := current.history(run, s.now())
		for len(lines) > 0 && !lines[0].at.After(seen) {
			lines = lines[1:]
		}
		if err := write(w, lines, timestamps); err != nil {
			return err
		}
		if len(lines) > 0 {
			seen = lines[len(lines)-1].at
		}
		if current.status.State.Running == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write writes lines in one piece.
func write(w io.Writer, lines []line, timestamps bool) error {
	if len(lines) == 0 {
		return nil
	}
	var text bytes.Buffer
	for _, l := range lines {
		if timestamps {
			text.WriteString(l.at.UTC().Format(time.RFC3339Nano) + " ")
		}
		text.WriteString(l.text + "\n")
	}
	_, err := w.Write(text.Bytes())
	return err
}

// flushing sends everything on at once.
type flushing struct {
	io.Writer
	controller *http.ResponseController
}

// Write implements io.Writer.
func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	if err == nil {
		err = f.controller.Flush()
	}
	return n, err
}

// limited fails once more than left bytes are written.
type limited struct {
	io.Writer
	left int64
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	short := int64(len(p)) > l.left
	if short {
		p = p[:l.left]
	}
	n, err := l.Writer.Write(p)
	l.left -= int64(n)
	if err == nil && short {
		err = io.ErrShortWrite
	}
	return n, err
}

// attacher shows the log of a container to who attaches to it.
type attacher struct {
	server *Server
	target target
}

// AttachContainer implements remotecommand.Attacher.
func (a attacher) AttachContainer(ctx context.Context, _, _, _ string, _ io.Reader, out, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	if out == nil {
		return nil
	}
	err := a.server.writeLog(ctx, out, a.target, logOptions{follow: true, tail: -1, limit: -1})
	if ctx.Err() == nil {
		return err
	}
	return nil
}
