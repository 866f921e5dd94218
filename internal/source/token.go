package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// token is a short-lived password that a private key was exchanged for.
type token struct {
	username, value string
	expires         time.Time
}

// tokens keeps tokens until shortly before they expire, shared by everybody who has the same key.
type tokens struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte]*tokenSlot
}

// tokenSlot is the place of one token. Who holds busy may ask for a new one.
type tokenSlot struct {
	busy  chan struct{}
	token token
}

// maxTokens bounds the memory for tokens.
const maxTokens = 1000

// tokenMargin is how long before its end a token is no longer used: a fetch that begins now has to end with it.
const tokenMargin = 5 * time.Minute

// exchanges reports whether the credentials must be exchanged for a token.
func (r Repository) exchanges() bool {
	return r.overHTTP() && r.Password == "" && r.BearerToken == "" &&
		(r.GitHubAppID != 0 || len(r.GCPServiceAccountKey) > 0)
}

// tokenKey names the token that a repository needs. One GitHub App has one for all repositories of an installation.
func (r Repository) tokenKey() [sha256.Size]byte {
	owner := ""
	if r.GitHubAppID != 0 && r.GitHubAppInstallationID == 0 {
		owner = r.owner()
	}
	var host string
	if u, err := url.Parse(r.URL); err == nil {
		host = u.Host
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q", []string{
		fmt.Sprint(r.GitHubAppID), fmt.Sprint(r.GitHubAppInstallationID), string(r.GitHubAppPrivateKey), r.GitHubAppBaseURL,
		string(r.GCPServiceAccountKey), owner, host, r.Proxy, r.NoProxy, string(r.CAData), fmt.Sprint(r.Insecure),
		string(r.TLSClientCert), string(r.TLSClientKey),
	}))
}

// owner is the first part of the URL's path: who has the repository.
func (r Repository) owner() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	owner, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return owner
}

// withToken does something with a repository after its credentials have been exchanged for a token where they must. A
// token that was kept and is refused now is replaced once.
func (m *Mirrors) withToken(ctx context.Context, repo Repository, use func(Repository) error) error {
	for attempt := 0; ; attempt++ {
		with, kept, err := m.authenticate(ctx, repo)
		if err != nil {
			return err
		}
		err = use(with)
		if !kept || attempt > 0 || !errors.Is(err, ErrAuthentication) {
			return err
		}
		m.tokens.forget(repo)
	}
}

// authenticate gives the repository with a token in it where its credentials must be exchanged for one. kept reports
// that the token is not new, so that it may have been revoked since.
func (m *Mirrors) authenticate(ctx context.Context, repo Repository) (with Repository, kept bool, err error) {
	if !repo.exchanges() {
		return repo, false, nil
	}
	slot := m.tokens.slot(repo.tokenKey())
	select {
	case slot.busy <- struct{}{}:
		defer func() { <-slot.busy }()
	case <-ctx.Done():
		return repo, false, repo.fail(ErrUnreachable, context.Cause(ctx), "waiting for a token: %v", context.Cause(ctx))
	}
	kept = slot.token.value != "" && m.o.Now().Add(tokenMargin).Before(slot.token.expires)
	if !kept {
		made, err := m.exchangeToken(ctx, repo)
		if err != nil {
			return repo, false, err
		}
		slot.token = made
	}
	repo.Username, repo.Password = slot.token.username, slot.token.value
	return repo, kept, nil
}

func (m *Mirrors) exchangeToken(ctx context.Context, repo Repository) (token, error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.PollTimeout)
	defer cancel()
	what, exchange := "getting a token for the GitHub App", m.githubToken
	if repo.GitHubAppID == 0 {
		what, exchange = "getting a token for the Google Cloud service account", m.gcpToken
	}
	made, err := exchange(ctx, repo)
	if err == nil && (made.value == "" || strings.ContainsAny(made.value, "\r\n\x00")) {
		err = errors.New("the answer holds no usable token")
	}
	if err == nil {
		return made, nil
	}
	var status *statusError
	switch {
	case ctx.Err() != nil:
		return made, repo.fail(ErrUnreachable, context.Cause(ctx), "%s: no answer in time", what)
	case errors.As(err, &status) && errors.Is(status.reason(), ErrUnreachable), errors.Is(err, errTransport):
		return made, repo.fail(ErrUnreachable, nil, "%s: %v", what, err)
	}
	return made, repo.fail(ErrAuthentication, nil, "%s: %v", what, err)
}

// errTransport: the server that gives tokens was not reached.
var errTransport = errors.New("no answer")

func (t *tokens) slot(key [sha256.Size]byte) *tokenSlot {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot, ok := t.kept[key]
	if !ok {
		if t.kept == nil || len(t.kept) >= maxTokens {
			t.kept = map[[sha256.Size]byte]*tokenSlot{}
		}
		slot = &tokenSlot{busy: make(chan struct{}, 1)}
		t.kept[key] = slot
	}
	return slot
}

// forget drops the token of a repository, because the server refuses it.
func (t *tokens) forget(repo Repository) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.kept, repo.tokenKey())
}
