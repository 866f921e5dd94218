package apply_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
	control "github.com/fairlead-cd/fairlead/test/cluster"
)

// fault does to a request what befalls it instead of an answer. With pass it
// goes through first: the answer alone is lost.
type fault struct {
	pass bool
	do   func(w http.ResponseWriter, r *http.Request)
}

func status(code int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"injected","code":%d}`, code)
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// hang answers nothing until the client is gone, which a server only notices
// once it has read the request.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// faulty is a way to the API server on which requests meet faults.
type faulty struct {
	mu   sync.Mutex
	next map[string]int
	// pick chooses the fault of the nth request of one method for one object, from
	// 0; false lets it through.
	pick func(n int) (fault, bool)
}

func (f *faulty) choose(r *http.Request) (fault, bool) {
	key := r.Method + " " + r.URL.Path
	if r.Method == http.MethodPost { // the path does not name the object
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var obj metav1.PartialObjectMetadata
		_ = json.Unmarshal(body, &obj)
		key += "/" + obj.Name
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.next[key]
	f.next[key]++
	return f.pick(n)
}

// newFaulty puts such a way between an Applier and the API server.
func newFaulty(t *testing.T, pick func(n int) (fault, bool)) *target {
	t.Helper()
	c := control.ForTest(t)
	config := c.RESTConfig()
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(address) }}
	f := &faulty{next: make(map[string]int), pick: pick}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		met, ok := f.choose(r)
		if !ok || met.pass {
			into := w
			if ok {
				into = httptest.NewRecorder()
			}
			proxy.ServeHTTP(into, r)
		}
		if ok {
			met.do(w, r)
		}
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return reachedBy(t, &rest.Config{Host: server.URL}, c.Namespace(t))
}

// everySecond fails the first, third and so on of the same requests, each in
// another way.
func everySecond(faults ...fault) func(int) (fault, bool) {
	var mu sync.Mutex
	met := 0
	return func(n int) (fault, bool) {
		if n%2 == 1 {
			return fault{}, false
		}
		mu.Lock()
		defer mu.Unlock()
		met++
		return faults[met%len(faults)], true
	}
}

// allFaults are the ways in which half of all calls fail. Some answers are lost
// although the write was carried out.
var allFaults = []fault{
	{do: status(500)}, {do: status(503)}, {do: status(504)}, {do: cut}, {do: hang}, {do: status(429, "Retry-After", "1")},
	{do: status(500), pass: true}, {do: cut, pass: true}, {do: hang, pass: true}, {do: status(409)},
}

const hasty = 300 * time.Millisecond // how long one attempt may take

func TestEverythingIsWrittenWhenHalfOfAllCallsFail(t *testing.T) {
	t.Parallel()
	c := newFaulty(t, everySecond(allFaults...))
	applier := apply.New(c, 0).Patient(12, hasty, time.Minute)
	var steps []plan.Step
	for i := range 24 {
		step := c.step(t, plan.Create, fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a%d}, data: {x: "1"}}`, i))
		step.Options.Replace = i%3 == 1
		step.Options.Force = i%3 == 2
		steps = append(steps, step)
	}
	write := func() (written []apply.Outcome) {
		for _, outcome := range applier.Run(t.Context(), steps, apply.Options{}) {
			if outcome.Err != nil {
				t.Errorf("%s: %v", outcome.Reference, outcome.Err)
				continue
			}
			data, _, _ := unstructured.NestedString(c.get(t, outcome.Name).Object, "data", "x")
			want, _, _ := unstructured.NestedString(outcome.Desired.Object, "data", "x")
			if data != want {
				t.Errorf("%s holds %q, want %q", outcome.Reference, data, want)
			}
			written = append(written, outcome)
		}
		return written
	}
	write()
	for i := range steps {
		steps[i].Action = plan.Change
		_ = unstructured.SetNestedField(steps[i].Desired.Object, "2", "data", "x")
		steps[i].Options.Replace = steps[i].Options.Replace || i%6 == 2 // some are made anew
	}
	var prunes []plan.Step
	for _, outcome := range write() {
		prunes = append(prunes, plan.Step{Action: plan.Prune, Reference: outcome.Reference, UID: outcome.Object.GetUID()})
	}
	for _, outcome := range applier.Run(t.Context(), prunes, apply.Options{}) {
		if outcome.Err != nil {
			t.Errorf("%s: %v", outcome.Reference, outcome.Err)
		}
		c.until(t, outcome.Name, func(obj *unstructured.Unstructured) bool { return obj == nil })
	}
}

func TestAFailureThatStaysIsNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault  fault
		reason apply.Reason
		words  []string
	}{
		"failing":     {fault{do: status(500)}, apply.Unavailable, []string{"configmap/a", "API server failed"}},
		"overloaded":  {fault{do: status(429)}, apply.Overloaded, []string{"configmap/a", "overloaded"}},
		"cut":         {fault{do: cut}, apply.Unavailable, []string{"configmap/a", "API server failed"}},
		"hanging":     {fault{do: hang}, apply.Unavailable, []string{"configmap/a", "did not answer in time"}},
		"conflicting": {fault{do: status(409)}, apply.Conflict, []string{"configmap/a", "somebody else"}},
		"rejecting":   {fault{do: status(401)}, apply.Unauthorized, []string{"configmap/a", "credentials"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			c := newFaulty(t, func(int) (fault, bool) { calls.Add(1); return test.fault, true })
			step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)
			outcome := apply.New(c, 0).Patient(3, hasty, time.Minute).Run(t.Context(), []plan.Step{step}, apply.Options{})[0]
			refusal, _ := errors.AsType[*apply.Refusal](outcome.Err)
			if !refusedFor(outcome.Err, test.reason, test.words...) || !refusal.Retry {
				t.Errorf("got %v", outcome.Err)
			}
			if want := map[bool]int32{true: 1, false: 3}[name == "rejecting"]; calls.Load() != want {
				t.Errorf("%d calls, want %d", calls.Load(), want)
			}
		})
	}
}

func TestTheEndOfAContextIsHeededAtOnce(t *testing.T) {
	t.Parallel()
	for name, met := range map[string]fault{"hanging": {do: hang}, "asked to wait": {do: status(429, "Retry-After", "3600")}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			c := newFaulty(t, func(int) (fault, bool) {
				return fault{do: func(w http.ResponseWriter, r *http.Request) { cancel(); met.do(w, r) }}, true
			})
			step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)
			if outcome := apply.New(c, 0).Run(ctx, []plan.Step{step}, apply.Options{})[0]; !errors.Is(outcome.Err, context.Canceled) {
				t.Errorf("got %v", outcome.Err)
			}
		})
	}
}

func TestAnOverloadedServerIsAskedLess(t *testing.T) {
	t.Parallel()
	c := newFaulty(t, everySecond(fault{do: status(429)}))
	applier := apply.New(c, 0)
	before := applier.Allowed()
	step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)
	if outcome := applier.Run(t.Context(), []plan.Step{step}, apply.Options{})[0]; outcome.Err != nil {
		t.Fatal(outcome.Err)
	}
	if after := applier.Allowed(); after >= before {
		t.Errorf("%d requests allowed, then %d", before, after)
	}
}
