package chart_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/test/helmserver"
	"github.com/fairlead-cd/fairlead/test/ociregistry"
)

func TestChartsAreReadFromARegistryWithLogin(t *testing.T) {
	for name, o := range map[string]ociregistry.Options{
		"without login, without encryption": {},
		"basic authentication over TLS":     {Username: "u", Password: "p@ss", TLS: true},
		"a token service over TLS":          {Username: "u", Password: "p@ss", TLS: true, Tokens: true},
		"a token service without TLS":       {Username: "u", Password: "p@ss", Tokens: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := ociregistry.Start(t, o)
			var digests []string
			for _, version := range []string{"1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "0.1.0+build.7"} {
				digests = append(digests, r.Chart(t, "team/charts", demo(version)))
			}
			dir := t.TempDir()
			s := open(t, chart.Options{Dir: dir})
			repo := source.Repository{
				URL: r.URL("team/charts"), Username: o.Username, Password: o.Password, CAData: r.CA(), PlainHTTP: !o.TLS,
			}
			r.Forget()
			for want, version := range map[string]string{
				"": "1.10.0", "1.0.0": "1.0.0", "~1.2": "1.2.0", "^1": "1.10.0", ">=2.0.0-0": "2.0.0-rc.1",
				"0.1.0+build.7": "0.1.0+build.7", digests[1]: "1.2.0",
			} {
				if c, _ := get(t, s, repo, "demo", want); c.Version != version {
					t.Errorf("Get(%q) = %s, want %s", want, c.Version, version)
				}
			}
			if n := len(r.Requests("/tags/list")); n == 0 || n > 2 { // the first answer may be that a login is wanted
				t.Errorf("the tags were listed %d times", n)
			}
			if err := s.Test(t.Context(), repo); err != nil {
				t.Error(err)
			}
			if _, err := s.Get(t.Context(), repo, "demo", "9.9.9", false); !errors.Is(err, source.ErrRevisionNotFound) {
				t.Errorf("a version that is not there: %v", err)
			}
			if _, err := s.Get(t.Context(), repo, "other", "^1", false); !errors.Is(err, source.ErrRepositoryNotFound) {
				t.Errorf("a chart that is not there: %v", err)
			}
			if o.Username != "" {
				for _, wrong := range []string{"", "wrong-password"} {
					other := repo
					other.Password = wrong
					if wrong == "" {
						other.Username = ""
					}
					_, err := s.Get(t.Context(), other, "demo", "1.0.0", false)
					if !errors.Is(err, source.ErrAuthentication) || strings.Contains(err.Error(), "wrong-password") {
						t.Errorf("password %q: %v, want ErrAuthentication", wrong, err)
					}
					if err := s.Test(t.Context(), other); !errors.Is(err, source.ErrAuthentication) {
						t.Errorf("Test with password %q: %v, want ErrAuthentication", wrong, err)
					}
				}
			}

			s.Close()
			r.SetFault(ociregistry.Fault{Status: 500})
			s = open(t, chart.Options{Dir: dir})
			get(t, s, repo, "demo", "^1")
			get(t, s, repo, "demo", "1.2.0")
		})
	}
}

func TestManyTagsAreListedPageByPage(t *testing.T) {
	r := ociregistry.Start(t, ociregistry.Options{PageSize: 10})
	first := r.Chart(t, "", demo("0.0.1"))
	for i := range 24 {
		r.Tag(t, "demo", first, "1.0."+strconv.Itoa(i))
	}
	r.Forget()
	repo := source.Repository{URL: r.Host(), OCI: true, PlainHTTP: true}
	v, err := open(t, chart.Options{}).Resolve(t.Context(), repo, "demo", "1.*", 0)
	if err != nil || v != "1.0.23" {
		t.Errorf("Resolve = %s, %v; want 1.0.23", v, err)
	}
	if n := len(r.Requests("/tags/list")); n != 3 {
		t.Errorf("%d pages were read, want 3", n)
	}
}

