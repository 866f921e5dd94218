package source_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/source"
)

func TestCredentialsAreSentToTheirOwnServerAlone(t *testing.T) {
	plain := source.Repository{URL: "http://charts.example.com/a", Username: "u", Password: "p"}
	encrypted := source.Repository{URL: "https://charts.example.com/a", BearerToken: "t"}
	passing := encrypted
	passing.PassCredentials = true
	for name, test := range map[string]struct {
		repo source.Repository
		url  string
		want bool
	}{
		"the same server":                        {encrypted, "https://charts.example.com/b", true},
		"the same server by its default port":    {encrypted, "https://CHARTS.example.com:443/b", true},
		"another port":                           {encrypted, "https://charts.example.com:8443/b", false},
		"another host":                           {encrypted, "https://example.com/b", false},
		"a host below":                           {encrypted, "https://x.charts.example.com/b", false},
		"the same host without encryption":       {encrypted, "http://charts.example.com/b", false},
		"the same host with encryption":          {plain, "https://charts.example.com/b", false},
		"a server without encryption":            {plain, "http://charts.example.com/b", true},
		"passed to another host":                 {passing, "https://example.com/b", true},
		"passed, but not without encryption":     {passing, "http://example.com/b", false},
		"none are none":                          {source.Repository{URL: "https://example.com"}, "https://example.com/b", false},
		"an address that cannot be read is none": {source.Repository{URL: "https://%", Password: "p"}, "https://example.com/b", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, test.url, nil)
			test.repo.Authorize(r)
			if got := r.Header.Get("Authorization") != ""; got != test.want {
				t.Errorf("sent = %v, want %v", got, test.want)
			}
		})
	}
}

func TestRedirectsTakeNoCredentialsAlong(t *testing.T) {
	var seen []string
	note := func(name string, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			seen = append(seen, name)
		}
	}
	var first, other *httptest.Server
	first = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note("first"+r.URL.Path, r)
		switch r.URL.Path {
		case "/start":
			http.Redirect(w, r, "/near", http.StatusFound)
		case "/near":
			http.Redirect(w, r, other.URL+"/other", http.StatusFound)
		}
	}))
	defer first.Close()
	other = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note("other", r)
		http.Redirect(w, r, first.URL+"/back", http.StatusFound)
	}))
	defer other.Close()
	repo := source.Repository{URL: first.URL, Username: "u", Password: "p"}
	client, err := repo.HTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, first.URL+"/start", nil)
	if err != nil {
		t.Fatal(err)
	}
	repo.Authorize(r)
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := strings.Join(seen, " "); got != "first/start first/near" {
		t.Errorf("credentials were sent to %q; once another server has been asked, nobody gets them", got)
	}
}

func TestRegistriesAreRepositoriesButNotOfGit(t *testing.T) {
	for raw, want := range map[string]string{
		"oci://Registry.example.com/team/": "oci://registry.example.com/team",
		"registry.example.com:5000/team":   "oci://registry.example.com:5000/team",
		"oci://u:p@registry.example.com":   "oci://registry.example.com",
	} {
		normal, err := source.Repository{URL: raw, OCI: true}.Normal()
		if err != nil || normal.URL != want {
			t.Errorf("Normal(%q) = %q, %v; want %q", raw, normal.URL, err, want)
		}
	}
	a, b := source.Repository{URL: "oci://registry.example.com/x"}, source.Repository{URL: "registry.example.com/x", OCI: true}
	if a.Key() != b.Key() {
		t.Error("one repository written in two ways has two keys")
	}
	m, err := source.NewMirrors(source.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Fetch(t.Context(), a); err == nil || !strings.Contains(err.Error(), "no Git repository") {
		t.Errorf("Fetch = %v", err)
	}
	if err := m.Test(t.Context(), a); err == nil || !strings.Contains(err.Error(), "no Git repository") {
		t.Errorf("Test = %v", err)
	}
}
