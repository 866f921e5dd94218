package gitserver

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxBody bounds the body of one request (a push) that the server takes, in bytes.
const maxBody = 256 << 20

// Options say how a Server is reached and what it serves.
type Options struct {
	// Dir is the directory whose sub-directories are the bare repositories. It is created when it does not exist.
	Dir string
	// Address to listen on, default "127.0.0.1:0".
	Address string
	// Username and Password demand basic authentication when one of them is not empty.
	Username, Password string
	// BearerToken demands "Authorization: Bearer <token>" when it is not empty.
	BearerToken string
	// TLS serves HTTPS with a certificate signed by an authority made for this server, see Server.CA.
	TLS bool
	// ClientCertificates demands that clients show a certificate made by Server.ClientCertificate; needs TLS.
	ClientCertificates bool
	// Git is the git program, default "git" from the path.
	Git string
	// Logger receives what git and the server complain about; nil discards it.
	Logger *slog.Logger
	// Now gives the time of commits, default time.Now.
	Now func() time.Time
}

// Server serves the repositories below one directory. It is safe for concurrent use.
type Server struct {
	o       Options
	backend http.Handler
	http    *http.Server
	url     string
	ca      []byte
	clients *authority
	done    chan struct{} // closed by Close; releases requests that hang on purpose

	mu       sync.Mutex
	changed  chan struct{} // closed by the next SetFault
	fault    Fault
	accepts  credentials
	requests []Request
	mounted  map[string]http.Handler
}

type credentials struct{ username, password, token string }

// Request is one HTTP request that the server was sent, as kept by Server.Requests.
type Request struct {
	// Method and Path of the request, e.g. "POST" and "/demo.git/git-upload-pack".
	Method, Path string
	// Command is the protocol version 2 command that the body asks for ("ls-refs", "fetch"), or empty.
	Command string
	// Status is the status code of the answer; zero while the request is being answered.
	Status int
}

// New starts a server. The caller ends it with Close.
func New(o Options) (*Server, error) {
	if o.Dir == "" {
		return nil, errors.New("starting git server: no directory given")
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.Git == "" {
		o.Git = "git"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting git server: %w", err)
	}
	o.Dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("starting git server: %w", err)
	}
	s := &Server{
		o: o, done: make(chan struct{}),
		accepts: credentials{o.Username, o.Password, o.BearerToken},
	}
	if s.backend, err = s.newBackend(); err != nil {
		return nil, fmt.Errorf("starting git server: %w", err)
	}
	return s, s.listen()
}

// Start starts a server that ends with the test. An empty Options.Dir becomes a directory of the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Server) newBackend() (http.Handler, error) {
	out, err := exec.Command(s.o.Git, "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("asking git for its programs (is git installed?): %w", err)
	}
	path := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("finding git http-backend: %w", err)
	}
	return &cgi.Handler{
		Path: path,
		Dir:  s.o.Dir,
		Env: append(environment(),
			"GIT_PROJECT_ROOT="+s.o.Dir,
			"GIT_HTTP_EXPORT_ALL=1",
			"GIT_CONFIG_COUNT=3",
			"GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true",
			"GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*",
			"GIT_CONFIG_KEY_2=uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_2=true",
		),
		Logger: log.New(io.Discard, "", 0),
		Stderr: logWriter{s.o.Logger},
	}, nil
}

func (s *Server) listen() error {
	l, err := net.Listen("tcp", s.o.Address)
	if err != nil {
		return fmt.Errorf("starting git server: %w", err)
	}
	scheme := "http"
	if s.o.TLS {
		host, _, _ := net.SplitHostPort(l.Addr().String())
		cert, ca, err := issue(host, s.o.Now())
		if err == nil {
			s.clients, err = newAuthority("gitserver client authority", s.o.Now())
		}
		if err != nil {
			l.Close()
			return fmt.Errorf("starting git server: making its certificate: %w", err)
		}
		s.ca, scheme = ca, "https"
		config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		if s.o.ClientCertificates {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			config.ClientCAs.AppendCertsFromPEM(s.clients.pem)
		}
		l = tls.NewListener(l, config)
	}
	s.url = scheme + "://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go s.http.Serve(l) //nolint:errcheck // ends with ErrServerClosed in Close
	return nil
}

// URL is where the server listens, without a path, e.g. "http://127.0.0.1:34567".
func (s *Server) URL() string { return s.url }

// Dir is the directory that holds the repositories.
func (s *Server) Dir() string { return s.o.Dir }

// CA is the PEM certificate of the authority that signed the server's certificate; empty without Options.TLS.
func (s *Server) CA() []byte { return s.ca }

// Accept changes the basic credentials that the server demands from now on; empty ones demand none.
func (s *Server) Accept(username, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepts = credentials{username: username, password: password}
}

// Handle has a handler answer the requests whose path begins with prefix. They need no credentials of the server's, and
// faults do not concern them.
func (s *Server) Handle(prefix string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mounted == nil {
		s.mounted = map[string]http.Handler{}
	}
	s.mounted[prefix] = h
}

// handler is what was mounted for a path, or nil.
func (s *Server) handler(path string) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	for prefix, h := range s.mounted {
		if strings.HasPrefix(path, prefix) {
			return h
		}
	}
	return nil
}

// Requests returns the requests answered or being answered so far, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Forget empties the list that Requests returns.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Close stops the server: requests in progress get a short time to end, then their connections are closed.
func (s *Server) Close() error {
	close(s.done)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// ServeHTTP answers one request of the Git HTTP protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s.handler(r.URL.Path); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	// CGI wants the length of the body beforehand, and git sends large pushes in chunks.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading request body", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil

	s.mu.Lock()
	fault, accepts, at := s.fault, s.accepts, len(s.requests)
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.Path, Command: command(r, body)})
	s.mu.Unlock()

	answer := &recorder{ResponseWriter: w}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if at < len(s.requests) {
			s.requests[at].Status = answer.status
		}
	}()
	switch {
	case !accepts.allow(r):
		answer.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(answer, "authentication required", http.StatusUnauthorized)
	default:
		fault.serve(s, answer, r)
	}
}

func (c credentials) allow(r *http.Request) bool {
	if c.token != "" {
		return equal(r.Header.Get("Authorization"), "Bearer "+c.token)
	}
	if c.username == "" && c.password == "" {
		return true
	}
	username, password, ok := r.BasicAuth()
	return ok && equal(username, c.username) && equal(password, c.password)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// recorder remembers the status code of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Flush sends what has been written so far.
func (r *recorder) Flush() {
	if f, ok := r.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// logWriter turns what git writes to standard error into log lines.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Warn("git http-backend complains", "output", strings.TrimSpace(string(p)))
	return len(p), nil
}
