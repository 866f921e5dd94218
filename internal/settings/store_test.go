package settings_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

const ns = "argocd"

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}, Data: data}
}

// start runs a store until the test ends and waits until it is ready.
func start(t *testing.T, o settings.Options) *settings.Store {
	t.Helper()
	store := settings.New(o)
	ended := make(chan error, 1)
	go func() { ended <- store.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	within, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	must(t, store.Ready(within))
	return store
}

// await receives readings until one fits.
func await(t *testing.T, readings <-chan *settings.Settings, fits func(*settings.Settings) bool) *settings.Settings {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case s := <-readings:
			if fits(s) {
				return s
			}
		case <-timeout:
			t.Fatal("the settings never became as expected")
		}
	}
}

func TestChangesArrive(t *testing.T) {
	client := fake.NewClientset(configMap(settings.ConfigMapName, map[string]string{"timeout.reconciliation": "1m"}))
	var log bytes.Buffer
	store := start(t, settings.Options{Client: client, Namespace: ns, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if got := store.Get().Reconciliation; got != time.Minute {
		t.Fatalf("at first %v", got)
	}
	readings := make(chan *settings.Settings, 100)
	unsubscribe := store.Subscribe(func(s *settings.Settings) { readings <- s })
	maps := client.CoreV1().ConfigMaps(ns)
	update := func(data map[string]string) {
		t.Helper()
		_, err := maps.Update(t.Context(), configMap(settings.ConfigMapName, data), metav1.UpdateOptions{})
		must(t, err)
	}

	update(map[string]string{"timeout.reconciliation": "3m"})
	await(t, readings, func(s *settings.Settings) bool { return s.Reconciliation == 3*time.Minute })
	update(map[string]string{"timeout.reconciliation": "soon"})
	await(t, readings, func(s *settings.Settings) bool { return s.Reconciliation == 3*time.Minute && len(s.Warnings) == 1 })
	update(map[string]string{"timeout.reconciliation": "soon", "installationID": "a"})
	await(t, readings, func(s *settings.Settings) bool { return s.InstallationID == "a" && len(s.Warnings) == 1 })

	repository := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: ns, Labels: map[string]string{"argocd.argoproj.io/secret-type": "repository"}}, Data: map[string][]byte{"url": []byte("https://example.com/a"), "username": []byte("u")}}
	_, err := client.CoreV1().Secrets(ns).Create(t.Context(), repository, metav1.CreateOptions{})
	must(t, err)
	await(t, readings, func(s *settings.Settings) bool { return s.Repository("https://example.com/a", "p").Username == "u" })
	must(t, client.CoreV1().Secrets(ns).Delete(t.Context(), "r", metav1.DeleteOptions{}))
	await(t, readings, func(s *settings.Settings) bool { return len(s.Repositories) == 0 })

	_, err = maps.Create(t.Context(), configMap(settings.ParamsConfigMapName, map[string]string{"server.insecure": "true"}), metav1.CreateOptions{})
	must(t, err)
	await(t, readings, func(s *settings.Settings) bool { return s.CommandParams["server.insecure"] == "true" })
	must(t, maps.Delete(t.Context(), settings.ConfigMapName, metav1.DeleteOptions{}))
	last := await(t, readings, func(s *settings.Settings) bool { return s.Reconciliation == 2*time.Minute })
	if store.Get() != last {
		t.Error("Get gives another reading than the subscribers got")
	}
	unsubscribe()
	if n := strings.Count(log.String(), "a setting cannot be used"); n != 1 {
		t.Errorf("the warning was logged %d times:\n%s", n, log.String())
	}
}

func TestReadyEndsWithItsContext(t *testing.T) {
	store := settings.New(settings.Options{Client: fake.NewClientset(), Namespace: ns})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Ready(ctx); err == nil {
		t.Error("a store that does not run is ready")
	}
	if store.Get() == nil {
		t.Error("a store that does not run has no defaults")
	}
}

// versioned makes the fake client refuse updates of an outdated version, as a real API server does.
func versioned(objects ...runtime.Object) *fake.Clientset {
	client := fake.NewClientset(objects...)
	var mu sync.Mutex
	version := 100
	gvr := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	stamp := func(secret *corev1.Secret) *corev1.Secret {
		version++
		secret = secret.DeepCopy()
		secret.ResourceVersion = strconv.Itoa(version)
		return secret
	}
	client.PrependReactor("create", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		secret := stamp(action.(clienttesting.CreateAction).GetObject().(*corev1.Secret))
		return true, secret, client.Tracker().Create(gvr, secret, secret.Namespace)
	})
	client.PrependReactor("update", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		secret := action.(clienttesting.UpdateAction).GetObject().(*corev1.Secret)
		stored, err := client.Tracker().Get(gvr, secret.Namespace, secret.Name)
		if err != nil {
			return true, nil, err
		}
		if stored.(*corev1.Secret).ResourceVersion != secret.ResourceVersion {
			return true, nil, apierrors.NewConflict(gvr.GroupResource(), secret.Name, nil)
		}
		secret = stamp(secret)
		return true, secret, client.Tracker().Update(gvr, secret, secret.Namespace)
	})
	return client
}

func secret(t *testing.T, client *fake.Clientset, name string) *corev1.Secret {
	t.Helper()
	s, err := client.CoreV1().Secrets(ns).Get(t.Context(), name, metav1.GetOptions{})
	must(t, err)
	return s
}

func options(client *fake.Clientset) settings.Options {
	return settings.Options{Client: client, Namespace: ns, Entropy: &settings.Entropy{BcryptCost: bcrypt.MinCost}}
}

