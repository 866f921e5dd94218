package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Where a Google Cloud service account gets tokens, and for what.
const (
	gcpTokenURL  = "https://oauth2.googleapis.com/token" //nolint:gosec // an address, not a credential
	gcpScope     = "https://www.googleapis.com/auth/cloud-platform"
	gcpGrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// gcpToken exchanges a note signed by a service account's key for a token.
func (m *Mirrors) gcpToken(ctx context.Context, repo Repository) (token, error) {
	var account struct {
		ClientEmail  string `json:"client_email"`
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
		TokenURI     string `json:"token_uri"`
	}
	if json.Unmarshal(repo.GCPServiceAccountKey, &account) != nil || account.ClientEmail == "" {
		return token{}, errors.New("the key is not the JSON key of a service account")
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(account.PrivateKey))
	if err != nil {
		return token{}, errors.New("the private key of the service account is not an RSA key in PEM form")
	}
	address := cmp.Or(account.TokenURI, gcpTokenURL)
	now := m.o.Now()
	note := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": account.ClientEmail, "scope": gcpScope, "aud": address,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	if account.PrivateKeyID != "" {
		note.Header["kid"] = account.PrivateKeyID
	}
	signed, err := note.SignedString(key)
	if err != nil {
		return token{}, errors.New("the private key of the service account cannot sign")
	}
	client, err := m.clientFor(repo, address)
	if err != nil {
		return token{}, fmt.Errorf("token_uri of the service account: %w", err)
	}
	defer client.CloseIdleConnections()
	form := url.Values{"grant_type": {gcpGrantType}, "assertion": {signed}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return token{}, errors.New("token_uri of the service account cannot be used")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(r)
	if err != nil {
		return token{}, fmt.Errorf("%w: %w", errTransport, withoutURL(err))
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := readJSON(resp, http.StatusOK, &answer); err != nil {
		return token{}, err
	}
	return token{account.ClientEmail, answer.AccessToken, now.Add(time.Duration(answer.ExpiresIn) * time.Second)}, nil
}
