package chart

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/ask"
	"github.com/fairlead-cd/fairlead/internal/source/registry"
)

// helm is a Helm repository: an index over HTTP, and archives wherever it says.
type helm struct {
	s      *Store
	r      *repository
	client *http.Client
	record string // where the index is kept

	mu         sync.Mutex
	known      *index
	checked    time.Time // when the server last said that known is the index
	registries map[string]*registry.Client
}

func newHelm(s *Store, r *repository) (*helm, error) {
	client, err := r.repo.HTTPClient(s.o.Env)
	if err != nil {
		return nil, r.repo.Failure(source.ErrInvalidRepository, err, "%v", err)
	}
	client.Transport = ask.Patient{RoundTripper: client.Transport, Silence: s.o.Silence}
	return &helm{
		s: s, r: r, client: client, record: s.kept.Name("index", r.id), registries: map[string]*registry.Client{},
	}, nil
}

func (h *helm) close() {
	h.client.CloseIdleConnections()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.registries {
		c.Close()
	}
}

func (h *helm) versions(ctx context.Context, name string, maxAge time.Duration) ([]Version, time.Time, error) {
	x, at, err := h.index(ctx, maxAge)
	if err != nil {
		return nil, at, err
	}
	var all []Version
	for one := range x.all(name) {
		all = append(all, one.Version)
	}
	if len(all) == 0 {
		return nil, at, h.r.repo.Failure(source.ErrRevisionNotFound, nil, "the index lists no chart %s", name)
	}
	return newestFirst(all), at, nil
}

func (h *helm) names(ctx context.Context, maxAge time.Duration) ([]string, error) {
	x, _, err := h.index(ctx, maxAge)
	if err != nil {
		return nil, err
	}
	return x.names(), nil
}

func (h *helm) test(ctx context.Context) error {
	_, _, err := h.index(ctx, 0)
	return err
}

// locate finds the entry of a version: the one written so, else one that is equal as a semantic version, as 1.2.3 is to
// v1.2.3.
func (h *helm) locate(ctx context.Context, name, version string, maxAge time.Duration) (location, error) {
	x, _, err := h.index(ctx, maxAge)
	if err != nil {
		return location{}, err
	}
	var found entry
	listed := 0
	wanted, err := semver.NewVersion(version)
	for one := range x.all(name) {
		listed++
		if one.Version.Version == version {
			found = one
			break
		}
		if err == nil && found.url == "" {
			if v, bad := semver.NewVersion(one.Version.Version); bad == nil && v.Equal(wanted) {
				found = one
			}
		}
	}
	switch {
	case listed == 0:
		return location{}, h.r.repo.Failure(source.ErrRevisionNotFound, nil, "the index lists no chart %s", name)
	case found.url == "":
		return location{}, h.r.repo.Failure(source.ErrRevisionNotFound, nil, "the index lists no version %s of chart %s", version, name)
	}
	address, err := h.address(found.url)
	if err != nil {
		return location{}, err
	}
	at := location{Version: found.Version.Version, Digest: found.Digest, URL: address}
	if scheme(address) == "oci" {
		return h.locateInRegistry(ctx, name, at)
	}
	return at, nil
}

// address makes an absolute URL out of one of the index, which is relative to the repository.
func (h *helm) address(reference string) (string, error) {
	base, err := url.Parse(h.r.repo.URL)
	target, bad := url.Parse(reference)
	if err != nil || bad != nil {
		return "", h.r.repo.Failure(source.ErrDamaged, nil, "the index names an archive by what is no URL")
	}
	if !target.IsAbs() {
		query := base.RawQuery
		base.Path, base.RawPath = base.Path+"/", ""
		target = base.ResolveReference(target)
		target.RawQuery = query
	}
	switch target.Scheme {
	case "http", "https", "oci":
		target.User = nil
		return target.String(), nil
	}
	return "", h.r.repo.Failure(source.ErrDamaged, nil, "the index names an archive by the scheme %q; https, http and oci are read", target.Scheme)
}

func (h *helm) fetch(ctx context.Context, name string, at location) ([]byte, error) {
	if scheme(at.URL) == "oci" {
		return h.fetchFromRegistry(ctx, name, at)
	}
	return ask.Retry(ctx, h.s.asking(), func(ctx context.Context) (data []byte, err error) {
		began := h.s.o.Now()
		defer func() { h.s.report(h.r.repo, "archive", began, false, err) }()
		resp, err := h.get(ctx, at.URL, header{}, "downloading chart "+name+" "+at.Version)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			failure := h.r.repo.StatusFailure(resp.StatusCode)
			failure.Detail = "downloading chart " + name + " " + at.Version + ": " + failure.Detail
			return nil, failure
		}
		limit := h.s.o.MaxArchive
		data, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
		switch {
		case int64(len(data)) > limit || resp.ContentLength > limit:
			return nil, h.r.repo.Failure(source.ErrTooLarge, nil, "the archive of chart %s %s has more than %d bytes", name, at.Version, limit)
		case err != nil:
			return nil, h.explain(ctx, err, "downloading chart "+name+" "+at.Version)
		}
		return data, nil
	})
}

