package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// hookSecret is what the Git service of these tests signs with.
const hookSecret = "a secret of the webhook"

// unpolled is an installation that learns of pushes by webhooks alone.
func unpolled(t testing.TB, args ...string) (*installation, *program) {
	t.Helper()
	i := install(t)
	i.set(t, map[string]string{"timeout.reconciliation": "0"})
	p := i.start(t, nil, args...)
	secrets := i.kube.CoreV1().Secrets(i.namespace)
	patch := mustJSON(t, map[string]any{"stringData": map[string]string{"webhook.github.secret": hookSecret}})
	if _, err := secrets.Patch(t.Context(), "argocd-secret", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the secret to be demanded", func() error {
		if status, answer := p.hook(t, `{}`, ""); status != http.StatusBadRequest || !strings.Contains(answer, "secret") {
			return fmt.Errorf("the answer is %d %s", status, answer)
		}
		return nil
	})
	return i, p
}

// hook sends a payload as GitHub does, signed with a secret.
func (p *program) hook(t testing.TB, payload, secret string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.api(t)+"/api/webhook", strings.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(payload))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(body)
}

// pushed is the payload of a push to the repository of an Application.
func (a *application) pushed(branch string) string {
	return fmt.Sprintf(`{"ref":"refs/heads/%s","repository":{"html_url":%q,"default_branch":"main"}}`, branch, strings.TrimSuffix(a.repo.URL(), ".git"))
}

// asked counts how often the remote was asked for its references, which a fetch does once more, and for objects.
func asked(server *gitserver.Server) (listings, fetches int) {
	for _, request := range server.Requests() {
		switch request.Command {
		case "ls-refs":
			listings++
		case "fetch":
			fetches++
		}
	}
	return listings, fetches
}

func TestAPushReachesTheClusterByItsWebhook(t *testing.T) {
	t.Parallel()
	i, p := unpolled(t)
	server := gitserver.Start(t, gitserver.Options{})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)
	a.await(t, synced, noConditions)

	commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	server.Forget()
	for _, payload := range []string{a.pushed("main"), `{"ref":`, `[]`, ``} {
		if status, answer := p.hook(t, payload, "another secret"); status != http.StatusBadRequest || !strings.Contains(answer, "secret") {
			t.Errorf("a webhook signed wrong is answered by %d %s", status, answer)
		}
	}
	if status, answer := p.hook(t, a.pushed("another"), hookSecret); status != http.StatusOK {
		t.Errorf("a push of another branch is answered by %d %s", status, answer)
	}
	// What was told is worked on one after the other: when the right one has come through, the others would have.
	if status, answer := p.hook(t, a.pushed("main"), hookSecret); status != http.StatusOK || answer != "" {
		t.Fatalf("the webhook is answered by %d %s", status, answer)
	}
	a.awaitData(t, "one", "v", "2")
	a.await(t, syncedTo(commit), noConditions)
	if listings, fetches := asked(server); listings != 2 || fetches != 1 {
		t.Errorf("the repository was listed %d times and fetched %d times, want one fetch: for the right webhook", listings, fetches)
	}

	t.Run("and a thousand at once are few fetches", func(t *testing.T) {
		server.Forget()
		commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "3")})
		payload := a.pushed("main")
		var senders sync.WaitGroup
		for range 20 {
			senders.Go(func() {
				for range 50 {
					if status, answer := p.hook(t, payload, hookSecret); status != http.StatusOK {
						t.Errorf("a webhook is answered by %d %s", status, answer)
					}
				}
			})
		}
		senders.Wait()
		a.awaitData(t, "one", "v", "3")
		a.await(t, syncedTo(commit), noConditions)
		// A look a second, as long as they came; a busy machine takes them slowly.
		if listings, fetches := asked(server); listings > 60 || fetches != 1 {
			t.Errorf("the repository was listed %d times and fetched %d times", listings, fetches)
		}
	})
}

func TestAWebhookReachesAControllerOfAnotherProcess(t *testing.T) {
	t.Parallel()
	i, p := unpolled(t, "--components", "api")
	i.start(t, nil, "--components", "controller,repo")
	server := gitserver.Start(t, gitserver.Options{})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)
	a.await(t, synced, noConditions)
	commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	if status, answer := p.hook(t, a.pushed("main"), hookSecret); status != http.StatusOK {
		t.Fatalf("the webhook is answered by %d %s", status, answer)
	}
	a.await(t, syncedTo(commit), noConditions)
	a.awaitData(t, "one", "v", "2")
}
