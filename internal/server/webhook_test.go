package server_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

const push = `{"ref":"refs/heads/main","repository":{"html_url":"https://example.com/monorepo","default_branch":"main"}}`

func signature(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (w *world) refreshed(name string) bool {
	app, _ := w.Get(types.NamespacedName{Namespace: "argocd", Name: name})
	return app.Annotations[v1alpha1.AnnotationRefresh] == "normal"
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !check(); {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to be that %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAWebhookAsksForARefreshOfThoseItConcerns(t *testing.T) {
	w := start(t, nil)
	w.change(func(s *settings.Settings) { s.Webhooks.GitHub = "secret" })
	w.add("argocd", "a", nil)
	w.add("argocd", "b", func(app *v1alpha1.Application) { app.Spec.Source.TargetRevision = "other" })
	if a := w.call("POST", "/api/webhook", push, "X-GitHub-Event", "push", "X-Hub-Signature-256", signature("secret", push)); a.status != http.StatusOK || a.body != "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	eventually(t, "a is refreshed", func() bool { return w.refreshed("a") })
	if w.refreshed("b") {
		t.Error("b, which wants another branch, is refreshed")
	}
}

func TestAWebhookTellsTheControllerOfTheProcess(t *testing.T) {
	var mu sync.Mutex
	var told []string
	w := start(t, func(o *server.Options) {
		o.Pushed = func(_ context.Context, key string, apps []*v1alpha1.Application) []*v1alpha1.Application {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, key)
			return apps[:0]
		}
	})
	w.add("argocd", "a", nil)
	w.call("POST", "/api/webhook", push, "X-GitHub-Event", "push")
	eventually(t, "it is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) == 1 && told[0] == "example.com/monorepo"
	})
	if w.refreshed("a") {
		t.Error("the Application was written to although nobody needs that")
	}
}

func TestBadWebhooksAreRefusedInPlainWordsAndDoNothing(t *testing.T) {
	var log bytes.Buffer
	w := start(t, func(o *server.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	w.change(func(s *settings.Settings) { s.Webhooks.GitHub, s.Webhooks.MaxPayload = "secret", 1<<20 })
	w.add("argocd", "a", nil)
	large := strings.Repeat(" ", 1<<20) + push
	for sentence, c := range map[string]struct {
		body, want string
		headers    []string
	}{
		"of nobody":        {push, "Unknown webhook event", nil},
		"unsigned":         {push, "secret", []string{"X-GitHub-Event", "push"}},
		"signed wrong":     {push, "secret", []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", signature("wrong", push)}},
		"of another event": {push, "event", []string{"X-GitHub-Event", "star", "X-Hub-Signature-256", signature("secret", push)}},
		"malformed":        {"{", "under 1 MB", []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", signature("secret", "{")}},
		"too large":        {large, "under 1 MB", []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", signature("secret", large)}},
	} {
		t.Run(sentence, func(t *testing.T) {
			a := w.call("POST", "/api/webhook", c.body, c.headers...)
			if a.status != http.StatusBadRequest || !strings.Contains(a.body, c.want) || strings.HasPrefix(a.body, "{") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	for range 50 {
		w.call("POST", "/api/webhook", push, "X-GitHub-Event", "push")
	}
	if w.refreshed("a") {
		t.Error("a bad webhook did something")
	}
	if lines := strings.Count(log.String(), "webhook"); lines > 1 {
		t.Errorf("%d lines in the log:\n%s", lines, log.String())
	}
}

func TestTheBodiesOfWebhooksAreForgotten(t *testing.T) {
	w := start(t, nil)
	for range 10 {
		w.call("POST", "/api/webhook", strings.Repeat(" ", 1<<20), "X-GitHub-Event", "push")
	}
	eventually(t, "no body is in memory", func() bool { return w.server.HookBytes() == 0 })
}
