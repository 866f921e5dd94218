package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/peer"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// service is a repo component whose answers a test sets.
type service struct {
	mu     sync.Mutex
	polls  []repo.Origin
	calls  []repo.Request
	result *render.Result
	err    error
	hold   chan struct{} // when not nil, Render waits for it or the end of the call
	ended  chan error    // gets why a held call ended
}

func (s *service) Poll(_ context.Context, origin repo.Origin) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls = append(s.polls, origin)
	return len(s.polls) == 1, s.err
}

func (s *service) Render(ctx context.Context, req repo.Request) (*repo.Response, error) {
	s.mu.Lock()
	s.calls = append(s.calls, req)
	result, err, hold := s.result, s.err, s.hold
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			s.ended <- ctx.Err()
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return &repo.Response{Sources: []repo.Source{{Revision: "abc", Type: "Directory"}}, Result: result}, nil
}

func (s *service) set(change func(*service)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *service) seen() (polls int, calls []repo.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.polls), append([]repo.Request(nil), s.calls...)
}

// running is a server that a test can end.
type running struct {
	address string
	bytes   *counter
	stop    func()
}

// counter counts what a listener's connections send.
type counter struct {
	net.Listener
	mu   sync.Mutex
	sent int
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return countedConn{conn, c}, err
}

func (c *counter) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

type countedConn struct {
	net.Conn
	c *counter
}

func (c countedConn) Write(b []byte) (int, error) {
	c.c.mu.Lock()
	c.c.sent += len(b)
	c.c.mu.Unlock()
	return c.Conn.Write(b)
}

// start serves at an address until the test ends.
func start(t *testing.T, address string, o ServerOptions) *running {
	t.Helper()
	var listener net.Listener
	var err error
	for range 100 { // the port of a server that was just ended
		if listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", address); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &running{address: listener.Addr().String(), bytes: &counter{Listener: listener}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, r.bytes, o) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func connect(t *testing.T, o ClientOptions) *Client {
	t.Helper()
	o.MaxBackoff = 10 * time.Millisecond
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func request() repo.Request {
	return repo.Request{
		Name: "web", Namespace: "argocd", Project: "default", DestinationNamespace: "web",
		Sources:     v1alpha1.ApplicationSources{{RepoURL: "https://git.example.com/web.git", Path: "web", TargetRevision: "main"}},
		KubeVersion: "1.36.3", APIVersions: []string{"apps/v1", "apps/v1/Deployment", "v1"},
	}
}

func manyObjects(n int) *render.Result {
	r := &render.Result{SourceType: "Directory", Digest: fmt.Sprintf("digest-%d", n), Warnings: []render.Warning{{Reason: render.WarningIgnored, File: "x", Message: "y"}}}
	for i := range n {
		r.Objects = append(r.Objects, render.Object{
			Unstructured: &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": fmt.Sprintf("c%d", i)},
				"data": map[string]any{"text": strings.Repeat("x", 1000)}, "n": int64(i), "f": 1.5,
			}},
			File: "web/all.yaml", Line: i + 1, Hash: fmt.Sprintf("hash-%d", i),
		})
	}
	return r
}

