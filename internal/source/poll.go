package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxListing bounds the list of references that a server may send, in bytes.
const maxListing = 128 << 20

// userAgent begins as git's does, because some servers treat other clients as browsers.
const userAgent = "git/2.39 (fairlead)"

// lister asks one HTTP server for the references of one repository. It is not safe for concurrent use.
type lister struct {
	client *http.Client
	// base is where the repository was found after redirects, once a version 2 answer has come from there; then the
	// next poll is one request.
	base string
}

// newLister prepares the connection; it reads nothing.
func newLister(repo Repository, env []string) (*lister, error) {
	client, err := repo.HTTPClient(env)
	if err != nil {
		return nil, err
	}
	return &lister{client: client}, nil
}

func (l *lister) close() { l.client.CloseIdleConnections() }

// list asks for HEAD, branches, tags and the extra references.
func (l *lister) list(ctx context.Context, repo Repository, extra []string) (*refs, error) {
	if l.base != "" {
		found, err := l.lsRefs(ctx, repo, extra)
		if err == nil {
			return found, nil
		}
		l.base = "" // it may have moved, or be another server by now: find out anew
		if ctx.Err() != nil || errors.Is(err, ErrAuthentication) || errors.Is(err, ErrUnreachable) {
			return nil, err
		}
	}
	resp, err := l.send(ctx, repo, http.MethodGet, repo.URL+"/info/refs?service=git-upload-pack", "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, repo.statusFailure(resp.StatusCode)
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/x-git-upload-pack-advertisement") {
		return nil, repo.fail(ErrRepositoryNotFound, nil,
			"the address answers with %q instead of git's protocol; check the URL, many servers want .git at its end", kind)
	}
	found, err := readAdvertisement(io.LimitReader(resp.Body, maxListing), extra)
	if !errors.Is(err, errVersion2) {
		return found, l.explain(ctx, repo, err)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxPacket)); err != nil {
		return nil, l.explain(ctx, repo, err)
	}
	final := resp.Request.URL
	l.base = final.Scheme + "://" + final.Host + strings.TrimSuffix(final.EscapedPath(), "/info/refs")
	return l.lsRefs(ctx, repo, extra)
}

func (l *lister) lsRefs(ctx context.Context, repo Repository, extra []string) (*refs, error) {
	resp, err := l.send(ctx, repo, http.MethodPost, l.base+"/git-upload-pack", string(lsRefsRequest(extra)))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, repo.statusFailure(resp.StatusCode)
	}
	found, err := readLsRefs(io.LimitReader(resp.Body, maxListing), extra)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxPacket)) // so that the connection is kept
	}
	return found, l.explain(ctx, repo, err)
}

func (l *lister) send(ctx context.Context, repo Repository, method, address, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, l.explain(ctx, repo, err)
	}
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Git-Protocol", "version=2")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		r.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	if value := repo.authorization(); value != "" && sameHost(repo.URL, address) {
		r.Header.Set("Authorization", value)
	}
	resp, err := l.client.Do(r)
	return resp, l.explain(ctx, repo, err)
}

// explain turns an error on the way to the server into one for the user.
func (l *lister) explain(ctx context.Context, repo Repository, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return repo.fail(ErrUnreachable, cause, "the server did not answer in time")
		}
		return repo.fail(ErrUnreachable, cause, "%v", cause)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the address, which the user knows
	}
	return repo.fail(ErrUnreachable, nil, "listing references: %v", err)
}

// lsRemote lists references by git, for the transports that the lister does not speak.
func lsRemote(ctx context.Context, p program, repo Repository, access *access, extra []string) (*refs, error) {
	p.dir = ""
	out, err := p.run(ctx, access.config, access.env, nil, "ls-remote", "--symref", "--quiet", "--", access.url)
	if err != nil {
		if failure := repo.remoteFailure(err); failure != nil {
			return nil, failure
		}
		return nil, repo.fail(ErrUnreachable, nil, "listing references: %v", err)
	}
	found := newRefs()
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if target, ok := strings.CutPrefix(line, "ref: "); ok {
			if target, ok := strings.CutSuffix(target, "\tHEAD"); ok {
				found.head = target
			}
			continue
		}
		if err := found.addLine(strings.Replace(line, "\t", " ", 1), extra); err != nil {
			return nil, fmt.Errorf("listing references: %w", err)
		}
	}
	return found, nil
}
