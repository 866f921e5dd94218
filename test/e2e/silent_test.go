package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// quiet passes connections on, and holds back everything that is sent while it
// is silent.
type quiet struct {
	net.Listener
	target string

	mu     sync.Mutex
	silent chan struct{} // closed at the end of the silence; nil while there is none
}

func newQuiet(t testing.TB, target string) *quiet {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q := &quiet{Listener: listener, target: target}
	t.Cleanup(func() {
		listener.Close()
		q.speak()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go q.carry(conn)
		}
	}()
	return q
}

func (q *quiet) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", q.target)
	if err != nil {
		return
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(held{q, way[1]}, way[0])
			ended <- struct{}{}
		}()
	}
	<-ended
}

// held is a connection that is written to when there is no silence.
type held struct {
	q *quiet
	net.Conn
}

func (h held) Write(p []byte) (int, error) {
	h.q.mu.Lock()
	silent := h.q.silent
	h.q.mu.Unlock()
	if silent != nil {
		<-silent
	}
	return h.Conn.Write(p)
}

// ReadFrom of the connection would pass by Write.
func (h held) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{h}, r)
}

func (q *quiet) silence() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.silent = make(chan struct{})
}

func (q *quiet) speak() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.silent != nil {
		close(q.silent)
		q.silent = nil
	}
}

// An API server that takes connections and requests and answers none must not
// cost the Applications of other clusters their workers.
func TestASilentClusterHarmsNoOther(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start(t, nil, "--status-processors", "2")
	q := newQuiet(t, strings.TrimPrefix(i.config.Host, "https://"))
	i.register(t, "silent", "https://"+q.Addr().String(), configOf(t, i.config), nil)
	one, two := map[string]string{"settings.yaml": configMapYAML("settings", "key", "one")}, map[string]string{"settings.yaml": configMapYAML("settings", "key", "two")}
	var silent []*application
	for n := range 6 {
		a := i.prepare(t, one)
		a.name += fmt.Sprint("-", n)
		// The comparison asks the API server, so that a worker waits for it.
		a.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Name: "silent", Namespace: i.cluster.Namespace(t)}), func(app *v1alpha1.Application) {
			app.Annotations = map[string]string{v1alpha1.AnnotationCompareOptions: "ServerSideDiff=true"}
		})
		silent = append(silent, a)
	}
	local := i.deploy(t, one, selfHeal)
	for _, a := range append(silent, local) {
		a.await(t, settled...)
	}

	q.silence()
	for _, a := range silent {
		a.push(t, two)
	}
	local.push(t, two)
	for _, a := range append(silent, local) {
		a.patch(t, `{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"normal"}}}`)
	}
	local.awaitData(t, "settings", "key", "two")
	for _, a := range silent {
		a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), hasCondition(v1alpha1.ApplicationConditionComparisonError, "cannot be reached"))
	}

	q.speak()
	for _, a := range silent {
		a.await(t, settled...)
		a.refresh(t, v1alpha1.RefreshTypeNormal) // the one of before found no cluster
		a.awaitData(t, "settings", "key", "two")
	}
}
