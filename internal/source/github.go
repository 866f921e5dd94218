package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// githubAPI is where GitHub's own API is.
const githubAPI = "https://api.github.com"

// githubUser is the user that goes with the token of a GitHub App.
const githubUser = "x-access-token"

// githubToken gets a token for an installation of a GitHub App: the app proves itself by a signed note that is valid
// for some minutes, and is given a token for an hour.
func (m *Mirrors) githubToken(ctx context.Context, repo Repository) (token, error) {
	app, err := m.githubApp(repo)
	if err != nil {
		return token{}, err
	}
	defer app.client.CloseIdleConnections()
	id := repo.GitHubAppInstallationID
	if id == 0 {
		if id, err = app.installation(ctx, repo.owner()); err != nil {
			return token{}, err
		}
	}
	var answer struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	path := "/app/installations/" + strconv.FormatInt(id, 10) + "/access_tokens"
	if err := app.call(ctx, http.MethodPost, path, http.StatusCreated, &answer); err != nil {
		return token{}, fmt.Errorf("installation %d: %w", id, err)
	}
	return token{githubUser, answer.Token, answer.ExpiresAt}, nil
}

// githubApp speaks to the API as an app.
type githubApp struct {
	client *http.Client
	base   string
	note   string // signed
}

func (m *Mirrors) githubApp(repo Repository) (*githubApp, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM(repo.GitHubAppPrivateKey)
	if err != nil {
		return nil, errors.New("the private key of the app is not an RSA key in PEM form")
	}
	now := m.o.Now()
	note, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer:    strconv.FormatInt(repo.GitHubAppID, 10),
		IssuedAt:  jwt.NewNumericDate(now.Add(-time.Minute)), // their clock may be behind ours
		ExpiresAt: jwt.NewNumericDate(now.Add(8 * time.Minute)),
	}).SignedString(key)
	if err != nil {
		return nil, errors.New("the private key of the app cannot sign")
	}
	base := strings.TrimRight(cmp.Or(repo.GitHubAppBaseURL, githubAPI), "/")
	client, err := m.clientFor(repo, base)
	if err != nil {
		return nil, fmt.Errorf("the API of GitHub: %w", err)
	}
	return &githubApp{client, base, note}, nil
}

// installation finds the installation of the app for an organization or, when there is no such, for a user.
func (a *githubApp) installation(ctx context.Context, owner string) (int64, error) {
	if owner == "" {
		return 0, errors.New("the URL names no owner whose installation could be found; state githubAppInstallationID")
	}
	var answer struct {
		ID int64 `json:"id"`
	}
	var err error
	for _, kind := range []string{"orgs", "users"} {
		err = a.call(ctx, http.MethodGet, "/"+kind+"/"+url.PathEscape(owner)+"/installation", http.StatusOK, &answer)
		if err == nil {
			return answer.ID, nil
		}
		var status *statusError
		if !errors.As(err, &status) || status.status != http.StatusNotFound {
			break
		}
	}
	return 0, fmt.Errorf("finding the installation of %s, is the app installed there: %w", owner, err)
}

func (a *githubApp) call(ctx context.Context, method, path string, want int, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, nil)
	if err != nil {
		return errors.New("the address of GitHub's API cannot be used")
	}
	r.Header.Set("Authorization", "Bearer "+a.note)
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	r.Header.Set("User-Agent", userAgent)
	resp, err := a.client.Do(r)
	if err != nil {
		return fmt.Errorf("%w from %s: %w", errTransport, a.base, withoutURL(err))
	}
	return readJSON(resp, want, into)
}
