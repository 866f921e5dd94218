package gitserver

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSHServer serves the repositories of a Server by ssh, for the user git and one key.
type SSHServer struct {
	// Address is host and port.
	Address string
	// KnownHosts is the line of a known_hosts file for the server.
	KnownHosts string

	// LFS, when it is not nil, answers git-lfs-authenticate.
	LFS func(path string) []byte

	server *Server
	config *ssh.ServerConfig
}

// SSH starts serving by ssh until the test ends. Paths that do not begin with a slash begin in the Server's directory,
// which is the home of its user.
func (s *Server) SSH(t testing.TB, user ssh.PublicKey) *SSHServer {
	t.Helper()
	_, hostKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	host, err := ssh.NewSignerFromKey(hostKey)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	server := &SSHServer{
		Address: l.Addr().String(), server: s,
		config: &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if c.User() != "git" || string(key.Marshal()) != string(user.Marshal()) {
				return nil, errors.New("unknown key")
			}
			return nil, nil
		}},
	}
	server.config.AddHostKey(host)
	server.KnownHosts = knownhosts.Line([]string{server.Address}, host.PublicKey()) + "\n"
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go server.serve(c)
		}
	}()
	return server
}

// URL of a repository by ssh.
func (s *SSHServer) URL(r *Repo) string { return "ssh://git@" + s.Address + r.Dir() }

func (s *SSHServer) serve(c net.Conn) {
	defer c.Close()
	_, channels, requests, err := ssh.NewServerConn(c, s.config)
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
			status := struct{ Code uint32 }{s.run(channel, payload.Command)}
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
			channel.Close()
		}
	}
}

func (s *SSHServer) run(channel ssh.Channel, command string) uint32 {
	name, argument, _ := strings.Cut(command, " ")
	switch {
	case name == "git-upload-pack":
		dir := strings.Trim(argument, "'")
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(s.server.o.Dir, dir)
		}
		cmd := exec.Command(s.server.o.Git, "upload-pack", dir)
		cmd.Env = append(environment(), "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
			"GIT_CONFIG_KEY_1=uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_1=true")
		in, err := cmd.StdinPipe()
		if err != nil {
			return 1
		}
		go func() { _, _ = io.Copy(in, channel) }()
		cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
		if cmd.Run() != nil {
			return 128
		}
	case name == "git-lfs-authenticate" && s.LFS != nil && strings.HasSuffix(argument, " download"):
		_, _ = channel.Write(s.LFS(strings.Trim(strings.TrimSuffix(argument, " download"), "'")))
	default:
		_, _ = io.WriteString(channel.Stderr(), "unknown command\n")
		return 127
	}
	return 0
}

// SSHKey makes a key for a user: the public part, and the private one in OpenSSH's form.
func SSHKey(t testing.TB) (ssh.PublicKey, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return SSHKeyOf(t, private)
}

// SSHKeyOf gives both parts of a key in OpenSSH's form.
func SSHKeyOf(t testing.TB, private crypto.Signer) (ssh.PublicKey, []byte) {
	t.Helper()
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return public, pem.EncodeToMemory(block)
}
