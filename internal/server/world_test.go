package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/auth"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

const password = "a right password"

// applications is a cluster that holds nothing but Applications.
type applications struct {
	mu       sync.Mutex
	version  int
	apps     map[types.NamespacedName]*v1alpha1.Application
	handlers map[int]func(old, app *v1alpha1.Application)
	next     int
	// conflicts is how many of the next patches meet a change by somebody else.
	conflicts int
}

func newApplications() *applications {
	return &applications{version: 100, apps: map[types.NamespacedName]*v1alpha1.Application{}, handlers: map[int]func(old, app *v1alpha1.Application){}}
}

func (a *applications) HasSynced() bool { return true }

func (a *applications) List() []*v1alpha1.Application {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*v1alpha1.Application
	for _, app := range a.apps {
		all = append(all, app)
	}
	return all
}

func (a *applications) OfRepository(key string) (found []*v1alpha1.Application) {
	for _, app := range a.List() {
		for _, source := range app.Spec.GetSources() {
			if slices.Contains(settings.RepositoryKeys(source.RepoURL, source.Chart), key) {
				found = append(found, app)
			}
		}
	}
	return found
}

func (a *applications) Get(key types.NamespacedName) (*v1alpha1.Application, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	app, ok := a.apps[key]
	return app, ok
}

func (a *applications) OnApplication(handle func(old, app *v1alpha1.Application)) (func(), error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := a.next
	a.next++
	a.handlers[id] = handle
	for _, app := range a.apps {
		handle(nil, app)
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.handlers, id)
	}, nil
}

// put stores an Application, or removes it when change makes it nil.
func (a *applications) put(key types.NamespacedName, change func(*v1alpha1.Application) *v1alpha1.Application) *v1alpha1.Application {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.putLocked(key, change)
}

func (a *applications) putLocked(key types.NamespacedName, change func(*v1alpha1.Application) *v1alpha1.Application) *v1alpha1.Application {
	old := a.apps[key]
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: types.UID(key.String())}}
	if old != nil {
		app = old.DeepCopy()
	}
	app = change(app)
	a.version++
	if app == nil {
		delete(a.apps, key)
	} else {
		app.ResourceVersion = strconv.Itoa(a.version)
		a.apps[key] = app
	}
	for _, handle := range a.handlers {
		handle(old, app)
	}
	return app
}

// namespaceClient is the API server's side for one namespace.
type namespaceClient struct {
	*applications
	namespace string
}

func (c namespaceClient) Get(_ context.Context, name string, _ metav1.GetOptions) (*v1alpha1.Application, error) {
	app, ok := c.applications.Get(types.NamespacedName{Namespace: c.namespace, Name: name})
	if !ok {
		return nil, apierrors.NewNotFound(v1alpha1.ApplicationGVR.GroupResource(), name)
	}
	return app.DeepCopy(), nil
}

