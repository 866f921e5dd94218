package auth_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/crypto/bcrypt"

	"github.com/fairlead-cd/fairlead/internal/auth"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// world is a set of accounts whose settings and clock a test can change.
type world struct {
	t        *testing.T
	settings *settings.Settings
	now      time.Time
	*auth.Sessions
}

func newWorld(t *testing.T) *world {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s := settings.Defaults()
	s.ServerKey = []byte("a key of this installation")
	s.Accounts = map[string]settings.Account{
		"admin":  {Name: "admin", Enabled: true, Capabilities: []settings.Capability{"login"}, PasswordHash: string(hash), PasswordModified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		"robot":  {Name: "robot", Enabled: true, Capabilities: []settings.Capability{"apiKey"}, PasswordHash: string(hash), Tokens: []settings.Token{{ID: "t1"}}},
		"asleep": {Name: "asleep", Capabilities: []settings.Capability{"login"}, PasswordHash: string(hash)},
		"naked":  {Name: "naked", Enabled: true, Capabilities: []settings.Capability{"login"}},
	}
	w := &world{t: t, settings: s, now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	w.Sessions = auth.NewSessions(auth.Options{Settings: func() *settings.Settings { return w.settings }, Now: func() time.Time { return w.now }})
	return w
}

// change replaces the settings by a changed copy, as a new reading would.
func (w *world) change(f func(*settings.Settings)) {
	next := *w.settings
	next.Accounts = map[string]settings.Account{}
	for k, v := range w.settings.Accounts {
		next.Accounts[k] = v
	}
	f(&next)
	w.settings = &next
}

func (w *world) sign(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	w.t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func TestLogin(t *testing.T) {
	for sentence, c := range map[string]struct {
		username, password string
		ok                 bool
	}{
		"the right password fits":               {"admin", "right", true},
		"a wrong one does not":                  {"admin", "wrong", false},
		"nor an empty one":                      {"admin", "", false},
		"an unknown account does not exist":     {"nobody", "right", false},
		"an account without password is closed": {"naked", "", false},
		"whatever one tries":                    {"naked", "right", false},
		"a disabled account is closed":          {"asleep", "right", false},
		"an account for tokens cannot log in":   {"robot", "right", false},
		"a name that is too long is refused":    {strings.Repeat("a", 1000), "right", false},
		"a password that is too long too":       {"admin", "right" + strings.Repeat("a", 100_000), false},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			token, err := w.Login(c.username, c.password, "192.0.2.1:1000")
			if !c.ok {
				if !errors.Is(err, auth.ErrInvalidLogin) || token != "" {
					t.Errorf("got %q, %v", token, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			id, err := w.Verify(token)
			if err != nil || id.Username != "admin" || id.Issuer != "argocd" || !id.Expires.Equal(w.now.Add(24*time.Hour)) {
				t.Errorf("%+v %v", id, err)
			}
		})
	}
}

func TestClaimsAreThoseOfArgoCD(t *testing.T) {
	w := newWorld(t)
	token, err := w.Login("admin", "right", "")
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	want := float64(w.now.Unix())
	if claims["iss"] != "argocd" || claims["sub"] != "admin:login" || claims["iat"] != want || claims["nbf"] != want || claims["exp"] != want+86400 || claims["jti"] == "" {
		t.Errorf("%v", claims)
	}
	if len(claims) != 6 {
		t.Errorf("other claims: %v", claims)
	}
}

func TestVerify(t *testing.T) {
	claims := func(w *world, changes jwt.MapClaims) jwt.MapClaims {
		all := jwt.MapClaims{"iss": "argocd", "sub": "admin:login", "iat": w.now.Unix(), "nbf": w.now.Unix(), "exp": w.now.Unix() + 60, "jti": "x"}
		for k, v := range changes {
			if v == nil {
				delete(all, k)
			} else {
				all[k] = v
			}
		}
		return all
	}
	for sentence, c := range map[string]struct {
		token func(*world) string
		ok    bool
	}{
		"a good token counts": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, nil))
		}, true},
		"nothing does not":  {func(*world) string { return "" }, false},
		"nor does rubbish":  {func(*world) string { return "a.b.c" }, false},
		"nor a half of one": {func(*world) string { return "eyJhbGciOiJIUzI1NiJ9" }, false},
		"nor one that is not signed": {func(w *world) string {
			return w.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(w, nil))
		}, false},
		"nor one whose signature is cut off": {func(w *world) string {
			token := w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, nil))
			return token[:strings.LastIndex(token, ".")+1]
		}, false},
		"nor one whose claims were changed": {func(w *world) string {
			parts := strings.Split(w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "robot:apiKey"})), ".")
			parts[1] = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iss":"argocd","sub":"admin:login","iat":%d,"jti":"x"}`, w.now.Unix()))
			return strings.Join(parts, ".")
		}, false},
		"nor one of another key": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, []byte("another key"), claims(w, nil))
		}, false},
		"nor one of another method": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS512, w.settings.ServerKey, claims(w, nil))
		}, false},
		"nor one of another issuer": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"iss": "somebody"}))
		}, false},
		"nor an expired one": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"exp": w.now.Unix() - 1}))
		}, false},
		"nor one from the future": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"nbf": w.now.Unix() + 60}))
		}, false},
		"nor one without identifier": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"jti": nil}))
		}, false},
		"nor one older than the password": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"iat": int64(1), "nbf": int64(1)}))
		}, false},
		"nor one of an unknown account": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "nobody:login"}))
		}, false},
		"nor one of a disabled account": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "asleep:login"}))
		}, false},
		"nor one for what the account may not do": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "admin:apiKey"}))
		}, false},
		"nor one of a project's role": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "proj:team:role"}))
		}, false},
		"a program's token counts while it is listed": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "robot:apiKey", "jti": "t1", "exp": nil}))
		}, true},
		"and also without saying what it is for": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "robot", "jti": "t1"}))
		}, true},
		"but not when it is not": {func(w *world) string {
			return w.sign(jwt.SigningMethodHS256, w.settings.ServerKey, claims(w, jwt.MapClaims{"sub": "robot:apiKey", "jti": "t2"}))
		}, false},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			token := c.token(w)
			id, err := w.Verify(token)
			if (err == nil) != c.ok {
				t.Errorf("%+v %v", id, err)
			}
			if err != nil && len(token) > 10 && strings.Contains(err.Error(), token) {
				t.Error("the error repeats the token")
			}
		})
	}
}

func TestAnEmptySigningKeyOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *settings.Settings) { s.ServerKey = nil })
	forged := w.sign(jwt.SigningMethodHS256, []byte{}, jwt.MapClaims{"iss": "argocd", "sub": "admin:login", "iat": w.now.Unix(), "jti": "x"})
	if _, err := w.Verify(forged); err == nil {
		t.Error("a token signed with nothing counts")
	}
	if token, err := w.Login("admin", "right", ""); err == nil {
		t.Errorf("got a token without key: %s", token)
	}
}

func TestSessionsEnd(t *testing.T) {
	for sentence, end := range map[string]func(*world, auth.Identity){
		"by logging out":       func(w *world, id auth.Identity) { w.Revoke(id) },
		"by time":              func(w *world, _ auth.Identity) { w.now = w.now.Add(24*time.Hour + time.Second) },
		"by a new signing key": func(w *world, _ auth.Identity) { w.change(func(s *settings.Settings) { s.ServerKey = []byte("new") }) },
		"by a new password": func(w *world, _ auth.Identity) {
			w.change(func(s *settings.Settings) {
				a := s.Accounts["admin"]
				a.PasswordModified = w.now.Add(time.Minute)
				s.Accounts["admin"] = a
			})
		},
		"by switching the account off": func(w *world, _ auth.Identity) {
			w.change(func(s *settings.Settings) {
				a := s.Accounts["admin"]
				a.Enabled = false
				s.Accounts["admin"] = a
			})
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			token, err := w.Login("admin", "right", "")
			if err != nil {
				t.Fatal(err)
			}
			id, err := w.Verify(token)
			if err != nil {
				t.Fatal(err)
			}
			end(w, id)
			if _, err := w.Verify(token); err == nil {
				t.Error("the session goes on")
			}
		})
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	var blocked *auth.TooManyFailures
	tries := 0
	for ; tries < 100; tries++ {
		_, err := w.Login("admin", "wrong", "192.0.2.1:1000")
		if errors.As(err, &blocked) {
			break
		}
	}
	if tries != 5 {
		t.Fatalf("%d tries were free", tries)
	}
	if _, err := w.Login("admin", "right", "192.0.2.1:2000"); !errors.As(err, &blocked) {
		t.Errorf("the same address may go on: %v", err)
	}
	if _, err := w.Login("admin", "right", "192.0.2.2:1000"); err != nil {
		t.Errorf("another address is kept out: %v", err)
	}
	w.now = w.now.Add(2 * time.Second)
	if _, err := w.Login("admin", "right", "192.0.2.1:1000"); err != nil {
		t.Errorf("still kept out after the wait: %v", err)
	}
	for range 5 {
		if _, err := w.Login("admin", "wrong", "[2001:db8::1]:1"); !errors.Is(err, auth.ErrInvalidLogin) {
			t.Fatalf("%v", err)
		}
	}
	if _, err := w.Login("admin", "wrong", "[2001:db8::2]:1"); !errors.As(err, &blocked) {
		t.Errorf("another address of the same host may go on: %v", err)
	}
}

func TestGuessingFromManyAddressesKeepsNobodyOut(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	throttle := auth.NewThrottle(func() time.Time { return now })
	for i := range 20_000 {
		throttle.Failed("admin", fmt.Sprintf("10.%d.%d.1:1", i/250, i%250))
	}
	if err := throttle.Check("admin", "192.0.2.9:1"); err != nil {
		t.Error(err)
	}
	longest := time.Duration(0)
	for range 50 {
		throttle.Failed("admin", "192.0.2.1:1")
		var blocked *auth.TooManyFailures
		if errors.As(throttle.Check("admin", "192.0.2.1:1"), &blocked) {
			longest = max(longest, blocked.Wait)
		}
	}
	if longest != 30*time.Second {
		t.Errorf("the longest wait is %v", longest)
	}
}

func TestPolicy(t *testing.T) {
	sync := auth.Action{Resource: "applications", Verb: "sync", Object: "default/a"}
	for sentence, c := range map[string]struct {
		who auth.Identity
		ok  bool
	}{
		"admin may do everything":              {auth.Identity{Username: "admin", Issuer: auth.Issuer}, true},
		"everybody may without authentication": {auth.Unrestricted(), true},
		"another account may nothing":          {auth.Identity{Username: "robot", Issuer: auth.Issuer}, false},
		"an admin of somebody else's may not":  {auth.Identity{Username: "admin", Issuer: "https://sso.example.com"}, false},
		"nobody may nothing":                   {auth.Identity{}, false},
	} {
		t.Run(sentence, func(t *testing.T) {
			err := auth.Policy{}.Decide(c.who, sync)
			if c.ok != (err == nil) || err != nil && !errors.Is(err, auth.ErrPermissionDenied) {
				t.Errorf("%v", err)
			}
		})
	}
}