func TestEnsureCreatesWhatIsMissing(t *testing.T) {
	client := versioned()
	must(t, settings.New(options(client)).Ensure(t.Context()))
	for _, name := range []string{"argocd-cm", "argocd-rbac-cm", "argocd-cmd-params-cm", "argocd-tls-certs-cm", "argocd-ssh-known-hosts-cm", "argocd-gpg-keys-cm"} {
		cm, err := client.CoreV1().ConfigMaps(ns).Get(t.Context(), name, metav1.GetOptions{})
		must(t, err)
		if cm.Labels["app.kubernetes.io/part-of"] != "argocd" || cm.Labels["app.kubernetes.io/name"] != name {
			t.Errorf("%s has labels %v", name, cm.Labels)
		}
	}
	made := secret(t, client, "argocd-secret")
	if made.Labels["app.kubernetes.io/part-of"] != "argocd" || len(made.Data["server.secretkey"]) < 32 {
		t.Errorf("argocd-secret is %v with %d keys", made.Labels, len(made.Data))
	}
	password := secret(t, client, "argocd-initial-admin-secret").Data["password"]
	if err := bcrypt.CompareHashAndPassword(made.Data["admin.password"], password); err != nil || len(password) != 16 {
		t.Errorf("the initial password does not fit: %v", err)
	}
	if _, err := time.Parse(time.RFC3339, string(made.Data["admin.passwordMtime"])); err != nil {
		t.Error(err)
	}
	pair, err := tls.X509KeyPair(made.Data["tls.crt"], made.Data["tls.key"])
	must(t, err)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	must(t, err)
	for _, host := range []string{"localhost", "127.0.0.1", "argocd-server", "argocd-server.argocd.svc.cluster.local"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}

	s := start(t, options(client)).Get()
	if s.Certificate == nil || len(s.ServerKey) == 0 || len(s.Warnings) > 0 {
		t.Errorf("what was made cannot be read: %v", s.Warnings)
	}
	if !s.Resources.Excludes("discovery.k8s.io", "EndpointSlice", "x") || s.Resources.Excludes("apps", "Deployment", "x") {
		t.Error("a new installation has no exclusions")
	}
}

func TestEnsureChangesNothingThatIsThere(t *testing.T) {
	existing := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "argocd-secret", Namespace: ns, ResourceVersion: "1"}, Data: map[string][]byte{
		"server.secretkey": []byte("mine"), "admin.password": []byte("hash"), "admin.passwordMtime": []byte("2026-01-31T12:00:00Z"),
		"tls.crt": []byte("broken"), "webhook.github.secret": []byte("w"),
	}}
	client := versioned(existing, configMap("argocd-cm", map[string]string{"url": "https://a.example.com"}))
	must(t, settings.New(options(client)).Ensure(t.Context()))
	after := secret(t, client, "argocd-secret")
	if after.ResourceVersion != "1" || len(after.Data) != 5 {
		t.Errorf("changed to %v", after.Data)
	}
	cm, err := client.CoreV1().ConfigMaps(ns).Get(t.Context(), "argocd-cm", metav1.GetOptions{})
	must(t, err)
	if len(cm.Data) != 1 {
		t.Errorf("argocd-cm changed to %v", cm.Data)
	}
	if _, err := client.CoreV1().Secrets(ns).Get(t.Context(), "argocd-initial-admin-secret", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("an initial password appeared: %v", err)
	}
}

func TestEnsureRespectsWhatIsSwitchedOff(t *testing.T) {
	client := versioned(configMap("argocd-cm", map[string]string{"admin.enabled": "false"}))
	o := options(client)
	o.Insecure = true
	must(t, settings.New(o).Ensure(t.Context()))
	if data := secret(t, client, "argocd-secret").Data; len(data) != 1 {
		t.Errorf("made %d keys, want only the signing key", len(data))
	}
}

func TestEnsureByManyAtOnce(t *testing.T) {
	client := versioned()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := settings.New(options(client)).Ensure(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	hash := secret(t, client, "argocd-secret").Data["admin.password"]
	if err := bcrypt.CompareHashAndPassword(hash, secret(t, client, "argocd-initial-admin-secret").Data["password"]); err != nil {
		t.Errorf("the password that is shown is not the one that is set: %v", err)
	}
}

func TestEnsureAfterAReset(t *testing.T) {
	client := versioned()
	must(t, settings.New(options(client)).Ensure(t.Context()))
	old := secret(t, client, "argocd-initial-admin-secret").Data["password"]
	s := secret(t, client, "argocd-secret")
	key := s.Data["server.secretkey"]
	delete(s.Data, "admin.password")
	_, err := client.CoreV1().Secrets(ns).Update(t.Context(), s, metav1.UpdateOptions{})
	must(t, err)
	must(t, settings.New(options(client)).Ensure(t.Context()))
	fresh := secret(t, client, "argocd-initial-admin-secret").Data["password"]
	after := secret(t, client, "argocd-secret")
	if bytes.Equal(old, fresh) || bcrypt.CompareHashAndPassword(after.Data["admin.password"], fresh) != nil {
		t.Error("the reset brought the old password back")
	}
	if !bytes.Equal(key, after.Data["server.secretkey"]) {
		t.Error("the reset changed the signing key")
	}
}

func TestReadCommandParams(t *testing.T) {
	got, err := settings.ReadCommandParams(t.Context(), fake.NewClientset(), ns)
	if err != nil || got == nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	got, err = settings.ReadCommandParams(t.Context(), fake.NewClientset(configMap("argocd-cmd-params-cm", map[string]string{"server.insecure": "true"})), ns)
	if err != nil || got["server.insecure"] != "true" {
		t.Errorf("%v %v", got, err)
	}
}