func TestARegistrysFailuresAreExplained(t *testing.T) {
	r := ociregistry.Start(t, ociregistry.Options{TLS: true})
	r.Chart(t, "charts", demo("1.0.0"))
	repo := source.Repository{URL: r.URL("charts"), CAData: r.CA()}
	t.Run("a passing failure is not seen", func(t *testing.T) {
		r.SetFault(ociregistry.Fault{Status: 503, Times: 2})
		get(t, open(t, chart.Options{}), repo, "demo", "1.0.0")
	})
	t.Run("a registry without encryption is not talked to unless that is allowed", func(t *testing.T) {
		plain := ociregistry.Start(t, ociregistry.Options{})
		plain.Chart(t, "", demo("1.0.0"))
		_, err := open(t, chart.Options{}).Get(t.Context(), source.Repository{URL: plain.URL("")}, "demo", "1.0.0", false)
		if !errors.Is(err, source.ErrUnreachable) {
			t.Errorf("Get = %v, want ErrUnreachable", err)
		}
		for _, one := range plain.Requests("") {
			if one.Method == http.MethodGet {
				t.Errorf("it was sent %+v without encryption", one)
			}
		}
	})
	t.Run("a blob is not fetched from an address without encryption", func(t *testing.T) {
		s := open(t, chart.Options{})
		c, err := s.Get(t.Context(), repo, "demo", "1.0.0", false)
		if err != nil {
			t.Fatal(err)
		}
		r.SetFault(ociregistry.Fault{Redirect: "http://127.0.0.1:1/blob", Only: "/blobs/"})
		defer r.SetFault(ociregistry.Fault{})
		if _, err := c.Archive(t.Context()); err == nil || !strings.Contains(err.Error(), "without encryption") {
			t.Errorf("Archive = %v, want a refusal", err)
		}
	})
	t.Run("an image is no chart", func(t *testing.T) {
		r.Artifact(t, "charts/image", ociregistry.Artifact{Tag: "1.0.0", Layers: []ociregistry.Layer{{MediaType: "text/plain", Content: []byte("x")}}})
		_, err := open(t, chart.Options{}).Get(t.Context(), repo, "image", "1.0.0", false)
		if !errors.Is(err, source.ErrRevisionNotFound) || !strings.Contains(err.Error(), "no Helm chart") {
			t.Errorf("Get = %v", err)
		}
	})
	t.Run("names that no registry has", func(t *testing.T) {
		for _, name := range []string{"../x", "UPPER", "a b", "x:1", "x@y"} {
			if _, err := open(t, chart.Options{}).Get(t.Context(), repo, name, "1.0.0", false); !errors.Is(err, source.ErrInvalidRepository) {
				t.Errorf("%q: %v, want ErrInvalidRepository", name, err)
			}
		}
	})
}

func TestBasicAuthenticationCanBeForced(t *testing.T) {
	for _, force := range []bool{false, true} {
		r := ociregistry.Start(t, ociregistry.Options{Username: "u", Password: "p"})
		r.Chart(t, "", demo("1.0.0"))
		r.Forget()
		repo := source.Repository{URL: r.URL(""), Username: "u", Password: "p", PlainHTTP: true, ForceBasicAuth: force}
		if _, err := open(t, chart.Options{}).Get(t.Context(), repo, "demo", "1.0.0", false); err != nil {
			t.Fatal(err)
		}
		if n := len(r.Requests("/manifests/")); force && n != 1 || !force && n != 2 {
			t.Errorf("with ForceBasicAuth %v there were %d requests", force, n)
		}
	}
}

func TestAnIndexMayPointIntoARegistry(t *testing.T) {
	r := ociregistry.Start(t, ociregistry.Options{Username: "u", Password: "p", TLS: true})
	r.Chart(t, "charts", demo("1.0.0"))
	server := helmserver.Start(t, helmserver.Options{Username: "u", Password: "p", TLS: true})
	server.SetIndex([]byte("apiVersion: v1\nentries:\n  demo:\n    - name: demo\n      version: 1.0.0\n      urls:\n        - " + r.URL("charts/demo:1.0.0") + "\n"))
	both := append(append([]byte{}, server.CA()...), r.CA()...)
	repo := source.Repository{URL: server.URL(), Username: "u", Password: "p", CAData: both}
	if _, err := open(t, chart.Options{}).Get(t.Context(), repo, "demo", "1.0.0", false); !errors.Is(err, source.ErrAuthentication) {
		t.Errorf("Get = %v, want ErrAuthentication as the credentials are the other server's", err)
	}
	repo.PassCredentials = true
	get(t, open(t, chart.Options{Timeout: time.Minute}), repo, "demo", "*")
}
