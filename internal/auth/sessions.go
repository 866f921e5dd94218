package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/crypto/bcrypt"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

// The longest username and password that are looked at. bcrypt reads 72 bytes of a password.
const (
	maxUsername = 32
	maxPassword = 1024
)

// decoy is what the password of an unknown account is compared with: the hash of a text that nobody has, made at the
// usual cost, so that the answer takes as long as for a wrong password. A match would open nothing either.
const decoy = "$2a$10$2Q0UJx790mpaRBvr4GCvtez5w.ujZqiLsL/PTFtBfMR9guV41BN5i"

// Options is what sessions need.
type Options struct {
	// Settings gives the current settings.
	Settings func() *settings.Settings
	// Now gives the time; nil for the real one.
	Now func() time.Time
	// Logger receives who logged in and who failed to.
	Logger *slog.Logger
	// Throttle slows failed logins down; nil for the usual one.
	Throttle *Throttle
}

// Sessions logs accounts in and checks tokens. Safe for concurrent use.
type Sessions struct {
	options Options
	// hashing limits how many passwords are checked at once, since each costs tens of milliseconds of a core.
	hashing chan struct{}

	mu      sync.Mutex
	revoked map[string]time.Time
}

// NewSessions gives sessions for the accounts in the settings.
func NewSessions(o Options) *Sessions {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Throttle == nil {
		o.Throttle = NewThrottle(o.Now)
	}
	return &Sessions{options: o, hashing: make(chan struct{}, 4), revoked: map[string]time.Time{}}
}

// Login checks account and password and gives a token. from is the address of the caller. The error is ErrInvalidLogin,
// or a *TooManyFailures.
func (s *Sessions) Login(username, password, from string) (string, error) {
	if err := s.options.Throttle.Check(username, from); err != nil {
		s.options.Logger.Warn("login refused for now", "username", shorten(username), "from", from, "reason", err.Error())
		return "", err
	}
	account, err := s.authenticate(username, password)
	if err != nil {
		s.options.Throttle.Failed(username, from)
		s.options.Logger.Warn("login failed", "username", shorten(username), "from", from)
		return "", err
	}
	s.options.Throttle.Succeeded(username, from)
	token, err := s.issue(account.Name, settings.CapabilityLogin, s.options.Settings().SessionDuration)
	if err != nil {
		return "", err
	}
	s.options.Logger.Info("login", "username", account.Name, "from", from)
	return token, nil
}

// authenticate takes the same time whether the account exists or not.
func (s *Sessions) authenticate(username, password string) (settings.Account, error) {
	if username == "" || password == "" || len(username) > maxUsername || len(password) > maxPassword {
		return settings.Account{}, ErrInvalidLogin
	}
	account, known := s.options.Settings().Accounts[username]
	hash := []byte(account.PasswordHash)
	if !known || len(hash) == 0 {
		known, hash = false, []byte(decoy)
	}
	s.hashing <- struct{}{}
	err := bcrypt.CompareHashAndPassword(hash, []byte(password))
	<-s.hashing
	if err != nil || !known || !account.Can(settings.CapabilityLogin) {
		return settings.Account{}, ErrInvalidLogin
	}
	return account, nil
}

// issue signs a token; a duration of zero makes one that never ends.
func (s *Sessions) issue(account string, capability settings.Capability, lasting time.Duration) (string, error) {
	key := s.options.Settings().ServerKey
	if len(key) == 0 {
		return "", errors.New("sign a session: Secret argocd-secret has no server.secretkey yet; restart to have it made")
	}
	now := s.options.Now().UTC()
	claims := jwt.RegisteredClaims{
		Issuer:    Issuer,
		Subject:   account + ":" + string(capability),
		IssuedAt:  jwt.NewNumericDate(now),
		NotBefore: jwt.NewNumericDate(now),
		ID:        rand.Text(),
	}
	if lasting > 0 {
		claims.ExpiresAt = jwt.NewNumericDate(now.Add(lasting))
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign a session: %w", err)
	}
	return token, nil
}

// Verify tells whose token it is. The error says why a token does not count, without repeating it.
func (s *Sessions) Verify(token string) (Identity, error) {
	if token == "" {
		return Identity{}, ErrNoSession
	}
	current := s.options.Settings()
	if len(current.ServerKey) == 0 {
		// An empty key would make every signature easy to forge.
		return Identity{}, errors.New("invalid session: there is no signing key yet")
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return current.ServerKey, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(Issuer),
		jwt.WithTimeFunc(s.options.Now),
	)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Identity{}, errors.New("invalid session: the token has expired; log in again")
	case err != nil:
		return Identity{}, errors.New("invalid session: the token is not one that this installation signed; log in again")
	}
	return s.judge(claims, current)
}

// judge compares the claims of a token whose signature is right with the present settings.
func (s *Sessions) judge(claims jwt.RegisteredClaims, current *settings.Settings) (Identity, error) {
	name, word, _ := strings.Cut(claims.Subject, ":")
	capability := settings.Capability(word)
	if word == "" {
		capability = settings.CapabilityAPIKey
	}
	account, ok := current.Accounts[name]
	if !ok || (capability != settings.CapabilityLogin && capability != settings.CapabilityAPIKey) {
		return Identity{}, errors.New("invalid session: its account does not exist")
	}
	if !account.Can(capability) {
		return Identity{}, fmt.Errorf("invalid session: account %s is disabled or may not use %s", name, capability)
	}
	if claims.ID == "" || claims.IssuedAt == nil {
		return Identity{}, errors.New("invalid session: the token has no identifier or time of issue")
	}
	if s.isRevoked(claims.ID) {
		return Identity{}, errors.New("invalid session: it has been logged out")
	}
	if capability == settings.CapabilityAPIKey && !hasToken(account, claims.ID) {
		return Identity{}, fmt.Errorf("invalid session: account %s has no token with this id; it was deleted", name)
	}
	if !account.PasswordModified.IsZero() && claims.IssuedAt.Before(account.PasswordModified) {
		return Identity{}, errors.New("invalid session: the password has changed since; log in again")
	}
	id := Identity{Username: name, Issuer: Issuer, Capability: capability, TokenID: claims.ID}
	if claims.ExpiresAt != nil {
		id.Expires = claims.ExpiresAt.Time
	}
	return id, nil
}

func hasToken(account settings.Account, id string) bool {
	for _, t := range account.Tokens {
		if t.ID == id {
			return true
		}
	}
	return false
}

// Revoke ends the session of a login token. Tokens for programs end by being deleted from their account.
func (s *Sessions) Revoke(id Identity) {
	if id.TokenID == "" || id.Capability != settings.CapabilityLogin {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	for token, expires := range s.revoked {
		if !expires.IsZero() && expires.Before(now) {
			delete(s.revoked, token)
		}
	}
	s.revoked[id.TokenID] = id.Expires
}

func (s *Sessions) isRevoked(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.revoked[id]
	return ok
}

// shorten keeps names that nobody has from filling the log.
func shorten(s string) string {
	if len(s) > maxUsername {
		return s[:maxUsername] + "…"
	}
	return s
}
