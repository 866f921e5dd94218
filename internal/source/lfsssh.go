package source

import (
	"context"
	"encoding/json"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// lfsGrant is a server that a repository's ssh host has let us ask, for a while.
type lfsGrant struct {
	server lfsServer
	until  time.Time
}

// lfsBySSH asks the repository's ssh host which server has its objects, and for the right to get them.
func (m *mirror) lfsBySSH(ctx context.Context, repo Repository) (lfsServer, error) {
	m.mu.Lock()
	grant := m.lfsGrant
	m.mu.Unlock()
	if m.all.o.Now().Before(grant.until) {
		return grant.server, nil
	}
	out, err := m.sshRun(ctx, repo, "git-lfs-authenticate", "download")
	if err != nil {
		return lfsServer{}, err
	}
	var answer struct {
		Href      string            `json:"href"`
		Header    map[string]string `json:"header"`
		ExpiresIn int64             `json:"expires_in"`
		ExpiresAt time.Time         `json:"expires_at"`
	}
	if json.Unmarshal(out, &answer) != nil || answer.Href == "" {
		return lfsServer{}, repo.fail(ErrLFS, nil, "git-lfs-authenticate on the server gives no address of an LFS server")
	}
	grant = lfsGrant{server: lfsServer{strings.TrimRight(answer.Href, "/"), answer.Header}, until: answer.ExpiresAt}
	if answer.ExpiresIn > 0 {
		grant.until = m.all.o.Now().Add(time.Duration(answer.ExpiresIn) * time.Second)
	}
	grant.until = grant.until.Add(-time.Minute) // so that it is good until the download has begun
	m.mu.Lock()
	m.lfsGrant = grant
	m.mu.Unlock()
	return grant.server, nil
}

// sshRun runs a command of the repository's host with the repository's path as its first argument.
func (m *mirror) sshRun(ctx context.Context, repo Repository, name, operation string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, m.all.o.PollTimeout)
	defer cancel()
	a, err := repo.open("", m.all.runtime(), m.all.o.PollTimeout)
	if err != nil {
		return nil, repo.fail(ErrUnreachable, err, "%v", err)
	}
	defer a.close()
	host, port, path, ok := repo.sshTarget()
	if !ok {
		return nil, repo.fail(ErrInvalidRepository, nil, "the URL names no host")
	}
	args := a.ssh[1:]
	if port != "" {
		args = append(args, "-p", port)
	}
	args = append(args, "--", host, name+" "+quote(path)+" "+operation)
	cmd := exec.CommandContext(ctx, a.ssh[0], args...)
	cmd.Env = hermeticEnv(m.all.o.Env)
	out, stderr := tail{limit: maxAnswer}, tail{limit: maxMessage}
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		failed := &gitError{command: name, stderr: strings.TrimSpace(string(stderr.kept)), err: err}
		if failure := repo.remoteFailure(failed); failure != nil {
			return nil, failure
		}
		return nil, repo.fail(ErrLFS, nil, "running %s on the server: %v", name, failed)
	}
	return out.kept, nil
}

// sshTarget splits a normalized ssh URL as git does: the path of the short form begins in the user's home.
func (r Repository) sshTarget() (host, port, path string, ok bool) {
	if !strings.Contains(r.URL, "://") {
		host, path, ok = strings.Cut(r.URL, ":")
	} else if u, err := url.Parse(r.URL); err == nil {
		host, port, path, ok = u.Hostname(), u.Port(), u.Path, true
	}
	if r.Username != "" {
		host = r.Username + "@" + host
	}
	return host, port, path, ok && host != ""
}

// hostName is the host of a URL, also of the short form of ssh, without a port.
func hostName(address string) string {
	r, err := Repository{URL: address}.normalize()
	if err != nil {
		return ""
	}
	r.Username = ""
	if r.scheme() == "ssh" {
		host, _, _, _ := r.sshTarget()
		return host
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
