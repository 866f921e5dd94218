package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// message is one message of a stream.
type message struct {
	Result *struct {
		Type        string
		Application struct {
			Metadata struct{ Name, ResourceVersion string }
			Status   struct{ Sync struct{ Revision string } }
		}
	}
	Error *struct {
		GRPCCode int `json:"grpc_code"`
		HTTPCode int `json:"http_code"`
		Message  string
	}
}

// stream opens a stream whose messages arrive in the channel, which is closed at its end.
func (w *world) stream(ctx context.Context, query, accept, auth string) <-chan message {
	w.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/api/v1/stream/applications"+query, nil)
	must(w.t, err)
	req.Header.Set("Accept", accept)
	req.Header.Set("Authorization", auth)
	resp, err := w.client.Do(req)
	must(w.t, err)
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("the stream does not open: %d", resp.StatusCode)
	}
	events := accept == "text/event-stream"
	if got := resp.Header.Get("Content-Type"); events != (got == "text/event-stream") {
		w.t.Errorf("content type %s", got)
	}
	messages := make(chan message, 1000)
	go func() {
		defer close(messages)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := lines.Text()
			if events {
				data, ok := strings.CutPrefix(line, "data: ")
				if !ok {
					continue
				}
				line = data
			}
			var m message
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				w.t.Errorf("not JSON: %s", line)
				return
			}
			messages <- m
		}
	}()
	return messages
}

func next(t *testing.T, messages <-chan message) message {
	t.Helper()
	select {
	case m, ok := <-messages:
		if !ok {
			t.Fatal("the stream has ended")
		}
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("nothing arrives")
	}
	return message{}
}

func expect(t *testing.T, messages <-chan message, kind, name string) message {
	t.Helper()
	m := next(t, messages)
	if m.Result == nil || m.Result.Type != kind || m.Result.Application.Metadata.Name != name {
		t.Fatalf("got %+v, want %s %s", m.Result, kind, name)
	}
	return m
}

func TestStream(t *testing.T) {
	w := start(t, nil)
	admin := w.login("admin")
	w.add("argocd", "b", nil)
	w.add("argocd", "a", nil)
	w.add("argocd", "other", func(a *v1alpha1.Application) { a.Spec.Project = "shop" })
	for _, accept := range []string{"text/event-stream", "application/json"} {
		t.Run(accept, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			messages := w.stream(ctx, "?projects=default", accept, admin)
			expect(t, messages, "ADDED", "a")
			expect(t, messages, "ADDED", "b")
			w.add("argocd", "other", func(a *v1alpha1.Application) { a.Status.Sync.Revision = "hidden" })
			w.add("argocd", "a", func(a *v1alpha1.Application) { a.Status.Sync.Revision = "r1" })
			if m := expect(t, messages, "MODIFIED", "a"); m.Result.Application.Status.Sync.Revision != "r1" {
				t.Errorf("%+v", m.Result)
			}
			w.add("argocd", "c", nil)
			expect(t, messages, "ADDED", "c")
			w.put(key("argocd", "c"), func(*v1alpha1.Application) *v1alpha1.Application { return nil })
			expect(t, messages, "DELETED", "c")
		})
	}
}

func TestStreamAfterAVersion(t *testing.T) {
	w := start(t, nil)
	admin := w.login("admin")
	first := w.add("argocd", "a", nil)
	w.add("argocd", "b", nil)
	messages := w.stream(t.Context(), "?resourceVersion="+first.ResourceVersion, "text/event-stream", admin)
	expect(t, messages, "MODIFIED", "b")
	w.add("argocd", "a", nil)
	expect(t, messages, "MODIFIED", "a")
	one := w.stream(t.Context(), "?name=a&resourceVersion=99999", "text/event-stream", admin)
	expect(t, one, "ADDED", "a")
}

func TestStreamOfASlowClientKeepsOnlyTheLastState(t *testing.T) {
	w := start(t, nil)
	admin := w.login("admin")
	messages := w.stream(t.Context(), "", "text/event-stream", admin)
	w.add("argocd", "a", nil)
	expect(t, messages, "ADDED", "a")
	for range 20_000 {
		w.add("argocd", "a", nil)
	}
	last := w.add("argocd", "a", func(a *v1alpha1.Application) { a.Status.Sync.Revision = "last" })
	for n := 1; ; n++ {
		if m := next(t, messages); m.Result.Application.Metadata.ResourceVersion == last.ResourceVersion {
			t.Logf("%d messages for 20000 changes", n)
			return
		}
	}
}

func TestStreamsEnd(t *testing.T) {
	for sentence, c := range map[string]struct {
		end     func(*world, context.CancelFunc)
		message bool
	}{
		"with their client": {func(_ *world, cancel context.CancelFunc) { cancel() }, false},
		"with their session": {func(w *world, _ context.CancelFunc) {
			w.change(func(s *settings.Settings) { s.ServerKey = []byte("new") })
		}, true},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := start(t, func(o *server.Options) { o.StreamCheck = 20 * time.Millisecond })
			count := w.server.Streams
			w.add("argocd", "a", nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			messages := w.stream(ctx, "", "text/event-stream", w.login("admin"))
			expect(t, messages, "ADDED", "a")
			if count() != 1 {
				t.Fatalf("%d streams", count())
			}
			c.end(w, cancel)
			var last message
			for m := range messages {
				last = m
			}
			if c.message && (last.Error == nil || last.Error.GRPCCode != 16 || last.Error.HTTPCode != 401) {
				t.Errorf("the last message is %+v", last)
			}
			poll := time.NewTicker(time.Millisecond)
			defer poll.Stop()
			for until := time.Now().Add(10 * time.Second); count() != 0; <-poll.C {
				if time.Now().After(until) {
					t.Fatalf("%d streams stay", count())
				}
			}
		})
	}
}

func TestManyStreamsShareOneEncoding(t *testing.T) {
	w := start(t, nil)
	admin := w.login("admin")
	var all []<-chan message
	for range 20 {
		all = append(all, w.stream(t.Context(), "", "text/event-stream", admin))
	}
	w.add("argocd", "a", nil)
	for _, messages := range all {
		expect(t, messages, "ADDED", "a")
	}
	w.put(types.NamespacedName{Namespace: "argocd", Name: "a"}, func(*v1alpha1.Application) *v1alpha1.Application { return nil })
	for _, messages := range all {
		expect(t, messages, "DELETED", "a")
	}
}
