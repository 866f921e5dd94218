package cluster_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/tracking"
)

// server is an API server of one kind, ConfigMap, that does what real ones only do when they are old or in trouble: it
// knows no aggregated discovery and no streaming lists, and expires versions when told to.
type server struct {
	*httptest.Server

	mu      sync.Mutex
	version int
	objects map[string]string
	streams map[chan string]struct{}
	refuse  *metav1.Status // answer to the next list
	lists   int
}

func serve(t *testing.T) (*server, *rest.Config) {
	t.Helper()
	s := &server{version: 1, objects: make(map[string]string), streams: make(map[chan string]struct{})}
	mux := http.NewServeMux()
	answer := func(path, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, body)
		})
	}
	answer("/version", `{"gitVersion":"v1.25.0"}`)
	answer("/api", `{"kind":"APIVersions","versions":["v1"]}`)
	answer("/apis", `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`)
	answer("/api/v1", `{"kind":"APIResourceList","groupVersion":"v1","resources":[
		{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["get","list","watch"]}]}`)
	mux.HandleFunc("GET /api/v1/configmaps", s.configMaps)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s, &rest.Config{Host: s.URL}
}

func (s *server) configMaps(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.FormValue("sendInitialEvents") != "":
		fail(w, &metav1.Status{Code: 422, Reason: metav1.StatusReasonInvalid, Message: "sendInitialEvents is not known"})
	case r.FormValue("watch") != "":
		s.stream(w, r)
	default:
		s.list(w)
	}
}

func fail(w http.ResponseWriter, status *metav1.Status) {
	status.TypeMeta, status.Status = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, metav1.StatusFailure
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status)
}

func (s *server) list(w http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists++
	if s.refuse != nil {
		fail(w, s.refuse)
		return
	}
	fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"%d"},"items":[%s]}`,
		s.version, strings.Join(slices.Collect(maps.Values(s.objects)), ","))
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	events := make(chan string, 100)
	s.mu.Lock()
	from, _ := strconv.Atoi(r.FormValue("resourceVersion"))
	late := from < s.version
	s.streams[events] = struct{}{}
	s.mu.Unlock()
	if late {
		fail(w, &metav1.Status{Code: 410, Reason: metav1.StatusReasonExpired, Message: "too old"})
		return
	}
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			fmt.Fprint(w, e)
			w.(http.Flusher).Flush()
		}
	}
}

// set changes an object; told says whether the streams hear of it.
func (s *server) set(name string, told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.objects[name] = fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"namespace-a","uid":"uid-%s","resourceVersion":"%d","annotations":{%q:"shop:/ConfigMap:namespace-a/%s"}}}`,
		name, name, s.version, tracking.AnnotationTrackingID, name)
	if told {
		s.tell(fmt.Sprintf("{\"type\":\"MODIFIED\",\n \"object\":%s}\n", s.objects[name])) // spread over two lines
	}
}

// drop removes an object without telling.
func (s *server) drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	delete(s.objects, name)
}

func (s *server) tell(event string) {
	for c := range s.streams {
		c <- event
	}
}

// expire ends all streams the way a server does that cannot go on from where they are.
func (s *server) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,"message":"too old"}}` + "\n")
	for c := range s.streams {
		close(c)
		delete(s.streams, c)
	}
}

func names(l *live) string {
	var out []string
	for _, o := range l.Managed("shop") {
		out = append(out, o.Name+"@"+o.ResourceVersion)
	}
	return strings.Join(out, " ")
}

func TestAnOldServerIsListedAndFollowed(t *testing.T) {
	s, config := serve(t)
	s.set("a", false)
	s.set("b", false)
	l := watch(t, config)
	if got := names(l); got != "a@2 b@3" {
		t.Fatalf("known are %s", got)
	}
	await(t, "the stream", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.streams) > 0 })
	s.set("c", true)
	await(t, "the event", func() bool { return names(l) == "a@2 b@3 c@4" })
	key := cluster.Key{Kind: "ConfigMap", Namespace: "namespace-a", Name: "c"}
	if o, _ := l.Get(key); o.Live().GetAPIVersion() != "v1" || o.Live().GetKind() != "ConfigMap" {
		t.Errorf("the object is %v", o.Live())
	}

	s.drop("a")
	s.set("b", false)
	s.expire()
	await(t, "the state after the version expired", func() bool { return names(l) == "b@6 c@4" })
	if state := l.State(); state.Error != "" || state.Version != "v1.25.0" || state.Kinds != 1 {
		t.Errorf("the state is %+v", state)
	}
}

func TestAServerInTroubleIsAskedAgain(t *testing.T) {
	for name, status := range map[string]metav1.Status{
		"it initializes":      {Code: 503, Reason: metav1.StatusReasonServiceUnavailable, Message: "storage is initializing"},
		"it is overloaded":    {Code: 429, Reason: metav1.StatusReasonTooManyRequests, Message: "too many requests"},
		"it fails":            {Code: 500, Reason: metav1.StatusReasonInternalError, Message: "internal error"},
		"it refuses for once": {Code: 403, Reason: metav1.StatusReasonForbidden, Message: "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, config := serve(t)
			s.set("a", false)
			s.refuse = &status
			l := start(t, config)
			configMaps := schema.GroupKind{Kind: "ConfigMap"}
			await(t, "the notice of trouble", func() bool { return l.State().Failed[configMaps] != nil })
			if err := l.Ready(configMaps); err == nil || !strings.Contains(err.Error(), status.Message) {
				t.Errorf("the kind's state is %v", err)
			}
			s.mu.Lock()
			s.refuse = nil
			s.mu.Unlock()
			await(t, "the list", func() bool { return names(l) == "a@2" && l.Ready(configMaps) == nil && l.State().Synced })
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.lists > 10 {
				t.Errorf("it was asked %d times", s.lists)
			}
		})
	}
}
