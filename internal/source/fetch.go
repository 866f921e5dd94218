package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Where a mirror keeps what is not a branch, a tag or a reference of the remote's name.
const (
	ownPrefix     = "refs/fairlead/"
	headRef       = ownPrefix + "head"
	commitsPrefix = ownPrefix + "commits/"
)

// keepExtra is how long a reference or commit stays wanted that nobody asks for again.
const keepExtra = 24 * time.Hour

// exchange is one poll: list the remote's references, and fetch when they differ from the mirror's.
func (m *mirror) exchange(p *poll) (found *refs, changed bool, err error) {
	report := FetchReport{URL: p.repo.URL}
	defer func() {
		report.Changed, report.Err = changed, err
		if m.all.o.OnFetch != nil {
			m.all.o.OnFetch(report)
		}
	}()
	names, commits := m.wanted()
	err = m.all.withToken(m.all.ctx, p.repo, func(repo Repository) error {
		found, changed, err = m.compare(repo, names, commits, &report)
		return err
	})
	return found, changed, err
}

// compare lists the remote's references, and fetches when they differ.
func (m *mirror) compare(repo Repository, names, commits []string, report *FetchReport) (found *refs, changed bool, err error) {
	clock := m.all.o.Now
	begin := clock()
	remote, err := m.list(m.all.ctx, repo, names)
	report.Listing = clock().Sub(begin)
	if err != nil {
		return nil, false, err
	}
	if remote.empty() {
		m.mu.Lock()
		changed = m.refs != nil && !m.refs.empty()
		m.mu.Unlock()
		return remote, changed, nil
	}

	if failure := m.tooLarge; failure != nil && failure.refs.same(remote) && len(commits) == 0 {
		return nil, false, failure.err
	}
	begin = clock()
	local, err := m.load(names)
	suspect := m.takeSuspect()
	if err == nil && !suspect && local.same(remote) && len(commits) == 0 && !m.oversize() {
		m.stamp()
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.refs != nil {
			local, changed = m.refs, !m.refs.same(remote)
		} else {
			changed = true
		}
		return local.sameOr(remote), changed, nil
	}

	found, err = m.fetch(repo, remote, names, commits, suspect)
	report.Fetching = clock().Sub(begin)
	if err != nil {
		if suspect {
			m.mu.Lock()
			m.suspect = true
			m.mu.Unlock()
		}
		return nil, false, err
	}
	m.mu.Lock()
	before := m.refs
	m.mu.Unlock()
	m.leave(before, found)
	m.stamp()
	return found, before == nil || !before.same(found), nil
}

// oversize reports whether a mirror that was opened just now is too large already.
func (m *mirror) oversize() bool {
	m.mu.Lock()
	known := m.refs != nil
	m.mu.Unlock()
	return !known && m.all.o.MaxRepositorySize > 0 && m.size() > m.all.o.MaxRepositorySize
}

// sameOr keeps the receiver, with what it has looked up already, when it equals other.
func (r *refs) sameOr(other *refs) *refs {
	if r.same(other) {
		return r
	}
	return other
}

