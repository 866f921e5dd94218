package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/fairlead-cd/fairlead/internal/source"
)

// explain turns an error of the registry or on the way to it into one for the user.
func (c *Client) explain(ctx context.Context, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	var known *source.Error
	if errors.As(err, &known) {
		return known
	}
	doing := fmt.Sprintf(format, args...)
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return c.repo.Failure(source.ErrUnreachable, cause, "%s: the registry did not answer in time", doing)
		}
		return c.repo.Failure(source.ErrUnreachable, cause, "%s: %v", doing, cause)
	}
	var answer *errcode.ErrorResponse
	switch {
	case errors.As(err, &answer):
		return c.status(answer, doing)
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return c.repo.Failure(source.ErrAuthentication, nil,
			"%s: the registry wants credentials, and none are configured for this repository", doing)
	case errors.Is(err, errdef.ErrNotFound):
		return c.repo.Failure(source.ErrRevisionNotFound, nil, "%s: there is nothing of that name", doing)
	case errors.Is(err, errdef.ErrTooManyPages), errors.Is(err, errdef.ErrSizeExceedsLimit):
		return c.repo.Failure(source.ErrTooLarge, nil, "%s: the registry sends more than is allowed", doing)
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData):
		return c.repo.Failure(source.ErrDamaged, nil, "%s: the content is not what its digest says", doing)
	case errors.Is(err, errPlain):
		return c.repo.Failure(source.ErrInvalidRepository, nil, "%s: %v; mark the repository insecureOCIForceHttp to allow it", doing, errPlain)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the address, which may be a signed one
	}
	return c.repo.Failure(source.ErrUnreachable, nil, "%s: %v", doing, err)
}

func (c *Client) status(answer *errcode.ErrorResponse, doing string) error {
	said := http.StatusText(answer.StatusCode)
	if len(answer.Errors) > 0 {
		said = answer.Errors[0].Code
	}
	reason := source.ErrUnreachable
	hint := ""
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		reason, hint = source.ErrAuthentication, "; check the credentials configured for this repository"
	case http.StatusNotFound, http.StatusGone:
		reason = source.ErrRevisionNotFound
		if len(answer.Errors) > 0 && answer.Errors[0].Code == errcode.ErrorCodeNameUnknown {
			reason, hint = source.ErrRepositoryNotFound, "; check the URL and the chart's name"
		}
	}
	return c.repo.Failure(reason, nil, "%s: the registry answers %d %s%s", doing, answer.StatusCode, said, hint)
}
