package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const lfsMediaType = "application/vnd.git-lfs+json"

// lfsServer is where objects are asked for, with the headers that let us.
type lfsServer struct {
	url    string
	header map[string]string
}

// lfsAction says how one object is downloaded.
type lfsAction struct {
	Href   string            `json:"href"`
	Header map[string]string `json:"header"`
}

// lfsDownload asks the LFS server where an object is, and gets it.
func (m *mirror) lfsDownload(ctx context.Context, repo Repository, stated string, p pointer) ([]byte, error) {
	server, err := m.lfsServer(ctx, repo, stated)
	if err != nil {
		return nil, err
	}
	action, err := m.lfsBatch(ctx, repo, server, p)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(server.url, "https:") && !strings.HasPrefix(action.Href, "https:") {
		return nil, repo.fail(ErrLFS, nil, "the LFS server sends to an address without encryption")
	}
	return m.lfsGet(ctx, repo, action, p)
}

func (m *mirror) lfsServer(ctx context.Context, repo Repository, stated string) (lfsServer, error) {
	if !repo.overHTTP() {
		return m.lfsBySSH(ctx, repo)
	}
	server := lfsServer{url: stated, header: map[string]string{}}
	if stated == "" {
		server.url = strings.TrimSuffix(repo.URL, ".git") + ".git/info/lfs"
	}
	if value := repo.authorization(); value != "" {
		server.header["Authorization"] = value
	}
	return server, nil
}

// lfsBatch asks for one object by the batch API.
func (m *mirror) lfsBatch(ctx context.Context, repo Repository, server lfsServer, p pointer) (lfsAction, error) {
	object := map[string]any{"oid": p.oid, "size": p.size}
	body, err := json.Marshal(map[string]any{
		"operation": "download", "transfers": []string{"basic"}, "hash_algo": "sha256", "objects": []any{object},
	})
	if err != nil {
		return lfsAction{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, m.all.o.PollTimeout)
	defer cancel()
	resp, err := m.lfsSend(ctx, repo, http.MethodPost, server.url+"/objects/batch", server.header, body)
	if err != nil {
		return lfsAction{}, err
	}
	var answer struct {
		Transfer string `json:"transfer"`
		Objects  []struct {
			OID           string               `json:"oid"`
			Authenticated bool                 `json:"authenticated"`
			Actions       map[string]lfsAction `json:"actions"`
			Error         *struct {
				Code    int    `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		} `json:"objects"`
	}
	if err := readJSON(resp, http.StatusOK, &answer); err != nil {
		return lfsAction{}, repo.lfsFailure(ctx, err)
	}
	for _, o := range answer.Objects {
		action, ok := o.Actions["download"]
		switch {
		case o.OID != p.oid:
			continue
		case o.Error != nil:
			return lfsAction{}, repo.fail(ErrLFS, nil, "the LFS server says: %d %.300s", o.Error.Code, o.Error.Message)
		case !ok || answer.Transfer != "" && answer.Transfer != "basic":
			return lfsAction{}, repo.fail(ErrLFS, nil, "the LFS server offers no plain download")
		}
		if !o.Authenticated && !hasHeader(action.Header, "Authorization") && sameHost(server.url, action.Href) {
			if value := server.header["Authorization"]; value != "" {
				if action.Header == nil {
					action.Header = map[string]string{}
				}
				action.Header["Authorization"] = value
			}
		}
		return action, nil
	}
	return lfsAction{}, repo.fail(ErrLFS, nil, "the answer of the LFS server does not name it")
}

func hasHeader(header map[string]string, name string) bool {
	for key := range header {
		if strings.EqualFold(key, name) {
			return true
		}
	}
	return false
}

// lfsGet downloads an object. A server that falls silent is given up.
func (m *mirror) lfsGet(ctx context.Context, repo Repository, action lfsAction, p pointer) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(m.all.o.PollTimeout, func() { cancel(context.DeadlineExceeded) })
	defer silence.Stop()
	resp, err := m.lfsSend(ctx, repo, http.MethodGet, action.Href, action.Header, nil) //nolint:bodyclose // closed below
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, repo.lfsFailure(ctx, &statusError{status: resp.StatusCode})
	}
	data, err := readObject(readerFunc(func(b []byte) (int, error) {
		silence.Reset(m.all.o.PollTimeout)
		return resp.Body.Read(b)
	}), p)
	if err != nil {
		return nil, repo.lfsFailure(ctx, fmt.Errorf("%w: %w", errTransport, err))
	}
	return data, nil
}

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func (m *mirror) lfsSend(
	ctx context.Context, repo Repository, method, address string, header map[string]string, body []byte,
) (*http.Response, error) {
	client, err := m.all.clientFor(repo, address)
	if err != nil {
		return nil, repo.fail(ErrLFS, nil, "the LFS server: %v", err)
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, repo.fail(ErrLFS, nil, "the address that the LFS server gives cannot be used")
	}
	for key, value := range header {
		r.Header.Set(key, value)
	}
	r.Header.Set("User-Agent", userAgent)
	if body != nil {
		r.Header.Set("Content-Type", lfsMediaType)
		r.Header.Set("Accept", lfsMediaType)
	}
	resp, err := client.Do(r)
	if err != nil {
		client.CloseIdleConnections()
		return nil, repo.lfsFailure(ctx, fmt.Errorf("%w: %w", errTransport, withoutURL(err)))
	}
	resp.Body = &lastBody{resp.Body, client}
	return resp, nil
}

// lastBody closes the connections of a client that was made for one request.
type lastBody struct {
	io.ReadCloser
	client *http.Client
}

// Close implements io.Closer.
func (b *lastBody) Close() error {
	err := b.ReadCloser.Close()
	b.client.CloseIdleConnections()
	return err
}

// lfsFailure turns an error on the way to the LFS server into one for the user.
func (r Repository) lfsFailure(ctx context.Context, err error) *Error {
	var status *statusError
	switch {
	case context.Cause(ctx) != nil:
		return r.fail(ErrUnreachable, context.Cause(ctx), "the LFS server did not answer in time")
	case errors.As(err, &status) && errors.Is(status.reason(), ErrRepositoryNotFound):
		return r.fail(ErrLFS, nil, "asking the LFS server: %v; is LFS switched on there?", err)
	case errors.As(err, &status):
		return r.fail(status.reason(), nil, "asking the LFS server: %v", err)
	case errors.Is(err, errTransport):
		return r.fail(ErrUnreachable, nil, "asking the LFS server: %v", err)
	}
	return r.fail(ErrLFS, nil, "asking the LFS server: %v", err)
}
