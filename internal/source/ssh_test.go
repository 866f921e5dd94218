package source_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// sshServer serves git-upload-pack for one user's key, and gives the address and the line for known_hosts.
func sshServer(t *testing.T, user ssh.PublicKey) (address, known string) {
	t.Helper()
	_, hostKey, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	host, err := ssh.NewSignerFromKey(hostKey)
	must(t, err)
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "git" || string(key.Marshal()) != string(user.Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveSSH(c, config)
		}
	}()
	address = l.Addr().String()
	return address, knownhosts.Line([]string{address}, host.PublicKey()) + "\n"
}

func serveSSH(c net.Conn, config *ssh.ServerConfig) {
	defer c.Close()
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for one := range channels {
		channel, requests, err := one.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			var payload struct{ Command string }
			if r.Type != "exec" || ssh.Unmarshal(r.Payload, &payload) != nil {
				_ = r.Reply(r.Type == "env", nil)
				continue
			}
			_ = r.Reply(true, nil)
			dir := strings.Trim(strings.TrimPrefix(payload.Command, "git-upload-pack "), "'")
			cmd := exec.Command("git", "upload-pack", dir)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}
			in, _ := cmd.StdinPipe()
			go func() { _, _ = io.Copy(in, channel) }()
			cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
			status := struct{ Code uint32 }{}
			if cmd.Run() != nil {
				status.Code = 128
			}
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
			channel.Close()
		}
	}
}

func userKey(t *testing.T) (ssh.PublicKey, []byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	key, err := ssh.NewPublicKey(public)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	must(t, err)
	return key, pem.EncodeToMemory(block)
}

func TestRepositoriesAreReadBySSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("no ssh program here")
	}
	server := gitserver.Start(t, gitserver.Options{})
	r := server.Repository(t, "demo.git", map[string]string{"a": "1"})
	public, private := userKey(t)
	_, stranger := userKey(t)
	address, known := sshServer(t, public)
	_, otherHost := sshServer(t, public)
	url := fmt.Sprintf("ssh://git@%s%s", address, r.Dir())

	dir := t.TempDir()
	m := open(t, source.Options{Dir: dir})
	repo := source.Repository{URL: url, SSHPrivateKey: private, SSHKnownHosts: []byte(known)}
	sha := resolve(t, m, repo, "HEAD")
	if got := content(t, snapshot(t, m, repo, sha), "a"); got != "1" {
		t.Errorf("content = %q", got)
	}
	resolve(t, m, source.Repository{URL: url, SSHPrivateKey: private, Insecure: true}, "HEAD")
	for name, c := range map[string]struct {
		repo source.Repository
		want error
	}{
		"another key":       {source.Repository{URL: url, SSHPrivateKey: stranger, SSHKnownHosts: []byte(known)}, source.ErrAuthentication},
		"no key":            {source.Repository{URL: url, SSHKnownHosts: []byte(known)}, source.ErrAuthentication},
		"unknown host":      {source.Repository{URL: url, SSHPrivateKey: private}, source.ErrUnreachable},
		"another host key":  {source.Repository{URL: url, SSHPrivateKey: private, SSHKnownHosts: []byte(strings.Replace(otherHost, otherHost[:strings.Index(otherHost, " ")], known[:strings.Index(known, " ")], 1))}, source.ErrUnreachable},
		"no such directory": {source.Repository{URL: url + "x", SSHPrivateKey: private, SSHKnownHosts: []byte(known)}, source.ErrRepositoryNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := m.Resolve(t.Context(), c.repo, "HEAD", 0); !errors.Is(err, c.want) {
				t.Errorf("Resolve = %v, want %v", err, c.want)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "run", "*")); len(left) > 0 {
		t.Errorf("key files are left: %v", left)
	}
}
