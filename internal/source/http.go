package source

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// HTTPClient is a client that reaches the repository's server as the repository says: authorities, client certificate,
// proxy. env gives HTTP_PROXY, HTTPS_PROXY and NO_PROXY for a repository without a proxy of its own. It follows
// redirects, but takes no credentials to another scheme, host or port, and never leaves encryption. The client sends no
// credentials by itself, see Authorize. Close its idle connections when done.
func (r Repository) HTTPClient(env []string) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: r.Insecure} //nolint:gosec // asked for
	if len(r.CAData) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(r.CAData) {
			return nil, errors.New("the CA certificates are not PEM")
		}
	}
	if len(r.TLSClientCert) > 0 {
		cert, err := tls.X509KeyPair(r.TLSClientCert, r.TLSClientKey)
		if err != nil {
			return nil, errors.New("the TLS client certificate and key are not a PEM pair")
		}
		config.Certificates = []tls.Certificate{cert}
	}
	proxy := proxyFunc(r, env)
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
			DialContext:         (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
			TLSClientConfig:     config,
			TLSHandshakeTimeout: 15 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     4 * time.Minute, // longer than the usual time between two polls
		},
		CheckRedirect: checkRedirect,
	}, nil
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("too many redirects")
	}
	if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return errors.New("the server redirects to an address without encryption")
	}
	for _, hop := range append(via[1:len(via):len(via)], r) {
		if !sameOrigin(via[0].URL, hop.URL) {
			// The client itself would keep them for other ports and subdomains. Once another server has been asked,
			// it chooses the way, so they do not come back either.
			r.Header.Del("Authorization")
			r.Header.Del("Cookie")
		}
	}
	return nil
}

// proxyFunc chooses the proxy for a URL: the repository's, or what the environment says.
func proxyFunc(repo Repository, env []string) func(*url.URL) (*url.URL, error) {
	if repo.Proxy != "" {
		c := httpproxy.Config{HTTPProxy: repo.Proxy, HTTPSProxy: repo.Proxy, NoProxy: repo.NoProxy}
		return c.ProxyFunc()
	}
	get := func(name string) string {
		for _, kv := range slices.Backward(env) {
			if k, v, _ := strings.Cut(kv, "="); strings.EqualFold(k, name) {
				return v
			}
		}
		return ""
	}
	c := httpproxy.Config{HTTPProxy: get("HTTP_PROXY"), HTTPSProxy: get("HTTPS_PROXY"), NoProxy: get("NO_PROXY")}
	return c.ProxyFunc()
}

// Authorize adds the repository's user and password or token to a request that goes to the repository's own server.
// With PassCredentials any server gets them, but none without encryption when the repository itself is encrypted.
func (r Repository) Authorize(request *http.Request) {
	value := r.authorization()
	own, err := url.Parse(r.URL)
	if value == "" || err != nil {
		return
	}
	passed := r.PassCredentials && (own.Scheme != "https" || request.URL.Scheme == "https")
	if passed || sameOrigin(own, request.URL) {
		request.Header.Set("Authorization", value)
	}
}

func sameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && sameOrigin(x, y)
}

// sameOrigin reports whether two URLs lead to one server: scheme, host and port are the same.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	case u.Scheme == "http":
		return "80"
	}
	return ""
}

// Normal brings the URL into one form: lower-case scheme and host, no slash at the end, and user and password in it
// moved to their fields. The error is an *Error for ErrInvalidRepository.
func (r Repository) Normal() (Repository, error) {
	normal, err := r.normalize()
	if err != nil {
		return r, r.invalid(err)
	}
	return normal, nil
}

// Failure makes an Error about a normal repository, with its secrets taken out of the detail.
func (r Repository) Failure(reason, cause error, format string, args ...any) *Error {
	return r.fail(reason, cause, format, args...)
}

// StatusFailure makes an Error out of the status of an HTTP answer that is not a success.
func (r Repository) StatusFailure(status int) *Error { return r.statusFailure(status) }
