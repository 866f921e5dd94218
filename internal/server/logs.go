package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/auth"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
)

// logEntry is one line of a log as clients read it.
type logEntry struct {
	Content string `json:"content"`
	// TimeStamp has no fractions of a second, TimeStampStr has.
	TimeStamp string `json:"timeStamp"`
	// Last says that nothing follows.
	Last         bool   `json:"last"`
	TimeStampStr string `json:"timeStampStr"`
	PodName      string `json:"podName"`
}

func entryOf(line inspect.Line) logEntry {
	at := line.Time.UTC()
	return logEntry{Content: line.Text, TimeStamp: at.Format(time.RFC3339), TimeStampStr: at.Format(time.RFC3339Nano), PodName: line.Pod}
}

// podLogs sends the lines of an Application's pods that are there and, when it is asked to follow, those that come.
func (s *Server) podLogs(w http.ResponseWriter, r *http.Request, who caller) error {
	of, request, err := parseLogs(r, s.options.Now())
	if err != nil {
		return err
	}
	app, live, err := s.findLive(r.Context(), r.PathValue("name"), r.URL.Query(), who, "get")
	if err != nil {
		return err
	}
	may := auth.Action{Resource: "logs", Verb: "get", Object: s.objectName(app)}
	if err := s.options.Policy.Decide(who.Identity, may); err != nil {
		return err
	}
	leave, err := s.enterStream()
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	lines, ended := make(chan inspect.Line, 64), make(chan error, 1)
	go func() {
		defer close(lines)
		ended <- live.Logs(ctx, app, of, request, func(line inspect.Line) error {
			select {
			case lines <- line:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	return s.sendLines(w, r, who, may, lines, ended)
}

// sendLines sends lines until there are no more, and then how that ended. What goes wrong before there is anything to send is told
// with a status of its own.
func (s *Server) sendLines(w http.ResponseWriter, r *http.Request, who caller, may auth.Action, lines <-chan inspect.Line, ended <-chan error) error {
	var out *eventWriter
	begun := func() *eventWriter {
		if out == nil {
			out = newEventWriter(w, r)
		}
		return out
	}
	check := time.NewTicker(s.options.StreamCheck)
	defer check.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-check.C:
			err = s.stillWelcome(who, begun(), may)
		case line, more := <-lines:
			if !more {
				return s.endLines(begun, out != nil, <-ended)
			}
			if err = begun().result(entryOf(line)); err == nil && len(lines) == 0 {
				err = out.flush()
			}
		}
		if err != nil {
			return nil // the caller has gone, or learnt of the error in the stream
		}
	}
}

func (s *Server) endLines(begun func() *eventWriter, hasBegun bool, err error) error {
	if err == nil {
		last := entryOf(inspect.Line{Time: s.options.Now()})
		last.Last = true
		_ = begun().result(last)
		_ = begun().flush()
		return nil
	}
	if err = liveError(err); !hasBegun {
		return err
	}
	_ = begun().failure(asAPIError(err))
	return nil
}

// parseLogs reads which lines of which pods are wanted.
func parseLogs(r *http.Request, now time.Time) (of application.PodsOf, request inspect.LogRequest, err error) {
	p := logQuery{Values: r.URL.Query()}
	of = application.PodsOf{Group: p.Get("group"), Kind: p.Get("kind"), Namespace: p.Get("namespace"), Name: p.Get("resourceName")}
	pod := r.PathValue("podName")
	if pod == "" {
		pod = p.Get("podName")
	}
	if pod != "" {
		of.Group, of.Kind, of.Name = "", "Pod", pod
	}
	request = inspect.LogRequest{
		Container: p.Get("container"), Follow: p.flag("follow"), Previous: p.flag("previous"), Tail: -1,
		Filter: inspect.ParseFilter(p.Get("filter"), p.flag("matchCase")), Since: p.time("sinceTime"), Until: p.time("untilTime"),
	}
	if n := p.number("tailLines"); n > 0 {
		request.Tail = n
	}
	if n := p.number("sinceSeconds"); n > 0 {
		request.Since = now.Add(-time.Duration(min(n, maxSinceSeconds)) * time.Second)
	} else if n := p.number("sinceTime.seconds"); n > 0 {
		request.Since = time.Unix(n, p.number("sinceTime.nanos"))
	}
	return of, request, p.err
}

// maxSinceSeconds is longer than any log reaches back.
const maxSinceSeconds = 100 * 365 * 24 * 3600

// logQuery reads values and remembers the first that cannot be read.
type logQuery struct {
	url.Values
	err error
}

func (p *logQuery) fail(key, want string) {
	if p.err == nil {
		p.err = failure(codeInvalidArgument, "invalid %s parameter value: %q is not %s", key, p.Get(key), want)
	}
}

func (p *logQuery) flag(key string) bool {
	if p.Get(key) == "" {
		return false
	}
	on, err := strconv.ParseBool(p.Get(key))
	if err != nil {
		p.fail(key, "true or false")
	}
	return on
}

func (p *logQuery) number(key string) int64 {
	if p.Get(key) == "" {
		return 0
	}
	n, err := strconv.ParseInt(p.Get(key), 10, 64)
	if err != nil {
		p.fail(key, "a number")
	}
	return n
}

func (p *logQuery) time(key string) time.Time {
	if p.Get(key) == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, p.Get(key))
	if err != nil {
		p.fail(key, fmt.Sprintf("a time such as %s", time.RFC3339))
	}
	return at
}
