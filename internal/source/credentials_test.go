package source_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// listDirs are the directories of the mirrors below a data directory.
func listDirs(dir string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "git", "*", "HEAD"))
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found, err
}

// proxy is an HTTP proxy that tunnels, forwards plain requests, and remembers the hosts. It alone knows where
// git.example.com is.
type proxy struct {
	*httptest.Server
	user, password string
	target         string

	mu    sync.Mutex
	hosts []string
}

func startProxy(t *testing.T, user, password, target string) *proxy {
	t.Helper()
	p := &proxy{user: user, password: password, target: target}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.user != "" {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password))
		if r.Header.Get("Proxy-Authorization") != want {
			w.Header().Set("Proxy-Authenticate", "Basic")
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
	}
	p.mu.Lock()
	p.hosts = append(p.hosts, r.Method+" "+r.Host)
	p.mu.Unlock()
	if r.Method == http.MethodConnect {
		p.tunnel(w, r)
		return
	}
	r.URL.Host = p.target
	out, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	out.Header, out.ContentLength = r.Header.Clone(), r.ContentLength
	out.Header.Del("Proxy-Authorization")
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func (p *proxy) tunnel(w http.ResponseWriter, _ *http.Request) {
	there, err := net.Dial("tcp", p.target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	w.WriteHeader(http.StatusOK)
	here, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	go func() {
		_, _ = io.Copy(there, buffered)
		there.Close()
	}()
	_, _ = io.Copy(here, there)
}

func (p *proxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.hosts...)
}

func TestAProxyIsUsedForItsRepositoryAlone(t *testing.T) {
	for name, tls := range map[string]bool{"over HTTP": false, "over HTTPS": true} {
		t.Run(name, func(t *testing.T) {
			server := gitserver.Start(t, gitserver.Options{TLS: tls, Username: "u", Password: "p"})
			r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
			through := startProxy(t, "pu", "p&s", hostOf(t, server.URL()))
			direct := source.Repository{URL: r.URL(), Username: "u", Password: "p", CAData: server.CA()}
			far := direct
			far.URL = strings.Replace(r.URL(), hostOf(t, r.URL()), "git.example.com", 1)
			m := open(t, source.Options{})

			repo := far
			repo.Proxy = strings.Replace(through.URL, "://", "://pu:p%26s@", 1)
			sha := resolve(t, m, repo, "HEAD")
			content(t, snapshot(t, m, repo, sha), "a")
			seen := through.seen()
			if len(seen) < 2 { // of the listing and of git
				t.Errorf("the proxy was asked for %q", seen)
			}
			for _, one := range seen {
				if !strings.Contains(one, " git.example.com") {
					t.Errorf("the proxy was asked for %s", one)
				}
			}
			resolve(t, m, direct, "HEAD")
			excepted := direct
			excepted.Proxy, excepted.NoProxy = repo.Proxy, "example.org,127.0.0.1"
			resolve(t, m, excepted, "HEAD")
			if got := len(through.seen()); got != len(seen) {
				t.Errorf("%d requests went through the proxy that should not", got-len(seen))
			}

			refused := far
			refused.Proxy = strings.Replace(through.URL, "://", "://pu:secret@", 1)
			_, err := m.Resolve(t.Context(), refused, "HEAD", 0)
			if !errors.Is(err, source.ErrUnreachable) && !errors.Is(err, source.ErrAuthentication) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Resolve with a wrong password for the proxy = %v", err)
			}
			dead := far
			dead.Proxy = "http://127.0.0.1:1"
			if _, err := m.Resolve(t.Context(), dead, "HEAD", 0); !errors.Is(err, source.ErrUnreachable) {
				t.Errorf("Resolve through a proxy that is not there = %v", err)
			}
		})
	}
}

func TestAClientCertificateIsShown(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{TLS: true, ClientCertificates: true, Username: "u", Password: "p"})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	certificate, key := server.ClientCertificate(t)
	_, otherKey := server.ClientCertificate(t)
	other := gitserver.Start(t, gitserver.Options{TLS: true, ClientCertificates: true})
	theirs, theirKey := other.ClientCertificate(t)
	good := source.Repository{
		URL: r.URL(), CAData: server.CA(), TLSClientCert: certificate, TLSClientKey: key, Username: "u", Password: "p",
	}
	m := open(t, source.Options{})
	sha := resolve(t, m, good, "HEAD")
	content(t, snapshot(t, m, good, sha), "a")
	for name, c := range map[string]struct {
		certificate, key []byte
		want             error
	}{
		"none":                      {nil, nil, source.ErrUnreachable},
		"one of another authority":  {theirs, theirKey, source.ErrUnreachable},
		"one with the key of other": {certificate, otherKey, source.ErrInvalidRepository},
	} {
		t.Run(name, func(t *testing.T) {
			repo := good
			repo.TLSClientCert, repo.TLSClientKey = c.certificate, c.key
			if _, err := m.Resolve(t.Context(), repo, "HEAD", 0); !errors.Is(err, c.want) {
				t.Errorf("Resolve = %v, want %v", err, c.want)
			}
		})
	}
}