// wanted lists what is asked for by full name, forgetting what nobody has asked for in a long time.
func (m *mirror) wanted() (names, commits []string) {
	now := m.all.o.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, used := range m.extras {
		switch {
		case now.Sub(used) > keepExtra:
			delete(m.extras, name)
		case len(name) == 40 && isHex(name):
			commits = append(commits, name)
			delete(m.extras, name) // once is enough
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, commits
}

func (m *mirror) takeSuspect() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	suspect := m.suspect
	m.suspect = false
	return suspect
}

func (m *mirror) list(ctx context.Context, repo Repository, names []string) (*refs, error) {
	ctx, cancel := context.WithTimeout(ctx, m.all.o.PollTimeout)
	defer cancel()
	if repo.overHTTP() {
		if m.lister == nil {
			l, err := newLister(repo, m.all.o.Env)
			if err != nil {
				return nil, repo.fail(ErrInvalidRepository, nil, "%v", err)
			}
			m.lister = l
		}
		return m.lister.list(ctx, repo, names)
	}
	a, err := m.access(repo)
	if err != nil {
		return nil, err
	}
	defer a.close()
	return lsRemote(ctx, m.git, repo, a, names)
}

func (m *mirror) access(repo Repository) (*access, error) {
	base := ""
	if m.lister != nil {
		base = m.lister.base
	}
	a, err := repo.open(base, m.all.runtime(), m.all.o.PollTimeout)
	if err != nil {
		return nil, repo.fail(ErrUnreachable, err, "%v", err)
	}
	return a, nil
}

// load reads the references that the mirror on disk has. It opens the mirror when that has not been done.
func (m *mirror) load(names []string) (*refs, error) {
	if _, err := os.Stat(filepath.Join(m.git.dir, "HEAD")); err != nil {
		return nil, err
	}
	m.mu.Lock()
	have := m.refs
	m.mu.Unlock()
	if have != nil && m.git.lock != nil && !have.empty() {
		return have, nil
	}
	if err := m.occupy(); err != nil {
		return nil, err
	}
	return m.readRefs(m.git, names)
}

// readRefs lists HEAD, branches, tags and the references of the given names.
func (m *mirror) readRefs(p program, names []string) (*refs, error) {
	out, err := p.run(m.all.ctx, nil, nil, nil, "for-each-ref", "--format=%(objectname) %(refname) %(*objectname) %(symref)")
	if err != nil {
		return nil, err
	}
	found := newRefs()
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		fields := strings.Split(scan.Text(), " ")
		if len(fields) < 3 {
			return nil, errors.New("reading references of the mirror: unexpected line")
		}
		name := fields[1]
		if name == headRef {
			name = "HEAD"
		}
		if !wantedRef(name) && !slices.Contains(names, name) {
			continue
		}
		found.add(name, fields[0])
		if fields[2] != "" {
			found.peeled[name] = fields[2]
		}
	}
	head, err := os.ReadFile(filepath.Join(p.dir, "HEAD"))
	if err != nil {
		return nil, fmt.Errorf("reading references of the mirror: %w", err)
	}
	target, _ := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: ")
	if target != noBranch {
		found.head = target
	}
	return found, nil
}

// noBranch is what HEAD of a mirror names when the remote's HEAD is detached.
const noBranch = ownPrefix + "none"

// fetch brings the mirror to the remote's state. A damaged mirror is made again beside the old one.
func (m *mirror) fetch(repo Repository, remote *refs, names, commits []string, again bool) (*refs, error) {
	ctx, cancel := context.WithTimeout(m.all.ctx, m.all.o.FetchTimeout)
	defer cancel()
	a, err := m.access(repo)
	if err != nil {
		return nil, err
	}
	defer a.close()
	if err := m.prepare(ctx); err != nil {
		return nil, repo.fail(ErrUnreachable, err, "preparing the mirror in the data directory: %v", err)
	}
	if !again {
		found, err := m.update(ctx, m.git, a, repo, remote, names, commits)
		if err == nil {
			return found, nil
		}
		tooLarge := errors.Is(err, ErrRepositoryTooLarge)
		if failure := repo.remoteFailure(err); failure != nil && !tooLarge {
			return nil, failure
		}
		if tooLarge {
			m.tidy() // of what the end of git left
		}
		m.all.o.Logger.Warn("fetching into the mirror failed, making it again",
			"repository", repo.URL, "error", repo.redact(err.Error()))
	}
	beside := m.git
	beside.dir = m.git.dir + ".new"
	defer os.RemoveAll(beside.dir)
	if err := m.initialize(ctx, beside); err != nil {
		return nil, repo.fail(ErrUnreachable, err, "making the mirror again: %v", err)
	}
	found, err := m.update(ctx, beside, a, repo, remote, names, commits)
	if errors.Is(err, ErrRepositoryTooLarge) {
		failure := repo.fail(ErrRepositoryTooLarge, nil, "its mirror needs more than the %d bytes that are allowed", m.all.o.MaxRepositorySize)
		m.tooLarge = &refusal{remote, failure}
		return nil, failure
	}
	if err != nil {
		if failure := repo.remoteFailure(err); failure != nil {
			return nil, failure
		}
		return nil, repo.fail(ErrUnreachable, nil, "%v", err)
	}
	if err := m.swap(beside.dir); err != nil {
		return nil, repo.fail(ErrUnreachable, err, "making the mirror again: %v", err)
	}
	return found, nil
}

