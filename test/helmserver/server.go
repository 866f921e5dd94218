package helmserver

import (
	"bytes"
	"crypto/subtle"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// Options say how a Server is reached.
type Options struct {
	// Username and Password demand basic authentication when one of them is not empty.
	Username, Password string
	// BearerToken demands "Authorization: Bearer <token>" when it is not empty.
	BearerToken string
	// TLS serves HTTPS with a certificate of its own, see Server.CA.
	TLS bool
	// Archives is put before the file names of archives in the index. Empty makes them relative.
	Archives string
	// NoDigests leaves the digests out of the index, and NoValidators the headers for conditional requests.
	NoDigests, NoValidators bool
	// Now gives the time of publication, default time.Now.
	Now func() time.Time
}

// Server is a Helm repository. It is safe for concurrent use.
type Server struct {
	o    Options
	http *httptest.Server
	done chan struct{}

	mu       sync.Mutex
	fault    Fault
	entries  map[string][]map[string]any
	index    []byte
	files    map[string][]byte
	changed  time.Time
	requests []Request
}

// Request is one request that the server was sent.
type Request struct {
	// Path of the request, and its header.
	Path   string
	Header http.Header
	// Status of the answer; zero while the request is being answered.
	Status int
}

// Fault says how the server misbehaves. The zero value is a server that works.
type Fault struct {
	// Status answers with this code when it is not zero.
	Status int
	// Hang leaves requests without an answer until the client gives up or the server is closed.
	Hang bool
	// Truncate ends the connection after so many bytes of the body when it is not zero.
	Truncate int
	// Corrupt changes the last byte of the body.
	Corrupt bool
	// Redirect sends every request on to the same path below this URL when it is not empty.
	Redirect string
	// Only limits the fault to paths that end so; empty: to all.
	Only string
	// Times limits the fault to so many requests; zero: no limit.
	Times int
}

// New starts a server. The caller ends it with Close.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		o: o, done: make(chan struct{}), entries: map[string][]map[string]any{}, files: map[string][]byte{},
	}
	s.rebuild()
	s.http = httptest.NewUnstartedServer(s)
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	if o.TLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	return s
}

// Start starts a server with charts, which ends with the test.
func Start(t testing.TB, o Options, charts ...Chart) *Server {
	t.Helper()
	s := New(o)
	t.Cleanup(s.Close)
	for _, c := range charts {
		if _, err := s.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// URL of the repository.
func (s *Server) URL() string { return s.http.URL + "/charts" }

// CA is the PEM certificate to trust; empty without Options.TLS.
func (s *Server) CA() []byte {
	if s.http.Certificate() == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
}

// Close stops the server.
func (s *Server) Close() {
	close(s.done)
	s.http.CloseClientConnections()
	s.http.Close()
}

// Add publishes a chart and returns the digest of its archive. A version that is there is replaced.
func (s *Server) Add(c Chart) (digest string, err error) {
	archive, err := c.Pack()
	if err != nil {
		return "", fmt.Errorf("packing chart %s: %w", c.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	file := c.Name + "-" + c.Version + ".tgz"
	s.files["/charts/"+file] = archive
	entry := map[string]any{
		"apiVersion": "v2", "name": c.Name, "version": c.Version, "appVersion": c.AppVersion,
		"created": s.o.Now().Format(time.RFC3339Nano), "urls": []string{s.o.Archives + file},
		"description": "A chart: with several\nlines of text\n\n  version: 9.9.9\n", "deprecated": c.Deprecated,
	}
	if !s.o.NoDigests {
		entry["digest"] = Digest(archive)
	}
	kept := s.entries[c.Name][:0:0]
	for _, old := range s.entries[c.Name] {
		if old["version"] != c.Version {
			kept = append(kept, old)
		}
	}
	s.entries[c.Name] = append(kept, entry)
	s.rebuild()
	return Digest(archive), nil
}

// rebuild wants the lock.
func (s *Server) rebuild() {
	raw, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "generated": "2026-01-01T00:00:00Z", "entries": s.entries})
	if err != nil {
		panic(err) // maps of strings can be written
	}
	s.index, s.changed = raw, s.o.Now()
}

// SetIndex serves this index instead of the one of the charts, until a chart is added.
func (s *Server) SetIndex(raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index, s.changed = raw, s.o.Now()
}

// Index is the index as it is served.
func (s *Server) Index() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index
}

// SetFile serves a file below the repository's URL; nil removes it.
func (s *Server) SetFile(name string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files["/charts/"+name] = content
	if content == nil {
		delete(s.files, "/charts/"+name)
	}
}

// SetFault makes the server misbehave from the next request on; the zero Fault heals it.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Requests are those for paths that end so, oldest first.
func (s *Server) Requests(suffix string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Request
	for _, r := range s.requests {
		if strings.HasSuffix(r.Path, suffix) {
			found = append(found, r)
		}
	}
	return found
}

// Forget empties the list of requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	at := len(s.requests)
	s.requests = append(s.requests, Request{Path: r.URL.Path, Header: r.Header.Clone()})
	fault := Fault{}
	if f := &s.fault; *f != (Fault{}) && strings.HasSuffix(r.URL.Path, f.Only) {
		fault = *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				*f = Fault{}
			}
		}
	}
	content, found := s.files[r.URL.Path]
	if r.URL.Path == "/charts/index.yaml" {
		content, found = s.index, true
	}
	changed := s.changed
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
	case !s.allow(r):
		answer.Header().Set("WWW-Authenticate", `Basic realm="charts"`)
		http.Error(answer, "authentication required", http.StatusUnauthorized)
	case fault.Hang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	case fault.Redirect != "":
		http.Redirect(answer, r, strings.TrimSuffix(fault.Redirect, "/")+r.URL.RequestURI(), http.StatusFound)
	case fault.Status != 0:
		http.Error(answer, http.StatusText(fault.Status), fault.Status)
	case !found:
		http.NotFound(answer, r)
	case fault.Truncate > 0:
		answer.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = answer.Write(content[:min(fault.Truncate, len(content))])
		panic(http.ErrAbortHandler)
	default:
		if fault.Corrupt {
			content = bytes.Clone(content)
			content[len(content)-1] ^= 1
		}
		if !s.o.NoValidators {
			answer.Header().Set("ETag", `"`+Digest(content)[:16]+`"`)
		} else {
			changed = time.Time{}
		}
		http.ServeContent(answer, r, "", changed, bytes.NewReader(content))
	}
}

func (s *Server) allow(r *http.Request) bool {
	if s.o.BearerToken != "" {
		return equal(r.Header.Get("Authorization"), "Bearer "+s.o.BearerToken)
	}
	if s.o.Username == "" && s.o.Password == "" {
		return true
	}
	username, password, ok := r.BasicAuth()
	return ok && equal(username, s.o.Username) && equal(password, s.o.Password)
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
