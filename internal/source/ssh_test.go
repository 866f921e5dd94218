package source_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// needSSH skips a test where there is no ssh program.
func needSSH(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("no ssh program here")
	}
}

func TestRepositoriesAreReadBySSH(t *testing.T) {
	needSSH(t)
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	public, private := gitserver.SSHKey(t)
	_, stranger := gitserver.SSHKey(t)
	host, other := server.SSH(t, public), server.SSH(t, public)
	url, known := host.URL(r), []byte(host.KnownHosts)
	addressOf := func(line string) string { return line[:strings.Index(line, " ")] }
	wrongKey := strings.Replace(other.KnownHosts, addressOf(other.KnownHosts), addressOf(host.KnownHosts), 1)

	dir := t.TempDir()
	m := open(t, source.Options{Dir: dir})
	repo := source.Repository{URL: url, SSHPrivateKey: private, SSHKnownHosts: known}
	sha := resolve(t, m, repo, "HEAD")
	if got := content(t, snapshot(t, m, repo, sha), "a"); got != "1" {
		t.Errorf("content = %q", got)
	}
	resolve(t, m, source.Repository{URL: url, SSHPrivateKey: private, Insecure: true}, "HEAD")
	for name, c := range map[string]struct {
		repo source.Repository
		want error
	}{
		"another key":       {source.Repository{URL: url, SSHPrivateKey: stranger, SSHKnownHosts: known}, source.ErrAuthentication},
		"no key":            {source.Repository{URL: url, SSHKnownHosts: known}, source.ErrAuthentication},
		"another user":      {source.Repository{URL: url, SSHPrivateKey: private, SSHKnownHosts: known, Username: "root"}, source.ErrAuthentication},
		"unknown host":      {source.Repository{URL: url, SSHPrivateKey: private}, source.ErrUnreachable},
		"another host key":  {source.Repository{URL: url, SSHPrivateKey: private, SSHKnownHosts: []byte(wrongKey)}, source.ErrUnreachable},
		"no such directory": {source.Repository{URL: url + "x", SSHPrivateKey: private, SSHKnownHosts: known}, source.ErrRepositoryNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.Resolve(t.Context(), c.repo, "HEAD", 0)
			if !errors.Is(err, c.want) || strings.Contains(name, "host") && !strings.Contains(err.Error(), "host key") {
				t.Errorf("Resolve = %v, want %v", err, c.want)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "run", "*")); len(left) > 0 {
		t.Errorf("key files are left: %v", left)
	}
}

func TestKeysOfAllUsualTypesAndFormsServe(t *testing.T) {
	needSSH(t)
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	r4096, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	curvePEM, err := x509.MarshalECPrivateKey(curve)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(r4096)
	must(t, err)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for name, c := range map[string]struct {
		key  crypto.Signer
		text []byte // in place of OpenSSH's form
	}{
		"RSA":                       {key: r4096},
		"RSA as PKCS#1":             {key: r4096, text: pemOf(r4096)},
		"RSA as PKCS#8":             {key: r4096, text: block("PRIVATE KEY", pkcs8)},
		"ECDSA":                     {key: curve},
		"ECDSA as SEC 1":            {key: curve, text: block("EC PRIVATE KEY", curvePEM)},
		"Ed25519":                   {key: edwards},
		"Ed25519 without last line": {key: edwards, text: []byte("trim")},
		"Ed25519 with CR LF":        {key: edwards, text: []byte("crlf")},
	} {
		t.Run(name, func(t *testing.T) {
			public, text := gitserver.SSHKeyOf(t, c.key)
			switch string(c.text) {
			case "":
			case "trim":
				text = []byte(strings.TrimSpace(string(text)))
			case "crlf":
				text = []byte(strings.ReplaceAll(string(text), "\n", "\r\n"))
			default:
				text = c.text
			}
			host := server.SSH(t, public)
			m := open(t, source.Options{})
			resolve(t, m, source.Repository{URL: host.URL(r), SSHPrivateKey: text, SSHKnownHosts: []byte(host.KnownHosts)}, "HEAD")
		})
	}
}

// leadTo has the ssh program of this test connect to the server, whatever host it is asked for.
func leadTo(t *testing.T, host *gitserver.SSHServer) {
	t.Helper()
	program, err := exec.LookPath("ssh")
	must(t, err)
	_, port, err := net.SplitHostPort(host.Address)
	must(t, err)
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nexec %s -o HostName=127.0.0.1 -o Port=%s -o HostKeyAlias=git.example.com \"$@\"\n", program, port)
	must(t, os.WriteFile(filepath.Join(dir, "ssh"), []byte(script), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestTheShortFormOfSSHBeginsInTheHomeOfItsUser(t *testing.T) {
	needSSH(t)
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "org/demo.git", map[string]string{"a": "1"})
	public, private := gitserver.SSHKey(t)
	host := server.SSH(t, public)
	leadTo(t, host) // the short form has no port
	m := open(t, source.Options{})
	_, key, _ := strings.Cut(host.KnownHosts, " ")
	known := []byte("git.example.com " + key)
	for _, url := range []string{"git@git.example.com:org/demo.git", "git@git.example.com:" + r.Dir(), "ssh://git@git.example.com" + r.Dir()} {
		repo := source.Repository{URL: url, SSHPrivateKey: private, SSHKnownHosts: known}
		sha := resolve(t, m, repo, "HEAD")
		content(t, snapshot(t, m, repo, sha), "a")
	}
	gone := source.Repository{URL: "ssh://git@git.example.com/org/demo.git", SSHPrivateKey: private, SSHKnownHosts: known}
	if _, err := m.Resolve(t.Context(), gone, "HEAD", time.Hour); !errors.Is(err, source.ErrRepositoryNotFound) {
		t.Errorf("a path from the root is taken for one from the home: %v", err)
	}
}
