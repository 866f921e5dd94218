package server_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

func TestPublicCalls(t *testing.T) {
	w := start(t, nil)
	admin := w.login("admin")
	for sentence, c := range map[string]struct {
		path, auth string
		status     int
		body       string
	}{
		"healthz says ok":                            {"/healthz", "", 200, "ok\n"},
		"readyz says ok":                             {"/readyz", "", 200, "ok\n"},
		"strangers learn only the version":           {"/api/version", "", 200, `{"Version":"v1"}`},
		"users learn the rest":                       {"/api/version", admin, 200, `{"Version":"v1","GoVersion":"go1"}`},
		"strangers are logged out":                   {"/api/v1/session/userinfo", "", 200, `{}`},
		"so are those with a token of nobody":        {"/api/v1/session/userinfo", "Bearer x.y.z", 200, `{}`},
		"users learn who they are":                   {"/api/v1/session/userinfo", admin, 200, `{"loggedIn":true,"username":"admin","iss":"argocd"}`},
		"an unknown call is an error in JSON":        {"/api/v1/nothing", "", 404, `{"error":"there is no GET /api/v1/nothing","code":5,"message":"there is no GET /api/v1/nothing"}`},
		"a page that does not exist is not found":    {"/nothing.html", "", 404, ""},
		"a path out of the page's folder is not":     {"/../doc.go", "", 404, ""},
		"a call by a wrong method does not get page": {"/api/v1/applications/a/sync", "", 404, ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			var headers []string
			if c.auth != "" {
				headers = []string{"Authorization", c.auth}
			}
			a := w.call("GET", c.path, "", headers...)
			if a.status != c.status || c.body != "" && a.body != c.body {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	w := start(t, func(o *server.Options) { o.Ready = func() error { return errors.New("the cache is cold") } })
	if a := w.call("GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, "the cache is cold") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.call("GET", "/healthz", ""); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}

// protected are all calls that need a session.
func protected() [][2]string {
	return [][2]string{
		{"GET", "/api/v1/applications"}, {"GET", "/api/v1/applications/a"}, {"GET", "/api/v1/applications/a/resource-tree"}, {"GET", "/api/v1/applications/a/syncwindows"}, {"POST", "/api/v1/applications/a/sync"}, {"GET", "/api/v1/stream/applications"},
		{"GET", "/api/v1/fairlead/applications/a/plan"},
		{"POST", "/api/v1/fairlead/applications/a/approve"}, {"POST", "/api/v1/applications/a/rollback"}, {"DELETE", "/api/v1/applications/a/operation"},
		{"POST", "/api/v1/fairlead/applications/a/pin"}, {"DELETE", "/api/v1/fairlead/applications/a/pin"},
		{"GET", "/api/v1/applications/a/managed-resources"}, {"GET", "/api/v1/applications/a/resource"}, {"GET", "/api/v1/applications/a/events"},
		{"GET", "/api/v1/applications/a/resource/actions"}, {"POST", "/api/v1/applications/a/resource/actions"}, {"POST", "/api/v1/applications/a/resource/actions/v2"},
		{"GET", "/api/v1/applications/a/logs"}, {"GET", "/api/v1/applications/a/pods/{podName}/logs"}, {"GET", "/api/v1/stream/applications/a/resource-tree"},
		{"GET", "/terminal"},
	}
}

func TestNobodyGetsPast(t *testing.T) {
	w := start(t, nil)
	w.add("argocd", "a", nil)
	now := time.Now().Unix()
	sign := func(method jwt.SigningMethod, key any, sub string, exp int64) string {
		token, err := jwt.NewWithClaims(method, jwt.MapClaims{"iss": "argocd", "sub": sub, "iat": now, "nbf": now, "exp": exp, "jti": "x"}).SignedString(key)
		must(t, err)
		return token
	}
	good := w.current().ServerKey
	none := sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "admin:login", now+60)
	for sentence, c := range map[string]struct {
		headers []string
		status  int
		code    int
	}{
		"without credentials":                     {nil, 401, 16},
		"with an empty token":                     {[]string{"Authorization", "Bearer "}, 401, 16},
		"with a password as a token":              {[]string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+password))}, 401, 16},
		"with rubbish":                            {[]string{"Authorization", "Bearer rubbish"}, 401, 16},
		"with an unsigned token":                  {[]string{"Authorization", "Bearer " + none}, 401, 16},
		"with an unsigned token, spelt otherwise": {[]string{"Authorization", "Bearer " + strings.Replace(none, strings.Split(none, ".")[0], base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"nOnE","typ":"JWT"}`)), 1)}, 401, 16},
		"with an expired token":                   {[]string{"Authorization", "Bearer " + sign(jwt.SigningMethodHS256, good, "admin:login", now-10)}, 401, 16},
		"with a token of another key":             {[]string{"Authorization", "Bearer " + sign(jwt.SigningMethodHS256, []byte("x"), "admin:login", now+60)}, 401, 16},
		"with a token of nobody":                  {[]string{"Authorization", "Bearer " + sign(jwt.SigningMethodHS256, good, "nobody:login", now+60)}, 401, 16},
		"with a bad token beside a cookie":        {[]string{"Authorization", "Bearer rubbish", "Cookie", "argocd.token=" + sign(jwt.SigningMethodHS256, good, "admin:login", now+60)}, 401, 16},
		"as an account without rights":            {[]string{"Authorization", "Bearer " + sign(jwt.SigningMethodHS256, good, "other:login", now+60)}, 403, 7},
		"from another site with a cookie":         {[]string{"Cookie", "argocd.token=" + sign(jwt.SigningMethodHS256, good, "admin:login", now+60), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example.com"}, 403, 7},
	} {
		t.Run(sentence, func(t *testing.T) {
			for _, p := range protected() {
				if strings.HasPrefix(sentence, "from another site") && p[0] == "GET" {
					continue // reading is harmless: the other site does not see the answer
				}
				body := ""
				if p[0] == "POST" {
					body = "{}"
				}
				a := w.call(p[0], p[1], body, c.headers...)
				var e struct {
					Error, Message string
					Code           int
				}
				must(t, json.Unmarshal([]byte(a.body), &e))
				if a.status != c.status || e.Code != c.code || e.Error == "" || e.Error != e.Message {
					t.Errorf("%s %s: %d %s", p[0], p[1], a.status, a.body)
				}
			}
		})
	}
	if app, _ := w.Get(key("argocd", "a")); app.Operation != nil {
		t.Error("somebody started a sync")
	}
}

func TestEveryCallStandsInTheTestOfProtection(t *testing.T) {
	known := map[string]bool{}
	for _, p := range protected() {
		known[p[0]+" "+strings.Replace(p[1]+"/", "/a/", "/{name}/", 1)] = true
	}
	for pattern, public := range server.Patterns() {
		if !public && !known[pattern+"/"] {
			t.Errorf("%s needs a session and is not in the list", pattern)
		}
	}
}

func TestLoginOverHTTP(t *testing.T) {
	w := start(t, nil)
	for sentence, c := range map[string]struct {
		body, contentType string
		status            int
		message           string
	}{
		"the right password":         {`{"username":"admin","password":"` + password + `"}`, "application/json", 200, "token"},
		"a wrong password":           {`{"username":"admin","password":"x"}`, "application/json", 401, "Invalid username or password"},
		"an unknown account":         {`{"username":"nobody","password":"x"}`, "application/json", 401, "Invalid username or password"},
		"nothing":                    {`{}`, "application/json", 401, "no credentials supplied"},
		"a form of another site":     {`{"username":"admin","password":"x"}`, "text/plain", 415, "send application/json"},
		"what is no JSON":            {`username=admin`, "application/json", 400, "not the JSON"},
		"two values":                 {`{} {}`, "application/json", 400, "goes on"},
		"a number for a name":        {`{"username":1}`, "application/json", 400, "not the JSON"},
		"a body without end":         {`{"username":"` + strings.Repeat("a", 1<<20) + `"}`, "application/json", 429, "larger than"},
		"a small value, large blank": {`{"username":"a"}` + strings.Repeat(" ", 1<<20), "application/json", 429, "larger than"},
	} {
		t.Run(sentence, func(t *testing.T) {
			a := w.call("POST", "/api/v1/session", c.body, "Content-Type", c.contentType)
			if a.status != c.status || !strings.Contains(a.body, c.message) {
				t.Errorf("%d %.200s", a.status, a.body)
			}
		})
	}
}

func TestCookie(t *testing.T) {
	w := start(t, nil)
	w.add("argocd", "a", nil)
	a := w.call("POST", "/api/v1/session", fmt.Sprintf(`{"username":"admin","password":%q}`, password))
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"argocd.token=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie lacks %s: %s", part, cookie)
		}
	}
	session := strings.Split(cookie, ";")[0]
	if a := w.call("GET", "/api/v1/applications", "", "Cookie", session); a.status != 200 || names(t, a.body) != "a" {
		t.Errorf("%d %s", a.status, a.body)
	}
	a = w.call("DELETE", "/api/v1/session", "", "Cookie", session)
	if a.status != 200 || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := w.call("GET", "/api/v1/applications", "", "Cookie", session); a.status != 401 {
		t.Errorf("after logging out: %d", a.status)
	}
}

func TestGuessingOverHTTP(t *testing.T) {
	w := start(t, nil)
	var last answer
	for range 8 {
		last = w.call("POST", "/api/v1/session", `{"username":"admin","password":"guess"}`)
	}
	if last.status != 429 || last.header.Get("Retry-After") == "" {
		t.Errorf("%d %v %s", last.status, last.header, last.body)
	}
}

func TestHeaders(t *testing.T) {
	w := start(t, nil)
	for _, path := range []string{"/", "/page.js", "/api/version", "/api/v1/applications"} {
		h := w.call("GET", path, "").header
		if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") == "" {
			t.Errorf("%s: %v", path, h)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is open to other sites", path)
		}
	}
	if h := w.call("GET", "/api/version", "").header; h.Get("Cache-Control") != "no-store" {
		t.Errorf("answers may be kept: %v", h)
	}
}

func TestDisabledAuthentication(t *testing.T) {
	w := start(t, func(o *server.Options) { o.DisableAuth = true; o.Insecure = true })
	w.add("argocd", "a", nil)
	if a := w.call("GET", "/api/v1/applications", ""); a.status != 200 || names(t, a.body) != "a" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.call("POST", "/api/v1/applications/a/sync", "{}"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.call("GET", "/api/v1/session/userinfo", ""); a.body != "{}" {
		t.Errorf("%s", a.body)
	}
}

func TestPlainServerRefusesTLSAtOnce(t *testing.T) {
	w := start(t, func(o *server.Options) { o.Insecure = true })
	began := time.Now()
	resp, err := w.client.Get("https" + strings.TrimPrefix(w.url, "http") + "/healthz")
	if err == nil {
		resp.Body.Close()
		t.Fatal("TLS works where it should not")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the refusal took %v", took)
	}
}

func TestANewCertificateIsUsedAtOnce(t *testing.T) {
	w := start(t, nil)
	pair, roots := certificate(t)
	w.change(func(s *settings.Settings) { s.Certificate = &pair })
	w.client.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
	w.client.CloseIdleConnections()
	if a := w.call("GET", "/healthz", ""); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}

func TestListAndGet(t *testing.T) {
	w := start(t, nil)
	admin := w.login("admin")
	w.add("argocd", "b", func(a *v1alpha1.Application) { a.Labels = map[string]string{"team": "one"} })
	w.add("argocd", "a", func(a *v1alpha1.Application) { a.Spec.Project = "shop" })
	w.add("namespace-a", "c", func(a *v1alpha1.Application) {
		a.Spec.Source = nil
		a.Spec.Sources = v1alpha1.ApplicationSources{{RepoURL: "https://example.com/other"}}
	})
	for sentence, c := range map[string]struct{ query, want string }{
		"all, by name":      {"", "a b c"},
		"one project":       {"?projects=shop", "a"},
		"two projects":      {"?projects=shop&project=default", "a b c"},
		"a selector":        {"?selector=team%3Done", "b"},
		"a negative one":    {"?selector=team%21%3Done", "a c"},
		"a name":            {"?name=b", "b"},
		"names":             {"?names=a&names=namespace-a/c", "a c"},
		"a namespace":       {"?appNamespace=namespace-a", "c"},
		"a repository":      {"?repo=https://example.com/monorepo", "a b"},
		"nothing that fits": {"?name=x", ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			a := w.call("GET", "/api/v1/applications"+c.query, "", "Authorization", admin)
			if a.status != 200 || names(t, a.body) != c.want || strings.Contains(a.body, `"items":null`) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	must(t, json.Unmarshal([]byte(w.call("GET", "/api/v1/applications", "", "Authorization", admin).body), &list))
	if list.Metadata.ResourceVersion != "103" {
		t.Errorf("version %q", list.Metadata.ResourceVersion)
	}
	for path, status := range map[string]int{
		"/a": 200, "/x": 404, "/c": 404, "/c?appNamespace=namespace-a": 200, "/a?project=shop": 200, "/a?project=default": 404, "/a?project=x&project=y": 400, "/a?appNamespace=elsewhere": 404,
	} {
		if a := w.call("GET", "/api/v1/applications"+path, "", "Authorization", admin); a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := w.call("GET", "/api/v1/applications?selector=%21%21", "", "Authorization", admin); a.status != 400 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestRefresh(t *testing.T) {
	w := start(t, nil)
	admin := w.login("admin")
	w.add("argocd", "a", nil)
	// The controller of this world answers to a refresh as the real one does.
	stop, err := w.OnApplication(func(_, app *v1alpha1.Application) {
		if app == nil || app.Annotations[v1alpha1.AnnotationRefresh] == "" {
			return
		}
		how := app.Annotations[v1alpha1.AnnotationRefresh]
		go w.add("argocd", "a", func(a *v1alpha1.Application) {
			delete(a.Annotations, v1alpha1.AnnotationRefresh)
			a.Status.Sync.Revision = "compared-" + how
		})
	})
	must(t, err)
	defer stop()
	for _, how := range []string{"normal", "hard"} {
		a := w.call("GET", "/api/v1/applications/a?refresh="+how, "", "Authorization", admin)
		if a.status != 200 || !strings.Contains(a.body, "compared-"+how) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

func TestRefreshDoesNotWaitForever(t *testing.T) {
	w := start(t, func(o *server.Options) { o.RefreshWait = 50 * time.Millisecond })
	w.add("argocd", "a", nil)
	a := w.call("GET", "/api/v1/applications/a?refresh=normal", "", "Authorization", w.login("admin"))
	if a.status != 200 || !strings.Contains(a.body, `"argocd.argoproj.io/refresh":"normal"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}
