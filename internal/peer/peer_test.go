package peer_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/fairlead-cd/fairlead/internal/peer"
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func open(t *testing.T, client kubernetes.Interface, c *clock) *peer.Identity {
	t.Helper()
	i, err := peer.Open(t.Context(), peer.Options{Client: client, Namespace: "argocd", Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// serve answers one line to each connection that gets through, and returns its address.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	secured := tls.NewListener(listener, config)
	go func() {
		for {
			conn, err := secured.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fmt.Fprintln(conn, "welcome")
			}()
		}
	}()
	return listener.Addr().String()
}

// call connects, and returns the certificate that the server showed.
func call(ctx context.Context, address string, config *tls.Config) (*x509.Certificate, error) {
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err == nil && string(text) != "welcome\n" {
		err = fmt.Errorf("the server says %q", text)
	}
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0], err
}

func TestPeersReachEachOther(t *testing.T) {
	client, c := fake.NewClientset(), newClock()
	server, caller := open(t, client, c), open(t, client, c)
	cert, err := call(t.Context(), serve(t, server.ServerConfig("h2")), caller.ClientConfig("h2"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cert.DNSNames) != 1 || cert.IsCA || cert.NotAfter.After(c.Now().Add(24*time.Hour)) {
		t.Errorf("the server shows %v, until %s", cert.DNSNames, cert.NotAfter)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	c := newClock()
	client := fake.NewClientset()
	address := serve(t, open(t, client, c).ServerConfig())
	stranger := open(t, fake.NewClientset(), c) // of another installation
	for name, test := range map[string]struct {
		config *tls.Config
		want   string
	}{
		"a client of another installation refuses the server": {stranger.ClientConfig(), "no component of this installation"},
		"the server refuses a client without a certificate": {
			&tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}, "certificate required",
		},
		"the server refuses a client of another installation": {
			func() *tls.Config {
				config := stranger.ClientConfig()
				config.VerifyConnection = nil
				return config
			}(), "bad certificate|unknown certificate authority",
		},
		"the server refuses an older TLS": {
			&tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}, "protocol version",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t.Context(), address, test.config)
			if err == nil || !containsOneOf(err.Error(), strings.Split(test.want, "|")) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	t.Run("the server does not answer plain text", func(t *testing.T) {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		text, _ := io.ReadAll(conn)
		if strings.Contains(string(text), "welcome") {
			t.Errorf("it says %q", text)
		}
	})
}

func containsOneOf(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func TestProcessesThatStartTogetherAgree(t *testing.T) {
	client, c := fake.NewClientset(), newClock()
	identities := make([]*peer.Identity, 8)
	var all sync.WaitGroup
	for n := range identities {
		all.Go(func() {
			i, err := peer.Open(t.Context(), peer.Options{Client: client, Namespace: "argocd", Now: c.Now})
			if err != nil {
				t.Error(err)
			}
			identities[n] = i
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	address := serve(t, identities[0].ServerConfig())
	for n, i := range identities {
		if _, err := call(t.Context(), address, i.ClientConfig()); err != nil {
			t.Errorf("process %d: %v", n, err)
		}
	}
}

func TestTheCertificateOfAProcessIsRenewed(t *testing.T) {
	client, c := fake.NewClientset(), newClock()
	server, caller := open(t, client, c), open(t, client, c)
	address := serve(t, server.ServerConfig())
	first, err := call(t.Context(), address, caller.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	c.advance(12 * time.Hour)
	same, err := call(t.Context(), address, caller.ClientConfig())
	if err != nil || !same.Equal(first) {
		t.Errorf("after half of its time it is another one (error %v)", err)
	}
	c.advance(6 * time.Hour)
	second, err := call(t.Context(), address, caller.ClientConfig())
	if err != nil || second.Equal(first) || !second.NotAfter.After(first.NotAfter) {
		t.Errorf("before its end it is the same (error %v)", err)
	}
	c.advance(30 * 24 * time.Hour) // both ends slept
	if _, err := call(t.Context(), address, caller.ClientConfig()); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

func TestTheAuthorityIsReplacedBeforeItsEnd(t *testing.T) {
	client, c := fake.NewClientset(), newClock()
	secret := func() map[string][]byte {
		s, err := client.CoreV1().Secrets("argocd").Get(t.Context(), peer.SecretName, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return s.Data
	}
	open(t, client, c)
	first := secret()
	c.advance(8 * 365 * 24 * time.Hour)
	open(t, client, c)
	if got := secret(); string(got["tls.crt"]) != string(first["tls.crt"]) || len(got["next.crt"]) > 0 {
		t.Fatal("it is replaced two years before its end")
	}
	c.advance(365*24*time.Hour + 24*time.Hour)
	late := open(t, client, c) // a process that misses all that follows
	announced := secret()
	if len(announced["next.crt"]) == 0 || string(announced["tls.crt"]) != string(first["tls.crt"]) {
		t.Fatal("a successor has to be announced, and not to sign yet")
	}
	c.advance(26 * time.Hour)
	current := open(t, client, c)
	changed := secret()
	if string(changed["tls.crt"]) != string(announced["next.crt"]) || len(changed["next.crt"]) > 0 || len(changed["next.key"]) > 0 {
		t.Fatal("after a day the successor has to sign")
	}
	// Each trusts what the other shows.
	if _, err := call(t.Context(), serve(t, current.ServerConfig()), late.ClientConfig()); err != nil {
		t.Errorf("a process that knows the old authority does not reach a server of the new one: %v", err)
	}
	if _, err := call(t.Context(), serve(t, late.ServerConfig()), current.ClientConfig()); err != nil {
		t.Errorf("a process of the new authority does not reach a server of the old one: %v", err)
	}
	c.advance(2 * 365 * 24 * time.Hour)
	open(t, client, c)
	if n := strings.Count(string(secret()["ca.crt"]), "BEGIN CERTIFICATE"); n != 1 {
		t.Errorf("%d authorities are trusted after the end of the first", n)
	}
}

func TestTheSecretIsFollowed(t *testing.T) {
	client, c := fake.NewClientset(), newClock()
	server, caller := open(t, client, c), open(t, client, c)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, i := range []*peer.Identity{server, caller} {
		running.Go(func() {
			if err := i.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	defer running.Wait()
	defer stop()
	address := serve(t, server.ServerConfig())
	before, err := call(ctx, address, caller.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().Secrets("argocd").Delete(ctx, peer.SecretName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for range ticks.C {
		after, err := call(ctx, address, caller.ClientConfig())
		if err == nil && string(after.AuthorityKeyId) != string(before.AuthorityKeyId) {
			break // both have taken up the new one
		}
		if t.Context().Err() != nil {
			t.Fatal("a deleted Secret is not made again")
		}
	}
}

func forbidCreation(client *fake.Clientset) {
	client.PrependReactor("create", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, peer.SecretName, errors.New("no"))
	})
}

func TestAProcessThatMayNotCreateSecretsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poor, rich, c := fake.NewClientset(), fake.NewClientset(), newClock()
		forbidCreation(poor)
		done := make(chan error, 1)
		go func() {
			_, err := peer.Open(t.Context(), peer.Options{Client: poor, Namespace: "argocd", Now: c.Now})
			done <- err
		}()
		time.Sleep(10 * time.Second)
		select {
		case err := <-done:
			t.Fatalf("it does not wait: %v", err)
		default:
		}
		open(t, rich, c)
		made, err := rich.CoreV1().Secrets("argocd").Get(t.Context(), peer.SecretName, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := poor.Tracker().Add(made); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestADamagedSecretIsNamed(t *testing.T) {
	client, c := fake.NewClientset(), newClock()
	open(t, client, c)
	secrets := client.CoreV1().Secrets("argocd")
	secret, err := secrets.Get(t.Context(), peer.SecretName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other := fake.NewClientset()
	open(t, other, c)
	foreign, err := other.CoreV1().Secrets("argocd").Get(t.Context(), peer.SecretName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]map[string][]byte{
		"nothing in it":        {},
		"no PEM":               {"tls.crt": []byte("x"), "tls.key": secret.Data["tls.key"], "ca.crt": secret.Data["ca.crt"]},
		"the key of another":   {"tls.crt": secret.Data["tls.crt"], "tls.key": foreign.Data["tls.key"], "ca.crt": secret.Data["ca.crt"]},
		"a trusted text":       {"tls.crt": secret.Data["tls.crt"], "tls.key": secret.Data["tls.key"], "ca.crt": []byte("all")},
		"a successor, damaged": {"tls.crt": secret.Data["tls.crt"], "tls.key": secret.Data["tls.key"], "ca.crt": secret.Data["ca.crt"], "next.crt": []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := secret.DeepCopy()
			damaged.Data = damage
			if _, err := secrets.Update(t.Context(), damaged, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			_, err := peer.Open(t.Context(), peer.Options{Client: client, Namespace: "argocd", Now: c.Now})
			if err == nil || !strings.Contains(err.Error(), "delete it") {
				t.Errorf("error %v", err)
			}
		})
	}
}