// update fetches into p's directory and returns what is there then.
func (m *mirror) update(
	ctx context.Context, p program, a *access, repo Repository, remote *refs, names, commits []string,
) (*refs, error) {
	specs := []string{"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}
	var gone []string
	if _, ok := remote.ids["HEAD"]; ok {
		specs = append(specs, "+HEAD:"+headRef)
	} else {
		gone = append(gone, headRef)
	}
	for _, name := range names {
		if _, ok := remote.ids[name]; ok {
			specs = append(specs, "+"+name+":"+name)
		} else {
			gone = append(gone, name)
		}
	}
	args := append(fetchArgs(repo), "--prune", "--no-show-forced-updates", "--stdin", "--", a.url)
	bounded, stop := m.bound(ctx, p.dir)
	_, err := p.run(bounded, a.config, a.env, strings.NewReader(strings.Join(specs, "\n")+"\n"), args...)
	if over := stop(); over != nil {
		return nil, over
	}
	if err != nil {
		return nil, err
	}
	for _, name := range gone {
		if _, err := p.run(ctx, nil, nil, nil, "update-ref", "-d", name); err != nil {
			return nil, err
		}
	}
	target := remote.head
	if target == "" {
		target = noBranch
	}
	if head, err := os.ReadFile(filepath.Join(p.dir, "HEAD")); err != nil || string(head) != "ref: "+target+"\n" {
		if _, err := p.run(ctx, nil, nil, nil, "symbolic-ref", "HEAD", target); err != nil {
			return nil, err
		}
	}
	for _, commit := range commits {
		m.fetchCommit(ctx, p, a, repo, commit)
	}
	return m.readRefs(p, names)
}

func fetchArgs(repo Repository) []string {
	args := []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"}
	if repo.Depth > 0 {
		args = append(args, "--depth="+strconv.FormatInt(repo.Depth, 10))
	}
	return args
}

// fetchCommit asks for one commit by its id, which no reference may name. A refusal is remembered.
func (m *mirror) fetchCommit(ctx context.Context, p program, a *access, repo Repository, commit string) {
	if _, err := p.run(ctx, nil, nil, nil, "cat-file", "-e", commit+"^{commit}"); err == nil {
		return
	}
	bounded, stop := m.bound(ctx, p.dir)
	_, err := p.run(bounded, a.config, a.env, nil, append(fetchArgs(repo), "--", a.url, "+"+commit+":"+commitsPrefix+commit)...)
	if err = errors.Join(stop(), err); err == nil {
		return
	}
	m.all.o.Logger.Info("the server does not give a commit by its id",
		"repository", repo.URL, "commit", commit, "error", repo.redact(err.Error()))
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.absent) >= maxAbsent {
		clear(m.absent)
	}
	m.absent[commit] = m.all.o.Now()
}

// maxAbsent bounds the memory for commits that the remote does not have.
const maxAbsent = 1000

// stamp notes on disk that the mirror is in use, for the sweep.
func (m *mirror) stamp() {
	now := m.all.o.Now()
	if info, err := os.Stat(m.git.dir); err == nil && now.Sub(info.ModTime()) > time.Hour {
		os.Chtimes(m.git.dir, now, now) //nolint:errcheck // only costs a fetch later
	}
}

// missing reports whether an error says that a file is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
