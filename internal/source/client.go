package source

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer bounds the answer of an API that belongs to a Git server, in bytes.
const maxAnswer = 1 << 20

// clientFor gives a client for an address that is not the repository itself: the API of its server, or a store of
// objects. On another host than the repository's, the system's authorities are trusted besides the repository's, and
// the client certificate is not shown. Close its idle connections when done.
func (m *Mirrors) clientFor(repo Repository, address string) (*http.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the address is no URL that begins with https:// or http://")
	}
	elsewhere := !sameHost(repo.URL, address)
	if elsewhere {
		repo.TLSClientCert, repo.TLSClientKey = nil, nil
	}
	client, err := repo.HTTPClient(m.o.Env)
	if err != nil {
		return nil, err
	}
	if elsewhere && len(repo.CAData) > 0 {
		if pool, err := x509.SystemCertPool(); err == nil && pool.AppendCertsFromPEM(repo.CAData) {
			client.Transport.(*http.Transport).TLSClientConfig.RootCAs = pool
		}
	}
	return client, nil
}

// readJSON reads the answer of an API. An answer with another status than want gives a *statusError.
func readJSON(resp *http.Response, want int, into any) error {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode != want:
		return &statusError{resp.StatusCode, messageOf(body)}
	case err != nil:
		return fmt.Errorf("reading the answer: %w", err)
	case len(body) > maxAnswer:
		return fmt.Errorf("reading the answer: it has more than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return errors.New("the answer is not the JSON that was expected")
	}
	return nil
}

// messageOf is what the JSON of a refusal says, cut to what one can read.
func messageOf(body []byte) string {
	var answer struct {
		Message     string `json:"message"`
		Error       any    `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	text := answer.Message
	if text == "" {
		text = answer.Description
	}
	if s, ok := answer.Error.(string); ok && text == "" {
		text = s
	}
	text = strings.Join(strings.Fields(text), " ")
	return text[:min(len(text), 300)]
}

// statusError is an answer with another status than was expected.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answers %d %s", e.status, http.StatusText(e.status))
	if e.message != "" {
		text += ": " + e.message
	}
	return text
}

// reason is what the status stands for.
func (e *statusError) reason() error {
	switch {
	case e.status == http.StatusTooManyRequests || e.status >= 500:
		return ErrUnreachable
	case e.status == http.StatusNotFound || e.status == http.StatusGone:
		return ErrRepositoryNotFound
	}
	return ErrAuthentication
}

// withoutURL takes the address out of an error of an HTTP client.
func withoutURL(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}
