package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// fetch asks the server. It gives what is known afterwards.
func (s *Store) fetch(ctx context.Context, repo source.Repository, address *url.URL, before *file) *file {
	out := &file{tried: s.o.Now()}
	if before != nil && before.found {
		out.content, out.found, out.verified = before.content, true, before.verified
		out.etag, out.modified = before.etag, before.modified
	}
	if err := s.ask(ctx, repo, address, out); err != nil {
		out.err = s.explain(ctx, repo, err)
		if !errors.Is(out.err, source.ErrUnreachable) {
			out.content, out.found = nil, false // the server says that it is no more
		}
	}
	return out
}

// ask makes one request, and brings f up to date.
func (s *Store) ask(ctx context.Context, repo source.Repository, address *url.URL, f *file) error {
	client, err := repo.HTTPClient(s.o.Env)
	if err != nil {
		return repo.Failure(source.ErrInvalidRepository, nil, "%v", err)
	}
	defer client.CloseIdleConnections()
	if err := s.guard(client); err != nil {
		return err
	}
	if err := allowed(address.Hostname()); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "fairlead")
	if f.found && f.etag != "" {
		request.Header.Set("If-None-Match", f.etag)
	}
	if f.found && f.modified != "" {
		request.Header.Set("If-Modified-Since", f.modified)
	}
	repo.Authorize(request)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotModified && f.found:
		f.verified = s.o.Now()
		return nil
	case response.StatusCode != http.StatusOK:
		return repo.StatusFailure(response.StatusCode)
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, s.o.MaxFile+1))
	if err != nil {
		return err
	}
	if int64(len(content)) > s.o.MaxFile {
		return repo.Failure(source.ErrTooLarge, nil, "the file has more than %d bytes", s.o.MaxFile)
	}
	f.content, f.found, f.verified = content, true, s.o.Now()
	f.etag, f.modified = response.Header.Get("ETag"), response.Header.Get("Last-Modified")
	return nil
}

// guard has the client look at every address that it connects to, and at those that a proxy is asked for.
func (s *Store) guard(client *http.Client) error {
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		return errors.New("the client has no transport whose connections could be guarded")
	}
	transport.DialContext = (&net.Dialer{
		Timeout: 15 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return err
			}
			return allowed(host)
		},
	}).DialContext
	follow := client.CheckRedirect
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if err := allowed(r.URL.Hostname()); err != nil {
			return err
		}
		return follow(r, via)
	}
	return nil
}

// errLinkLocal is for addresses at which no file lies that a source could want. There is no setting that allows them:
// whoever may write a source would get the credentials of the machine.
var errLinkLocal = errors.New("addresses local to the link, where clouds hand out credentials of machines, are refused")

// allowed looks at a host that is an address. Names are looked at when they have been resolved.
func allowed(host string) error {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil //nolint:nilerr // a name
	}
	ip = ip.WithZone("").Unmap()
	if ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip == netip.MustParseAddr("fd00:ec2::254") {
		return fmt.Errorf("%s: %w", ip, errLinkLocal)
	}
	return nil
}

// explain turns an error on the way to the server into one for the user.
func (s *Store) explain(ctx context.Context, repo source.Repository, err error) error {
	var known *source.Error
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, errLinkLocal) {
		return repo.Failure(source.ErrInvalidRepository, err, "%v", errLinkLocal)
	}
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return repo.Failure(source.ErrUnreachable, err, "the server did not give the file within %s", s.o.Timeout)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the address, which the user knows and which may have a secret in its query
	}
	return repo.Failure(source.ErrUnreachable, nil, "%v", err)
}