// index gives the index, at most maxAge old, and when the server was asked for it.
func (h *helm) index(ctx context.Context, maxAge time.Duration) (*index, time.Time, error) {
	h.mu.Lock()
	h.recall()
	x, at := h.known, h.checked
	h.mu.Unlock()
	if x != nil && maxAge > 0 && h.s.o.Now().Sub(at) <= maxAge {
		return x, at, nil
	}
	asked := h.s.o.Now()
	x, err := h.s.indexes.Do(ctx, h.record, maxAge > 0, h.refresh)
	return x, asked, err
}

// recall reads the kept index where none is in memory. It wants the lock.
func (h *helm) recall() {
	if h.known != nil {
		return
	}
	raw, err := h.s.kept.Load(h.record)
	if err != nil {
		return
	}
	x, err := unmarshalIndex(raw)
	if err != nil {
		h.s.o.Logger.Warn("a kept index cannot be read and is fetched again", "repository", h.r.repo.URL, "error", err)
		h.s.kept.Remove(h.record)
		return
	}
	h.known = x
}

// refresh asks the server whether the index has changed.
func (h *helm) refresh(ctx context.Context) (_ *index, err error) {
	began, unchanged := h.s.o.Now(), false
	defer func() { h.s.report(h.r.repo, "index", began, unchanged, err) }()
	h.mu.Lock()
	h.recall()
	old := h.known
	h.mu.Unlock()
	var condition header
	if old != nil {
		condition = old.header
	}
	resp, err := h.get(ctx, h.indexURL(), condition, "reading the index")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && old != nil:
		unchanged = true
		h.set(old, began)
		return old, nil
	case resp.StatusCode != http.StatusOK:
		failure := h.r.repo.StatusFailure(resp.StatusCode)
		failure.Detail = "reading index.yaml: " + failure.Detail
		return nil, failure
	}
	x, err := h.read(ctx, resp)
	if err != nil {
		return nil, err
	}
	h.set(x, began)
	if raw, err := x.marshal(); err == nil {
		h.s.kept.Save(h.record, raw)
	}
	return x, nil
}

func (h *helm) set(x *index, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known, h.checked = x, at
}

// read parses the index as it comes.
func (h *helm) read(ctx context.Context, resp *http.Response) (*index, error) {
	said := header{ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified")}
	body := &bounded{r: resp.Body, left: h.s.o.MaxIndex}
	var seen bytes.Buffer // the beginning, in case that it must be read in another way
	encoded, err := parseIndex(io.TeeReader(body, &firstBytes{&seen}))
	if errors.Is(err, errUnusual) && resp.ContentLength <= maxUnusual {
		rest, readErr := io.ReadAll(io.LimitReader(body, maxUnusual+1))
		if readErr == nil && seen.Len() <= maxUnusual && seen.Len()+len(rest) <= maxUnusual {
			encoded, err = parseUnusual(append(seen.Bytes(), rest...))
		}
	}
	switch {
	case err == nil:
		return encoded.index(said), nil
	case body.left < 0:
		return nil, h.r.repo.Failure(source.ErrTooLarge, nil, "index.yaml has more than %d bytes", h.s.o.MaxIndex)
	case body.err != nil:
		return nil, h.explain(ctx, body.err, "reading the index")
	case errors.Is(err, source.ErrTooLarge):
		return nil, h.r.repo.Failure(source.ErrTooLarge, nil, "index.yaml: %v", err)
	}
	return nil, h.r.repo.Failure(source.ErrDamaged, nil, "index.yaml is not the index of a Helm repository: %v; check the URL", err)
}

func (h *helm) indexURL() string {
	u, err := url.Parse(h.r.repo.URL)
	if err != nil {
		return h.r.repo.URL
	}
	return u.JoinPath("index.yaml").String()
}

// get sends a request, with the credentials where they belong.
func (h *helm) get(ctx context.Context, address string, condition header, doing string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, h.explain(ctx, err, doing)
	}
	r.Header.Set("User-Agent", userAgent)
	h.r.repo.Authorize(r)
	if condition.ETag != "" {
		r.Header.Set("If-None-Match", condition.ETag)
	}
	if condition.LastModified != "" {
		r.Header.Set("If-Modified-Since", condition.LastModified)
	}
	resp, err := h.client.Do(r)
	if err != nil {
		return nil, h.explain(ctx, err, doing)
	}
	return resp, nil
}

const userAgent = "fairlead"

// explain turns an error on the way to the server into one for the user.
func (h *helm) explain(ctx context.Context, err error, doing string) error {
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return h.r.repo.Failure(source.ErrUnreachable, cause, "%s: the server did not answer in time", doing)
		}
		return h.r.repo.Failure(source.ErrUnreachable, cause, "%s: %v", doing, cause)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the address, which may be a signed one
	}
	text := strings.TrimPrefix(err.Error(), "net/http: ")
	return h.r.repo.Failure(source.ErrUnreachable, nil, "%s: %s", doing, text)
}

// bounded fails when more than left bytes are read, and remembers what went wrong.
type bounded struct {
	r    io.Reader
	left int64
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, source.ErrTooLarge
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, source.ErrTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// firstBytes keeps what is written up to a little more than maxUnusual.
type firstBytes struct{ kept *bytes.Buffer }

func (f *firstBytes) Write(p []byte) (int, error) {
	if f.kept.Len() <= maxUnusual {
		f.kept.Write(p)
	}
	return len(p), nil
}
