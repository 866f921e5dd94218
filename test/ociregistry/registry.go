package ociregistry

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Options say how a Registry is reached.
type Options struct {
	// Dir holds configuration and content. It is created when it does not exist.
	Dir string
	// Username and Password demand a login when they are not empty.
	Username, Password string
	// Tokens makes the login one by a token service instead of basic authentication.
	Tokens bool
	// TLS serves HTTPS with a certificate of its own, see Registry.CA.
	TLS bool
	// PageSize lists tags in pages of at most so many when it is not zero. The program itself knows no pages.
	PageSize int
	// Program is the registry, default docker-registry or registry from the path.
	Program string
}

// Registry is a running registry. It is safe for concurrent use.
type Registry struct {
	o       Options
	process *process
	front   *httptest.Server
	tokens  *tokenService
	address string // of the program

	mu       sync.Mutex
	fault    Fault
	requests []Request
}

// Request is one request that the registry was sent.
type Request struct {
	// Method, Path and Query of the request.
	Method, Path, Query string
}

// Fault says how the registry misbehaves. The zero value is one that works.
type Fault struct {
	// Status answers with this code when it is not zero.
	Status int
	// Redirect sends requests on to this URL when it is not empty.
	Redirect string
	// Only limits the fault to paths that contain this; empty: to all.
	Only string
	// Times limits the fault to so many requests; zero: no limit.
	Times int
}

// New starts a registry. The caller ends it with Close.
func New(ctx context.Context, o Options) (*Registry, error) {
	r := &Registry{o: o}
	if err := r.start(ctx); err != nil {
		_ = r.Close() // as far as it got
		return nil, fmt.Errorf("starting a registry: %w", err)
	}
	return r, nil
}

// Start starts a registry that ends with the test. An empty Options.Dir becomes a directory of the test.
func Start(t testing.TB, o Options) *Registry {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	r, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func program(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	for _, candidate := range []string{"docker-registry", "registry"} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no program docker-registry; install the package of that name, or run .ci/setup")
}

func (r *Registry) start(ctx context.Context) error {
	path, err := program(r.o.Program)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.o.Dir, 0o755); err != nil {
		return err
	}
	// The proxy comes first, because the program's configuration names its address.
	r.front = httptest.NewUnstartedServer(r)
	r.front.Config.ErrorLog = log.New(io.Discard, "", 0)
	if r.o.TLS {
		r.front.StartTLS()
	} else {
		r.front.Start()
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.address = free.Addr().String()
	free.Close()
	config, err := r.configure()
	if err != nil {
		return err
	}
	if r.process, err = begin(path, "serve", config); err != nil {
		return err
	}
	return r.await(ctx)
}

// configure writes the program's configuration. JSON is YAML.
func (r *Registry) configure() (path string, err error) {
	config := map[string]any{
		"version": 0.1,
		"log":     map[string]any{"level": "error", "accesslog": map[string]any{"disabled": true}},
		"storage": map[string]any{"filesystem": map[string]any{"rootdirectory": filepath.Join(r.o.Dir, "content")}},
		"http":    map[string]any{"addr": r.address, "relativeurls": true, "secret": "shared"},
	}
	switch {
	case r.o.Tokens:
		certificate := filepath.Join(r.o.Dir, "tokens.pem")
		if r.tokens, err = newTokenService(r.o, certificate); err != nil {
			return "", err
		}
		config["auth"] = map[string]any{"token": map[string]any{
			"realm": r.front.URL + "/token", "service": service, "issuer": issuer, "rootcertbundle": certificate,
		}}
	case r.o.Username != "" || r.o.Password != "":
		hash, err := bcrypt.GenerateFromPassword([]byte(r.o.Password), bcrypt.MinCost)
		if err != nil {
			return "", err
		}
		users := filepath.Join(r.o.Dir, "htpasswd")
		if err := os.WriteFile(users, fmt.Appendf(nil, "%s:%s\n", r.o.Username, hash), 0o600); err != nil {
			return "", err
		}
		config["auth"] = map[string]any{"htpasswd": map[string]any{"realm": "registry", "path": users}}
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	path = filepath.Join(r.o.Dir, "config.yml")
	return path, os.WriteFile(path, raw, 0o600)
}

// await waits until the program answers.
func (r *Registry) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w: %s", ctx.Err(), r.process.said())
		case <-r.process.done:
			return fmt.Errorf("it ended: %s", r.process.said())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Close ends the registry.
func (r *Registry) Close() error {
	if r.front != nil {
		r.front.CloseClientConnections()
		r.front.Close()
	}
	if r.process != nil {
		r.process.end()
	}
	return nil
}

// Host is where the registry is, as host:port.
func (r *Registry) Host() string { return r.front.Listener.Addr().String() }

// URL is a repository or folder of the registry: oci://host:port/name.
func (r *Registry) URL(name string) string { return "oci://" + r.Host() + "/" + name }

// CA is the PEM certificate to trust; empty without Options.TLS.
func (r *Registry) CA() []byte {
	if r.front.Certificate() == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.front.Certificate().Raw})
}

// SetFault makes the registry misbehave from the next request on; the zero Fault heals it.
func (r *Registry) SetFault(f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = f
}

// Requests are those for paths that contain this, oldest first.
func (r *Registry) Requests(part string) []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []Request
	for _, one := range r.requests {
		if strings.Contains(one.Path, part) {
			found = append(found, one)
		}
	}
	return found
}

// Forget empties the list of requests.
func (r *Registry) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}

// ServeHTTP hands a request on to the program.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.requests = append(r.requests, Request{Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery})
	var fault Fault
	if f := &r.fault; *f != (Fault{}) && strings.Contains(req.URL.Path, f.Only) {
		fault = *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				*f = Fault{}
			}
		}
	}
	r.mu.Unlock()
	switch {
	case fault.Redirect != "":
		http.Redirect(w, req, fault.Redirect, http.StatusTemporaryRedirect)
	case fault.Status != 0:
		http.Error(w, http.StatusText(fault.Status), fault.Status)
	case req.URL.Path == "/token" && r.tokens != nil:
		r.tokens.ServeHTTP(w, req)
	default:
		proxy := httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(&url.URL{Scheme: "http", Host: r.address})
				p.Out.Host = p.In.Host
			},
			ModifyResponse: r.page,
			ErrorLog:       log.New(io.Discard, "", 0),
		}
		proxy.ServeHTTP(w, req)
	}
}
