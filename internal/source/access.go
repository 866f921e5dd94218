package source

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// access is how git is told to reach a repository: URL, configuration, environment, and key files in a private
// directory that lives as long as the access does.
type access struct {
	url    string
	config config
	env    []string
	dir    string
	ssh    []string // command line of ssh, up to the host
}

// open prepares git's access to the repository. base is the address after redirects, or empty. runtime is the directory
// for key files. Close it.
func (r Repository) open(base, runtime string, patience time.Duration) (*access, error) {
	a := &access{url: r.URL}
	var err error
	switch r.scheme() {
	case "http", "https":
		err = a.openHTTP(r, base, runtime, patience)
	case "ssh":
		err = a.openSSH(r, runtime, patience)
	}
	if err != nil {
		a.close()
		return nil, fmt.Errorf("preparing access to %s: %w", r.URL, err)
	}
	return a, nil
}

func (a *access) close() {
	if a.dir != "" {
		os.RemoveAll(a.dir)
	}
}

func (a *access) openHTTP(r Repository, base, runtime string, patience time.Duration) error {
	if base != "" {
		a.url = base
	}
	// The lister has followed redirects already; git following one more would carry the header to another host.
	a.config.set("http.followRedirects", "false")
	a.config.set("http.userAgent", userAgent)
	a.config.set("http.lowSpeedLimit", "1")
	a.config.set("http.lowSpeedTime", strconv.Itoa(max(1, int(patience.Seconds()))))
	if value := r.authorization(); value != "" && sameHost(r.URL, a.url) {
		u, err := url.Parse(a.url)
		if err != nil {
			return err
		}
		a.config.set("http."+u.Scheme+"://"+u.Host+"/.extraHeader", "Authorization: "+value)
	}
	if r.Insecure {
		a.config.set("http.sslVerify", "false")
	}
	if r.Proxy != "" {
		a.config.set("http.proxy", r.Proxy)
		a.env = append(a.env, "no_proxy="+r.NoProxy, "NO_PROXY="+r.NoProxy)
	}
	for _, f := range []struct {
		key, name string
		content   []byte
	}{
		{"http.sslCAInfo", "ca.pem", r.CAData},
		{"http.sslCert", "client.pem", r.TLSClientCert},
		{"http.sslKey", "client.key", r.TLSClientKey},
	} {
		if len(f.content) == 0 {
			continue
		}
		path, err := a.file(runtime, f.name, f.content)
		if err != nil {
			return err
		}
		a.config.set(f.key, path)
	}
	return nil
}

func (a *access) openSSH(r Repository, runtime string, patience time.Duration) error {
	a.url = r.withUser()
	command := []string{
		"ssh", "-F", os.DevNull, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
		"-o", "GlobalKnownHostsFile=" + os.DevNull,
		"-o", "ConnectTimeout=" + strconv.Itoa(max(1, int(patience.Seconds()))),
		"-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2",
	}
	if r.Insecure {
		command = append(command, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile="+os.DevNull)
	} else {
		hosts, err := a.file(runtime, "known_hosts", r.SSHKnownHosts)
		if err != nil {
			return err
		}
		command = append(command, "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+hosts)
	}
	if len(r.SSHPrivateKey) > 0 {
		// ssh refuses a key whose last line is open, and one with the line ends of Windows.
		key := strings.ReplaceAll(strings.TrimSpace(string(r.SSHPrivateKey)), "\r\n", "\n") + "\n"
		path, err := a.file(runtime, "key", []byte(key))
		if err != nil {
			return err
		}
		command = append(command, "-i", path)
	}
	a.ssh = command
	quoted := make([]string, len(command))
	for i, arg := range command {
		quoted[i] = quote(arg)
	}
	a.env = append(a.env, "GIT_SSH_VARIANT=ssh", "GIT_SSH_COMMAND="+strings.Join(quoted, " "))
	return nil
}

// quote makes one word for a shell. What needs no quotes gets none, for servers that read commands by themselves.
func quote(arg string) string {
	if arg != "" && strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_=-") == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// file writes a file that only this user can read.
func (a *access) file(runtime, name string, content []byte) (string, error) {
	if a.dir == "" {
		if err := os.MkdirAll(runtime, 0o700); err != nil {
			return "", err
		}
		dir, err := os.MkdirTemp(runtime, "access-")
		if err != nil {
			return "", err
		}
		a.dir = dir
	}
	path := filepath.Join(a.dir, name)
	return path, os.WriteFile(path, content, 0o600)
}
