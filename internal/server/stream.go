package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/auth"
)

// streamApplications sends what is there and then every change, until the caller goes, or its session or right ends.
func (s *Server) streamApplications(w http.ResponseWriter, r *http.Request, who caller) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	leave, err := s.enterStream()
	if err != nil {
		return err
	}
	defer leave()
	subscription := s.hub.subscribe(q.matches)
	defer subscription.close()
	out := newEventWriter(w, r)
	check := time.NewTicker(s.options.StreamCheck)
	defer check.Stop()
	if err := s.sendAll(out, who, s.present(q)); err != nil {
		return nil // the caller has gone, or learnt of the error in the stream
	}
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-subscription.ready:
			err = s.sendAll(out, who, subscription.take())
		case <-check.C:
			err = s.stillWelcome(who, out, auth.Action{Resource: "applications", Verb: "get"})
		}
		if err != nil {
			return nil
		}
	}
}

// enterStream takes one of the places for streams, until leave is called.
func (s *Server) enterStream() (leave func(), err error) {
	select {
	case s.streams <- struct{}{}:
		return func() { <-s.streams }, nil
	default:
		return nil, failure(codeResourceExhausted, "too many streams are open; close some and try again")
	}
}

// present gives the Applications that a new stream begins with: all, or those that changed after the version that the
// caller knows.
func (s *Server) present(q query) []event {
	var found []*v1alpha1.Application
	for _, app := range s.options.Applications.List() {
		if q.matches(app) && (q.name != "" || versionOf(app) > q.after || q.after == 0) {
			found = append(found, app)
		}
	}
	sortApplications(found)
	kind := eventAdded
	if q.after > 0 && q.name == "" {
		kind = eventModified
	}
	events := make([]event, 0, len(found))
	for _, app := range found {
		events = append(events, event{kind, app})
	}
	return events
}

// sendAll sends the events about Applications that the caller may see.
func (s *Server) sendAll(out *eventWriter, who caller, events []event) error {
	for _, e := range events {
		if s.permit(who, "get", e.app) != nil {
			continue
		}
		data, err := s.encoded.of(e.app)
		if err != nil {
			s.options.Logger.Error("an Application cannot be encoded", "application", e.app.Name, "error", err.Error())
			continue
		}
		if e.kind == eventDeleted {
			s.encoded.forget(e.app)
		}
		if err := out.application(e.kind, data); err != nil {
			return err
		}
	}
	return out.flush()
}

// stillWelcome ends a stream whose session or right has ended, and otherwise shows the caller that the stream is alive.
func (s *Server) stillWelcome(who caller, out *eventWriter, may auth.Action) error {
	if err := s.stillMay(who, may); err != nil {
		_ = out.failure(asAPIError(err))
		return err
	}
	return out.alive()
}

// stillMay asks again whether a session counts and may do what it does.
func (s *Server) stillMay(who caller, may auth.Action) error {
	if s.options.DisableAuth {
		return nil
	}
	id, err := s.options.Sessions.Verify(who.token)
	if err == nil {
		err = s.options.Policy.Decide(id, may)
	}
	if err != nil {
		return failure(codeUnauthenticated, "%s", err)
	}
	return nil
}

// eventWriter writes a stream: server-sent events for browsers, and for others one JSON value in each line.
type eventWriter struct {
	w      http.ResponseWriter
	events bool
	buffer bytes.Buffer
}

func newEventWriter(w http.ResponseWriter, r *http.Request) *eventWriter {
	// The request has been read; it may now last as long as the caller listens.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	out := &eventWriter{w: w, events: strings.Contains(r.Header.Get("Accept"), "text/event-stream")}
	kind := "application/json"
	if out.events {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Accel-Buffering", "no") // proxies must not hold events back
	w.WriteHeader(http.StatusOK)
	return out
}

func (e *eventWriter) application(kind string, app json.RawMessage) error {
	e.begin()
	e.buffer.WriteString(`{"result":{"type":"` + kind + `","application":`)
	e.buffer.Write(app)
	e.buffer.WriteString(`}}`)
	e.end()
	if e.buffer.Len() < 64<<10 {
		return nil
	}
	return e.flush()
}

// result sends a value, at the latest with the next flush.
func (e *eventWriter) result(value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	e.begin()
	e.buffer.WriteString(`{"result":`)
	e.buffer.Write(data)
	e.buffer.WriteString(`}`)
	e.end()
	if e.buffer.Len() < 64<<10 {
		return nil
	}
	return e.flush()
}

// failure tells the caller why the stream ends.
func (e *eventWriter) failure(err *apiError) error {
	body := map[string]any{"error": map[string]any{
		"grpc_code": err.code, "http_code": err.code.status(), "http_status": http.StatusText(err.code.status()), "message": err.message,
	}}
	data, encodeErr := json.Marshal(body)
	if encodeErr != nil {
		return encodeErr
	}
	e.begin()
	e.buffer.Write(data)
	e.end()
	return e.flush()
}

// alive writes a line that clients pass over.
func (e *eventWriter) alive() error {
	if e.events {
		e.buffer.WriteString(":\n\n")
	}
	return e.flush()
}

func (e *eventWriter) begin() {
	if e.events {
		e.buffer.WriteString("data: ")
	}
}

func (e *eventWriter) end() {
	e.buffer.WriteByte('\n')
	if e.events {
		e.buffer.WriteByte('\n')
	}
}

// flush sends what has been written. A caller that takes nothing for too long loses its stream.
func (e *eventWriter) flush() error {
	deadline(e.w, time.Now().Add(30*time.Second))
	if e.buffer.Len() > 0 {
		if _, err := e.w.Write(e.buffer.Bytes()); err != nil { //nolint:gosec // JSON under its own content type, with nosniff
			return err
		}
		e.buffer.Reset()
	}
	return http.NewResponseController(e.w).Flush()
}
