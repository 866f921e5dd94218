package source

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// marks are pieces of git's and ssh's messages and the reason that they stand for; the first that occurs counts.
var marks = []struct {
	text   string
	reason error
}{
	{"authentication failed", ErrAuthentication},
	{"could not read username", ErrAuthentication},
	{"could not read password", ErrAuthentication},
	{"permission denied", ErrAuthentication},
	{"returned error: 401", ErrAuthentication},
	{"returned error: 403", ErrAuthentication},
	{"returned error: 404", ErrRepositoryNotFound},
	{"does not appear to be a git repository", ErrRepositoryNotFound},
	{"repository not found", ErrRepositoryNotFound},
	{"' not found", ErrRepositoryNotFound},
	{"no such file or directory", ErrRepositoryNotFound},
	{"unable to access", ErrUnreachable},
	{"could not resolve host", ErrUnreachable},
	{"connection refused", ErrUnreachable},
	{"connection reset", ErrUnreachable},
	{"connection timed out", ErrUnreachable},
	{"rpc failed", ErrUnreachable},
	{"early eof", ErrUnreachable},
	{"remote end hung up", ErrUnreachable},
	{"unexpected disconnect", ErrUnreachable},
	{"operation too slow", ErrUnreachable},
	{"returned error: 5", ErrUnreachable},
	{"expected flush after", ErrUnreachable},
	{"could not read from remote repository", ErrUnreachable},
}

// hints say what to do about a reason.
var hints = map[error]string{
	ErrAuthentication:     "check the credentials configured for this repository",
	ErrRepositoryNotFound: "check the URL, and that the credentials may read it",
}

// remoteFailure classifies the failure of a git program that talked to the remote. It returns nil when the messages do
// not blame the remote, and the mirror itself must be suspected.
func (r Repository) remoteFailure(err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return r.fail(ErrUnreachable, context.DeadlineExceeded, "the server did not answer in time")
	}
	if errors.Is(err, ErrClosed) {
		return r.fail(ErrUnreachable, ErrClosed, "shutting down")
	}
	var failed *gitError
	if !errors.As(err, &failed) {
		return nil
	}
	lower := strings.ToLower(failed.stderr)
	if strings.Contains(lower, "host key verification failed") {
		return r.fail(ErrUnreachable, nil, "the server's host key is not the one that is known, or none is; check the known hosts")
	}
	for _, mark := range marks {
		if strings.Contains(lower, mark.text) {
			detail := summary(failed.stderr)
			if hint := hints[mark.reason]; hint != "" {
				detail += "; " + hint
			}
			return r.fail(mark.reason, nil, "%s", detail)
		}
	}
	return nil
}

// statusFailure classifies an HTTP answer other than 200.
func (r Repository) statusFailure(status int) *Error {
	text := http.StatusText(status)
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return r.fail(ErrAuthentication, nil, "the server answers %d %s; %s", status, text, hints[ErrAuthentication])
	case http.StatusNotFound, http.StatusGone:
		return r.fail(ErrRepositoryNotFound, nil, "the server answers %d %s; %s", status, text, hints[ErrRepositoryNotFound])
	}
	return r.fail(ErrUnreachable, nil, "the server answers %d %s", status, text)
}
