package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// maxListing bounds the list of references that a server may send, in bytes.
const maxListing = 128 << 20

// userAgent begins as git's does, because some servers treat other clients as browsers.
const userAgent = "git/2.39 (fairlead)"

// lister asks one HTTP server for the references of one repository. It is not safe for concurrent use.
type lister struct {
	client *http.Client
	// base is where the repository was found after redirects, once a version 2 answer has come from there; then the
	// next poll is one request.
	base string
}

// newLister prepares the connection; it reads nothing.
func newLister(repo Repository, env []string) (*lister, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: repo.Insecure} //nolint:gosec // asked for
	if len(repo.CAData) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(repo.CAData) {
			return nil, errors.New("the CA certificates are not PEM")
		}
	}
	if len(repo.TLSClientCert) > 0 {
		cert, err := tls.X509KeyPair(repo.TLSClientCert, repo.TLSClientKey)
		if err != nil {
			return nil, errors.New("the TLS client certificate and key are not a PEM pair")
		}
		config.Certificates = []tls.Certificate{cert}
	}
	proxy := proxyFunc(repo, env)
	return &lister{client: &http.Client{
		Transport: &http.Transport{
			Proxy:               func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
			DialContext:         (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
			TLSClientConfig:     config,
			TLSHandshakeTimeout: 15 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     4 * time.Minute, // longer than the usual time between two polls
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= 10 {
				return errors.New("too many redirects")
			}
			if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
				return errors.New("the server redirects to an address without encryption")
			}
			return nil
		},
	}}, nil
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

func (l *lister) close() { l.client.CloseIdleConnections() }

// list asks for HEAD, branches, tags and the extra references.
func (l *lister) list(ctx context.Context, repo Repository, extra []string) (*refs, error) {
	if l.base != "" {
		found, err := l.lsRefs(ctx, repo, extra)
		if err == nil {
			return found, nil
		}
		l.base = "" // it may have moved, or be another server by now: find out anew
		if ctx.Err() != nil || errors.Is(err, ErrAuthentication) || errors.Is(err, ErrUnreachable) {
			return nil, err
		}
	}
	resp, err := l.send(ctx, repo, http.MethodGet, repo.URL+"/info/refs?service=git-upload-pack", "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, repo.statusFailure(resp.StatusCode)
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/x-git-upload-pack-advertisement") {
		return nil, repo.fail(ErrRepositoryNotFound, nil,
			"the address answers with %q instead of git's protocol; check the URL, many servers want .git at its end", kind)
	}
	found, err := readAdvertisement(io.LimitReader(resp.Body, maxListing), extra)
	if !errors.Is(err, errVersion2) {
		return found, l.explain(ctx, repo, err)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxPacket)); err != nil {
		return nil, l.explain(ctx, repo, err)
	}
	final := resp.Request.URL
	l.base = final.Scheme + "://" + final.Host + strings.TrimSuffix(final.EscapedPath(), "/info/refs")
	return l.lsRefs(ctx, repo, extra)
}

func (l *lister) lsRefs(ctx context.Context, repo Repository, extra []string) (*refs, error) {
	resp, err := l.send(ctx, repo, http.MethodPost, l.base+"/git-upload-pack", string(lsRefsRequest(extra)))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, repo.statusFailure(resp.StatusCode)
	}
	found, err := readLsRefs(io.LimitReader(resp.Body, maxListing), extra)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxPacket)) // so that the connection is kept
	}
	return found, l.explain(ctx, repo, err)
}

func (l *lister) send(ctx context.Context, repo Repository, method, address, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, l.explain(ctx, repo, err)
	}
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Git-Protocol", "version=2")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		r.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	if value := repo.authorization(); value != "" && sameHost(repo.URL, address) {
		r.Header.Set("Authorization", value)
	}
	resp, err := l.client.Do(r)
	return resp, l.explain(ctx, repo, err)
}

// explain turns an error on the way to the server into one for the user.
func (l *lister) explain(ctx context.Context, repo Repository, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return repo.fail(ErrUnreachable, cause, "the server did not answer in time")
		}
		return repo.fail(ErrUnreachable, cause, "%v", cause)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the address, which the user knows
	}
	return repo.fail(ErrUnreachable, nil, "listing references: %v", err)
}

func sameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && x.Host == y.Host
}

// lsRemote lists references by git, for the transports that the lister does not speak.
func lsRemote(ctx context.Context, p program, repo Repository, access *access, extra []string) (*refs, error) {
	p.dir = ""
	out, err := p.run(ctx, access.config, access.env, nil, "ls-remote", "--symref", "--quiet", "--", access.url)
	if err != nil {
		if failure := repo.remoteFailure(err); failure != nil {
			return nil, failure
		}
		return nil, repo.fail(ErrUnreachable, nil, "listing references: %v", err)
	}
	found := newRefs()
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if target, ok := strings.CutPrefix(line, "ref: "); ok {
			if target, ok := strings.CutSuffix(target, "\tHEAD"); ok {
				found.head = target
			}
			continue
		}
		if err := found.addLine(strings.Replace(line, "\t", " ", 1), extra); err != nil {
			return nil, fmt.Errorf("listing references: %w", err)
		}
	}
	return found, nil
}