func (c namespaceClient) Patch(_ context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*v1alpha1.Application, error) {
	if kind != types.MergePatchType {
		return nil, apierrors.NewBadRequest("only merge patches are known here")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := types.NamespacedName{Namespace: c.namespace, Name: name}
	old, ok := c.apps[key]
	if !ok {
		return nil, apierrors.NewNotFound(v1alpha1.ApplicationGVR.GroupResource(), name)
	}
	if c.conflicts > 0 {
		c.conflicts--
		old = c.putLocked(key, func(app *v1alpha1.Application) *v1alpha1.Application { return app })
	}
	patched, err := merge(old, data)
	if err != nil {
		return nil, err
	}
	if patched.ResourceVersion != old.ResourceVersion {
		return nil, apierrors.NewConflict(v1alpha1.ApplicationGVR.GroupResource(), name, fmt.Errorf("changed"))
	}
	return c.putLocked(key, func(*v1alpha1.Application) *v1alpha1.Application { return patched }).DeepCopy(), nil
}

// merge applies a JSON merge patch (RFC 7386).
func merge(app *v1alpha1.Application, patch []byte) (*v1alpha1.Application, error) {
	var object, change map[string]any
	data, err := json.Marshal(app)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(patch, &change); err != nil {
		return nil, err
	}
	var into func(object, change map[string]any)
	into = func(object, change map[string]any) {
		for k, v := range change {
			nested, isMap := v.(map[string]any)
			under, hasMap := object[k].(map[string]any)
			switch {
			case v == nil:
				delete(object, k)
			case isMap && hasMap:
				into(under, nested)
			default:
				object[k] = v
			}
		}
	}
	into(object, change)
	if data, err = json.Marshal(object); err != nil {
		return nil, err
	}
	merged := &v1alpha1.Application{}
	return merged, json.Unmarshal(data, merged)
}

// world is a server on loopback with what it serves.
type world struct {
	*applications
	t        *testing.T
	url      string
	client   *http.Client
	sessions *auth.Sessions
	server   *server.Server

	mu       sync.Mutex
	settings *settings.Settings
}

func (w *world) current() *settings.Settings {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settings
}

// change replaces the settings by a changed copy.
func (w *world) change(f func(*settings.Settings)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := *w.settings
	f(&next)
	w.settings = &next
}

// start serves until the test ends. TLS is on unless adjust says otherwise.
func start(t *testing.T, adjust func(*server.Options)) *world {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	must(t, err)
	s := settings.Defaults()
	s.ServerKey = []byte("a key of this installation")
	s.Accounts = map[string]settings.Account{
		"admin": {Name: "admin", Enabled: true, Capabilities: []settings.Capability{"login"}, PasswordHash: string(hash)},
		"other": {Name: "other", Enabled: true, Capabilities: []settings.Capability{"login"}, PasswordHash: string(hash)},
	}
	pair, roots := certificate(t)
	s.Certificate = &pair
	w := &world{applications: newApplications(), t: t, settings: s}
	w.sessions = auth.NewSessions(auth.Options{Settings: w.current})
	o := server.Options{
		Applications: w.applications, Client: func(ns string) server.ApplicationClient { return namespaceClient{w.applications, ns} },
		Namespace: "argocd", Settings: w.current, Sessions: w.sessions,
		Version: server.Version{Version: "v1", GoVersion: "go1"}, RefreshWait: 5 * time.Second, StreamCheck: time.Minute,
	}
	if adjust != nil {
		adjust(&o)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	w.server = server.New(o)
	go func() { ended <- w.server.Serve(t.Context(), listener) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	scheme := "https://"
	if o.Insecure {
		scheme = "http://"
	}
	w.url = scheme + listener.Addr().String()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	w.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return w
}

// certificate makes one that only its own pool trusts.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, roots
}

type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request; headers are pairs.
func (w *world) call(method, path, body string, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	must(w.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.client.Do(req)
	must(w.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return answer{resp.StatusCode, resp.Header, string(data)}
}

func (w *world) login(name string) string {
	w.t.Helper()
	a := w.call("POST", "/api/v1/session", fmt.Sprintf(`{"username":%q,"password":%q}`, name, password))
	var body struct{ Token string }
	must(w.t, json.Unmarshal([]byte(a.body), &body))
	if a.status != http.StatusOK || body.Token == "" {
		w.t.Fatalf("login: %d %s", a.status, a.body)
	}
	return "Bearer " + body.Token
}

func (w *world) add(namespace, name string, change func(*v1alpha1.Application)) *v1alpha1.Application {
	return w.put(types.NamespacedName{Namespace: namespace, Name: name}, func(app *v1alpha1.Application) *v1alpha1.Application {
		if app.Spec.Source == nil {
			app.Spec.Project = "default"
			app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://example.com/monorepo.git", Path: name, TargetRevision: "main"}
		}
		if change != nil {
			change(app)
		}
		return app
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, body string) string {
	t.Helper()
	var list struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	must(t, json.NewDecoder(bytes.NewReader([]byte(body))).Decode(&list))
	var all []string
	for _, i := range list.Items {
		all = append(all, i.Metadata.Name)
	}
	return strings.Join(all, " ")
}
