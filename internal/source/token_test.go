package source_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestAGitHubAppGetsTokens(t *testing.T) {
	at := &clock{now: time.Now().Truncate(time.Second)}
	server := gitserver.Start(t, gitserver.Options{TLS: true, Now: at.Now})
	hub := server.GitHub(t, map[string]int64{"org": 12, "someone": 13})
	hub.Users = []string{"someone"}
	one := server.Repository(t, "org/one.git", map[string]string{"a": "1"})
	two := server.Repository(t, "org/two.git", map[string]string{"a": "2"})
	theirs := server.Repository(t, "someone/three.git", map[string]string{"a": "3"})
	app := func(url string) source.Repository {
		return source.Repository{
			URL: url, GitHubAppID: hub.AppID, GitHubAppPrivateKey: hub.PrivateKey, GitHubAppBaseURL: hub.BaseURL(), CAData: server.CA(),
		}
	}
	dir := t.TempDir()
	m := open(t, source.Options{Dir: dir, Now: at.Now})

	sha := resolve(t, m, app(one.URL()), "HEAD")
	if got := content(t, snapshot(t, m, app(one.URL()), sha), "a"); got != "1" {
		t.Errorf("content = %q", got)
	}
	mirror := mirrorDir(t, dir)
	one.Commit(t, map[string]string{"a": "more"}, "Second")
	resolve(t, m, app(one.URL()), "HEAD")
	resolve(t, m, app(two.URL()), "HEAD")
	wantCalls := []string{"GET /orgs/org/installation", "POST /app/installations/12/access_tokens"}
	if got := hub.Calls(); !slices.Equal(got, wantCalls) {
		t.Errorf("calls for two repositories of one owner = %q, want %q", got, wantCalls)
	}

	t.Run("anew shortly before they end, and the mirror stays", func(t *testing.T) {
		at.advance(56 * time.Minute)
		before := len(hub.Calls())
		one.Commit(t, map[string]string{"a": "third"}, "Third")
		got := resolve(t, m, app(one.URL()), "HEAD")
		if len(hub.Calls()) != before+2 {
			t.Errorf("calls = %q", hub.Calls()[before:])
		}
		if want := one.Git(t, "rev-parse", "main"); got != want {
			t.Errorf("Resolve = %s, want %s", got, want)
		}
		if heads, _ := listDirs(dir); len(heads) != 2 || !slices.Contains(heads, mirror) {
			t.Errorf("mirrors = %q", heads)
		}
	})
	t.Run("anew when one is refused", func(t *testing.T) {
		hub.Revoke()
		resolve(t, m, app(one.URL()), "HEAD")
		hub.Revoke()
		must(t, m.Test(t.Context(), app(one.URL())))
	})
	t.Run("for a user's installation and for a stated one", func(t *testing.T) {
		resolve(t, m, app(theirs.URL()), "HEAD")
		stated := app(two.URL())
		stated.GitHubAppInstallationID = 13
		before := len(hub.Calls())
		resolve(t, m, stated, "HEAD")
		if got := hub.Calls()[before:]; !slices.Equal(got, []string{"POST /app/installations/13/access_tokens"}) {
			t.Errorf("calls = %q", got)
		}
	})
	t.Run("and another key does not find the mirror", func(t *testing.T) {
		stranger := app(one.URL())
		stranger.GitHubAppPrivateKey = rsaKey(t)
		if _, err := m.Resolve(t.Context(), stranger, "HEAD", time.Hour); !errors.Is(err, source.ErrAuthentication) {
			t.Errorf("Resolve = %v", err)
		}
		if _, err := m.Snapshot(t.Context(), stranger, sha); !errors.Is(err, source.ErrAuthentication) {
			t.Errorf("Snapshot = %v", err)
		}
	})
}

func TestAFailureToGetATokenIsExplained(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	hub := server.GitHub(t, map[string]int64{"org": 12})
	r := server.Repository(t, "org/one.git", map[string]string{"a": "1"})
	elsewhere := server.Repository(t, "other/one.git", map[string]string{"a": "1"})
	m := open(t, source.Options{PollTimeout: 5 * time.Second})
	good := source.Repository{URL: r.URL(), GitHubAppID: hub.AppID, GitHubAppPrivateKey: hub.PrivateKey, GitHubAppBaseURL: hub.BaseURL()}
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	server.Handle("/broken/", broken)
	server.Handle("/odd/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"token":"two\nlines"}`))
	}))
	for name, c := range map[string]struct {
		change func(*source.Repository)
		want   error
		text   string
	}{
		"the key is another app's":      {func(r *source.Repository) { r.GitHubAppPrivateKey = rsaKey(t) }, source.ErrAuthentication, "could not be decoded"},
		"the key is no key":             {func(r *source.Repository) { r.GitHubAppPrivateKey = []byte("secret nonsense") }, source.ErrAuthentication, "not an RSA key"},
		"the app is not installed":      {func(r *source.Repository) { r.URL = elsewhere.URL() }, source.ErrAuthentication, "installation of other"},
		"there is no such installation": {func(r *source.Repository) { r.GitHubAppInstallationID = 99 }, source.ErrAuthentication, "installation 99"},
		"the API fails":                 {func(r *source.Repository) { r.GitHubAppBaseURL = server.URL() + "/broken" }, source.ErrUnreachable, "502"},
		"nobody listens":                {func(r *source.Repository) { r.GitHubAppBaseURL = "http://127.0.0.1:1" }, source.ErrUnreachable, "GitHub App"},
		"the API has no address":        {func(r *source.Repository) { r.GitHubAppBaseURL = "ghe.example.com" }, source.ErrAuthentication, "https://"},
		"the answer is odd": {func(r *source.Repository) {
			r.GitHubAppBaseURL, r.GitHubAppInstallationID = server.URL()+"/odd", 1
		}, source.ErrAuthentication, "no usable token"},
	} {
		t.Run(name, func(t *testing.T) {
			repo := good
			c.change(&repo)
			_, err := m.Resolve(t.Context(), repo, "HEAD", 0)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Resolve = %v, want %v with %q", err, c.want, c.text)
			}
		})
	}
}

func TestAServiceAccountOfGoogleCloudGetsTokens(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{Username: "deploy@project.example.com", Password: "ya29.token"})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	var assertion string
	server.Handle("/token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assertion = r.PostFormValue("assertion")
		if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"unsupported_grant_type"}`))
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"ya29.token","expires_in":3600,"token_type":"Bearer"}`))
	}))
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "deploy@project.example.com", "private_key_id": "k1",
		"private_key": string(pemOf(key)), "token_uri": server.URL() + "/token",
	})
	must(t, err)
	m := open(t, source.Options{})
	resolve(t, m, source.Repository{URL: r.URL(), GCPServiceAccountKey: account}, "HEAD")
	var claims jwt.MapClaims
	note, err := jwt.ParseWithClaims(assertion, &claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
		jwt.WithAudience(server.URL()+"/token"), jwt.WithIssuer("deploy@project.example.com"), jwt.WithExpirationRequired())
	if err != nil || note.Header["kid"] != "k1" || claims["scope"] == "" {
		t.Errorf("assertion = %v, %v", note, err)
	}
	_, err = m.Resolve(t.Context(), source.Repository{URL: r.URL(), GCPServiceAccountKey: []byte("{}")}, "HEAD", 0)
	if !errors.Is(err, source.ErrAuthentication) {
		t.Errorf("Resolve with an empty key = %v", err)
	}
}

func rsaKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return pemOf(key)
}

func pemOf(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// hostOf is the host and port of a URL.
func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u.Host
}