func TestAResultCrossesAsItIsAndIsNotSentAgain(t *testing.T) {
	s := &service{result: manyObjects(100)}
	server := start(t, "127.0.0.1:0", ServerOptions{Service: s})
	c := connect(t, ClientOptions{Address: server.address})
	first, err := c.Render(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.result, first.Result); diff != "" {
		t.Errorf("the result differs:\n%s", diff)
	}
	if first.Stale != nil || len(first.Sources) != 1 || first.Sources[0] != (repo.Source{Revision: "abc", Type: "Directory"}) {
		t.Errorf("response %+v", first)
	}
	before := server.bytes.total()
	second, err := c.Render(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	if sent := server.bytes.total() - before; second.Result != first.Result || sent > 2000 {
		t.Errorf("the same result (%t) took %d bytes", second.Result == first.Result, sent)
	}
	t.Run("but when anything of it is new", func(t *testing.T) {
		for name, change := range map[string]func(*render.Result){
			"its objects":  func(r *render.Result) { *r = *manyObjects(101) },
			"a line":       func(r *render.Result) { r.Objects[0].Line = 77 },
			"a warning":    func(r *render.Result) { r.Warnings[0].Message = "z" },
			"its order":    func(r *render.Result) { r.Objects[0], r.Objects[1] = r.Objects[1], r.Objects[0] },
			"another type": func(r *render.Result) { r.SourceType = "Helm" },
		} {
			changed := manyObjects(100)
			change(changed)
			s.set(func(s *service) { s.result = changed })
			got, err := c.Render(t.Context(), request())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(changed, got.Result); diff != "" {
				t.Errorf("%s: the result differs:\n%s", name, diff)
			}
		}
	})
}

func TestTheListOfAPIsIsSentOnce(t *testing.T) {
	s := &service{result: manyObjects(1)}
	server := start(t, "127.0.0.1:0", ServerOptions{Service: s})
	c := connect(t, ClientOptions{Address: server.address})
	req := request()
	for i := range 1000 {
		req.APIVersions = append(req.APIVersions, fmt.Sprintf("zz%04d.example.com/v1", i))
	}
	render := func() {
		t.Helper()
		if _, err := c.Render(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		_, calls := s.seen()
		if diff := cmp.Diff(req.APIVersions, calls[len(calls)-1].APIVersions); diff != "" {
			t.Errorf("the server got another list:\n%s", diff)
		}
	}
	render()
	render()
	server.stop()
	start(t, server.address, ServerOptions{Service: s}) // which knows no list
	eventually(t, func() bool { r, err := c.Render(t.Context(), req); return err == nil && r.Stale == nil })
	render()
}

func TestErrorsCrossWithWhatTheyAre(t *testing.T) {
	s := &service{}
	server := start(t, "127.0.0.1:0", ServerOptions{Service: s})
	c := connect(t, ClientOptions{Address: server.address})
	gone := &source.Error{URL: "https://git.example.com/web.git", Reason: source.ErrUnreachable, Detail: "no route"}
	for name, test := range map[string]struct {
		err  error
		is   []error
		not  []error
		also func(error) bool
	}{
		"of a source": {
			err: &repo.SourceError{Index: 0, URL: "u", Revision: "abcdef0", Err: gone}, is: []error{source.ErrUnreachable},
			not: []error{source.ErrAuthentication, repo.ErrUnavailable},
			also: func(err error) bool {
				var e *repo.SourceError
				return errors.As(err, &e) && e.Index == 0 && e.URL == "u" && e.Revision == "abcdef0" && repo.IsUnreachable(err)
			},
		},
		"of a source that is not there": {
			err: &repo.SourceError{Index: 7, URL: "u", Revision: "abcdef0", Err: gone}, is: []error{source.ErrUnreachable},
			also: func(err error) bool { return !errors.As(err, new(*repo.SourceError)) },
		},
		"of a manifest": {
			err: fmt.Errorf("rendering: %w", &render.ManifestError{File: "a.yaml", Line: 3, Problem: "p"}), is: []error{render.ErrInvalidManifest},
			also: func(err error) bool {
				var e *render.ManifestError
				return errors.As(err, &e) && e.File == "a.yaml" && e.Line == 3
			},
		},
		"of an unsupported type": {
			err: &render.UnsupportedError{What: "Helm charts", SourceType: "Helm"}, is: []error{render.ErrUnsupported},
			also: func(err error) bool { return errors.As(err, new(*render.UnsupportedError)) },
		},
		"about a missing file": {err: fmt.Errorf("x: %w", fs.ErrNotExist), is: []error{fs.ErrNotExist, source.ErrPathNotFound}},
		"of no kind":           {err: errors.New("odd"), not: []error{source.ErrUnreachable, fs.ErrNotExist}},
	} {
		t.Run(name, func(t *testing.T) {
			s.set(func(s *service) { s.err = test.err })
			_, err := c.Render(t.Context(), request())
			if err == nil {
				t.Fatal("no error")
			}
			for _, is := range test.is {
				if !errors.Is(err, is) {
					t.Errorf("%v is not %v", err, is)
				}
			}
			for _, not := range test.not {
				if errors.Is(err, not) {
					t.Errorf("%v is %v", err, not)
				}
			}
			if test.also != nil && !test.also(err) {
				t.Errorf("error %#v", err)
			}
			if name != "of a source that is not there" && err.Error() != test.err.Error() {
				t.Errorf("it says %q, want %q", err, test.err)
			}
			if _, err := c.Poll(t.Context(), repo.Origin{URL: "u"}); err == nil {
				t.Error("a poll gives no error")
			}
		})
	}
}

// eventually waits for a condition that has to come about.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 6000 {
		if condition() {
			return
		}
		<-tick.C
	}
	t.Fatal("it does not come about")
}

