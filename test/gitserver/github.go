package gitserver

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// GitHub answers the calls of GitHub's API by which an app gets tokens. The last token it gave is the one that its
// Server takes for Git.
type GitHub struct {
	// AppID and PrivateKey, in PEM form, are the app's.
	AppID      int64
	PrivateKey []byte
	// Installations are the ids of the app's installations by the name of organization or user.
	Installations map[string]int64
	// Users are the owners in Installations that are no organizations.
	Users []string

	server *Server
	key    *rsa.PublicKey

	mu       sync.Mutex
	lifetime time.Duration
	given    int
	calls    []string
}

// GitHub makes the server demand the tokens of an app that is installed for the given owners. Its API is at the path
// /api/v3, as that of a GitHub Enterprise server.
func (s *Server) GitHub(t testing.TB, installations map[string]int64) *GitHub {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	g := &GitHub{
		AppID: 4711, Installations: installations, server: s, key: &key.PublicKey, lifetime: time.Hour,
		PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}
	s.Handle("/api/v3/", http.StripPrefix("/api/v3", g))
	s.Accept("x-access-token", "none given yet")
	return g
}

// BaseURL of the API.
func (g *GitHub) BaseURL() string { return g.server.URL() + "/api/v3" }

// SetLifetime of the tokens given from now on; default an hour.
func (g *GitHub) SetLifetime(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lifetime = d
}

// Calls are the paths that were asked for, oldest first.
func (g *GitHub) Calls() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.calls...)
}

// Revoke makes the server refuse the tokens given so far.
func (g *GitHub) Revoke() { g.server.Accept("x-access-token", "revoked") }

// ServeHTTP answers one call.
func (g *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, r.Method+" "+r.URL.Path)
	if err := g.authorized(r); err != nil {
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && len(parts) == 3 && parts[2] == "installation":
		id, ok := g.Installations[parts[1]]
		isUser := false
		for _, user := range g.Users {
			isUser = isUser || user == parts[1]
		}
		if !ok || isUser != (parts[0] == "users") {
			refuse(w, http.StatusNotFound, "Not Found")
			return
		}
		answer(w, http.StatusOK, map[string]any{"id": id, "app_id": g.AppID})
	case r.Method == http.MethodPost && len(parts) == 4 && parts[0] == "app" && parts[1] == "installations" && parts[3] == "access_tokens":
		for _, id := range g.Installations {
			if parts[2] != strconv.FormatInt(id, 10) {
				continue
			}
			g.given++
			token := fmt.Sprintf("ghs_%d", g.given)
			g.server.Accept("x-access-token", token)
			answer(w, http.StatusCreated, map[string]any{
				"token": token, "expires_at": g.server.o.Now().Add(g.lifetime).UTC().Format(time.RFC3339),
			})
			return
		}
		refuse(w, http.StatusNotFound, "Not Found")
	default:
		refuse(w, http.StatusNotFound, "Not Found")
	}
}

// authorized checks the note that the app signed, as GitHub does: the algorithm, the app, and a life of ten minutes
// at most.
func (g *GitHub) authorized(r *http.Request) error {
	note, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return fmt.Errorf("a JSON web token is missing")
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(note, &claims, func(*jwt.Token) (any, error) { return g.key, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(strconv.FormatInt(g.AppID, 10)),
		jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithTimeFunc(g.server.o.Now))
	if err != nil {
		return fmt.Errorf("a JSON web token could not be decoded")
	}
	if claims.IssuedAt == nil || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > 10*time.Minute {
		return fmt.Errorf("'Expiration time' claim ('exp') is too far in the future")
	}
	return nil
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
