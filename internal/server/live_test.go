package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// live is a cluster whose logs go on for ever and whose shells repeat what they read.
type live struct {
	server.Live // what a test does not use
	shells      []string
	err         error
	over        chan struct{}
}

func (l *live) Logs(ctx context.Context, _ *v1alpha1.Application, _ application.PodsOf, _ inspect.LogRequest, line func(inspect.Line) error) error {
	if l.err != nil {
		return l.err
	}
	defer close(l.over)
	if err := line(inspect.Line{Pod: "web", Text: "hello", Time: time.Now()}); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *live) Tree(*v1alpha1.Application) (*v1alpha1.ApplicationTree, error) {
	return &v1alpha1.ApplicationTree{}, l.err
}

func (l *live) OnTree(*v1alpha1.Application, func()) func() { return func() { close(l.over) } }

func (l *live) CanExec(context.Context, *v1alpha1.Application, string, string, string) error {
	return l.err
}

func (l *live) Exec(ctx context.Context, _ *v1alpha1.Application, r inspect.ExecRequest) (int, error) {
	if r.Command[0] != l.shells[0] {
		return 127, nil
	}
	fmt.Fprintf(r.Stdout, "%s is here\n", r.Command[0])
	_, err := io.Copy(r.Stdout, r.Stdin)
	if ctx.Err() != nil {
		close(l.over)
	}
	return 0, err
}

// withLive serves an Application whose cluster is l.
func withLive(t *testing.T, l *live) *world {
	t.Helper()
	l.over = make(chan struct{})
	w := start(t, func(o *server.Options) {
		o.Live, o.StreamCheck, o.Insecure = func() server.Live { return l }, 20*time.Millisecond, true
	})
	w.add("argocd", "a", nil)
	w.change(func(s *settings.Settings) {
		s.Inspection = settings.Inspection{ExecEnabled: true, Shells: []string{"bash", "sh"}, MaxPodLogs: 10}
	})
	return w
}

func (w *world) endSessions() {
	w.change(func(s *settings.Settings) { s.ServerKey = []byte("another key") })
}

func TestWhatIsLiveStreamsNoLongerThanTheSession(t *testing.T) {
	for _, path := range []string{"/api/v1/applications/a/logs?follow=true", "/api/v1/stream/applications/a/resource-tree"} {
		t.Run(path, func(t *testing.T) {
			l := &live{}
			w := withLive(t, l)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
			must(t, err)
			req.Header.Set("Authorization", w.login("admin"))
			resp, err := w.client.Do(req)
			must(t, err)
			defer resp.Body.Close()
			lines := bufio.NewScanner(resp.Body)
			if !lines.Scan() || !strings.HasPrefix(lines.Text(), `{"result":`) {
				t.Fatalf("the stream begins with %q, %v", lines.Text(), lines.Err())
			}
			w.endSessions()
			last := ""
			for lines.Scan() {
				last = lines.Text()
			}
			if !strings.Contains(last, `"grpc_code":16`) {
				t.Errorf("the last message is %q", last)
			}
			<-l.over
		})
	}
}

func TestATerminalEndsWithTheSession(t *testing.T) {
	l := &live{shells: []string{"sh"}}
	w := withLive(t, l)
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.url, "http", "ws", 1)+"/terminal?appName=a&projectName=default&namespace=n&pod=web&container=c",
		http.Header{"Authorization": {w.login("admin")}})
	must(t, err)
	defer conn.Close()
	must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"operation":"stdin","data":"typed"}`)))
	output := ""
	for !strings.Contains(output, "typed") {
		_, data, err := conn.ReadMessage()
		must(t, err)
		output += string(data)
	}
	if !strings.Contains(output, "sh is here") || strings.Contains(output, "bash is here") {
		t.Errorf("the shell is %s", output)
	}
	w.endSessions()
	var last []byte
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			break
		}
		last = data
	}
	if string(last) != `{"Code":1}` {
		t.Errorf("the last message is %s", last)
	}
	<-l.over
}

func TestWhatCannotBeSeenIsToldWithItsOwnStatus(t *testing.T) {
	for sentence, c := range map[string]struct {
		err    error
		status int
	}{
		"no part of the application": {fmt.Errorf("pod x %w a", application.ErrNotPart), 400},
		"a cluster that is away":     {fmt.Errorf("%w: it is away", application.ErrNoLiveState), 503},
		"a broken connection":        {errors.New("connection refused"), 503},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := withLive(t, &live{err: c.err})
			admin := w.login("admin")
			for _, path := range []string{
				"/api/v1/applications/a/logs", "/api/v1/applications/a/resource-tree", "/api/v1/stream/applications/a/resource-tree",
				"/terminal?appName=a&projectName=default&namespace=n&pod=web&container=c",
			} {
				if a := w.call("GET", path, "", "Authorization", admin); a.status != c.status || !strings.Contains(a.body, c.err.Error()) {
					t.Errorf("%s: %d %s", path, a.status, a.body)
				}
			}
		})
	}
	t.Run("a process without a controller", func(t *testing.T) {
		w := start(t, nil)
		w.add("argocd", "a", nil)
		if a := w.call("GET", "/api/v1/applications/a/logs", "", "Authorization", w.login("admin")); a.status != 503 || !strings.Contains(a.body, "runs the controller") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func FuzzCharactersAreNotTornApart(f *testing.F) {
	f.Add([]byte("grüße €"), 3)
	f.Add([]byte("\xf0\x9f\x98"), 1)
	f.Fuzz(func(t *testing.T, text []byte, at int) {
		if !utf8.Valid(text) {
			if n := server.WholeRunes(text); n < len(text)-3 || n > len(text) {
				t.Errorf("%d of %d bytes are whole", n, len(text))
			}
			return
		}
		cut := text[:max(0, min(at, len(text)))]
		if n := server.WholeRunes(cut); !utf8.Valid(cut[:n]) || len(cut)-n > 3 {
			t.Errorf("%q is cut at %d", cut, n)
		}
		if n := server.WholeRunes(text); n != len(text) {
			t.Errorf("%q is not taken whole", text)
		}
	})
}