func TestWhileNoServerIsThereTheLastStateStays(t *testing.T) {
	s := &service{result: manyObjects(3)}
	server := start(t, "127.0.0.1:0", ServerOptions{Service: s})
	c := connect(t, ClientOptions{Address: server.address})
	first, err := c.Render(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	server.stop()
	kept, err := c.Render(t.Context(), request())
	if err != nil || kept.Result != first.Result || !errors.Is(kept.Stale, repo.ErrUnavailable) || !strings.Contains(kept.Stale.Error(), server.address) {
		t.Errorf("response %+v, error %v", kept, err)
	}
	other := request()
	other.Sources[0].Path = "elsewhere"
	if _, err := c.Render(t.Context(), other); !errors.Is(err, repo.ErrUnavailable) || !repo.IsUnreachable(err) {
		t.Errorf("another request gives the error %v", err)
	}
	if _, err := c.Poll(t.Context(), repo.Origin{URL: "u"}); !errors.Is(err, repo.ErrUnavailable) {
		t.Errorf("a poll gives the error %v", err)
	}
	s.set(func(s *service) { s.result = manyObjects(4) })
	start(t, server.address, ServerOptions{Service: s})
	eventually(t, func() bool {
		response, err := c.Render(t.Context(), request())
		return err == nil && response.Stale == nil && len(response.Result.Objects) == 4
	})
}

func TestCallsEndWithTheirCallerAndAtTheirTime(t *testing.T) {
	s := &service{hold: make(chan struct{}), ended: make(chan error, 8)}
	server := start(t, "127.0.0.1:0", ServerOptions{Service: s})
	t.Run("the caller gives up", func(t *testing.T) {
		c := connect(t, ClientOptions{Address: server.address})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			eventually(t, func() bool { _, calls := s.seen(); return len(calls) > 0 })
			cancel()
		}()
		if _, err := c.Render(ctx, request()); !errors.Is(err, context.Canceled) || errors.Is(err, repo.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
		if err := <-s.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("on the server it ended with %v", err)
		}
	})
	t.Run("there is no answer", func(t *testing.T) {
		c := connect(t, ClientOptions{Address: server.address, Timeout: 50 * time.Millisecond})
		if _, err := c.Render(t.Context(), request()); !errors.Is(err, repo.ErrUnavailable) || !strings.Contains(err.Error(), "50ms") {
			t.Errorf("error %v", err)
		}
		if err := <-s.ended; err == nil {
			t.Error("the server goes on")
		}
	})
}

func TestAResultOverTheLimitIsNamed(t *testing.T) {
	server := start(t, "127.0.0.1:0", ServerOptions{Service: &service{result: manyObjects(100)}})
	c := connect(t, ClientOptions{Address: server.address, MaxMessage: 10_000})
	if _, err := c.Render(t.Context(), request()); err == nil || !strings.Contains(err.Error(), "--grpc-max-size-mb") {
		t.Errorf("error %v", err)
	}
}

func TestOnlyPeersAreAnswered(t *testing.T) {
	identity := func() *peer.Identity {
		i, err := peer.Open(t.Context(), peer.Options{Client: fake.NewClientset(), Namespace: "argocd"})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	ours, strange := identity(), identity()
	s := &service{result: manyObjects(1)}
	server := start(t, "127.0.0.1:0", ServerOptions{Service: s, TLS: ours.ServerConfig("h2")})
	if _, err := connect(t, ClientOptions{Address: server.address, TLS: ours.ClientConfig("h2")}).Render(t.Context(), request()); err != nil {
		t.Errorf("a peer: %v", err)
	}
	unverified := strange.ClientConfig("h2")
	unverified.VerifyConnection = nil
	for name, o := range map[string]ClientOptions{
		"plain text":                {},
		"of another installation":   {TLS: strange.ClientConfig("h2")},
		"verifying nothing":         {TLS: unverified},
		"showing no certificate":    {TLS: withoutCertificate(ours)},
		"asking without protection": {Timeout: time.Second},
	} {
		o.Address = server.address
		if _, err := connect(t, o).Render(t.Context(), request()); !errors.Is(err, repo.ErrUnavailable) {
			t.Errorf("a stranger %s gets %v", name, err)
		}
	}
	if _, calls := s.seen(); len(calls) != 1 {
		t.Errorf("the service was called %d times", len(calls))
	}
	plain := start(t, "127.0.0.1:0", ServerOptions{Service: s})
	if _, err := connect(t, ClientOptions{Address: plain.address, TLS: ours.ClientConfig("h2")}).Render(t.Context(), request()); !errors.Is(err, repo.ErrUnavailable) {
		t.Errorf("a server without protection is taken: %v", err)
	}
}

func TestTheHealthServiceAnswers(t *testing.T) {
	server := start(t, "127.0.0.1:0", ServerOptions{Service: &service{}})
	conn, err := grpc.NewClient(server.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || answer.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health %v, error %v", answer, err)
	}
}
