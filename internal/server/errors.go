package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/fairlead-cd/fairlead/internal/auth"
)

var errNoCertificate = errors.New("there is no usable certificate in Secret argocd-secret or argocd-server-tls")

// code is a status code of gRPC, which clients read in error bodies.
type code int

// The codes that this server gives.
const (
	codeUnknown            code = 2
	codeInvalidArgument    code = 3
	codeNotFound           code = 5
	codePermissionDenied   code = 7
	codeResourceExhausted  code = 8
	codeFailedPrecondition code = 9
	codeAborted            code = 10
	codeUnimplemented      code = 12
	codeInternal           code = 13
	codeUnavailable        code = 14
	codeUnauthenticated    code = 16
)

// status is the HTTP status that stands for a code.
func (c code) status() int {
	switch c {
	case codeInvalidArgument, codeFailedPrecondition:
		return http.StatusBadRequest
	case codeNotFound:
		return http.StatusNotFound
	case codePermissionDenied:
		return http.StatusForbidden
	case codeResourceExhausted:
		return http.StatusTooManyRequests
	case codeAborted:
		return http.StatusConflict
	case codeUnimplemented:
		return http.StatusNotImplemented
	case codeUnavailable:
		return http.StatusServiceUnavailable
	case codeUnauthenticated:
		return http.StatusUnauthorized
	case codeUnknown, codeInternal:
		return http.StatusInternalServerError
	default:
		return http.StatusInternalServerError
	}
}

// apiError is an error whose text is meant for the caller.
type apiError struct {
	code    code
	message string
}

func (e *apiError) Error() string { return e.message }

func failure(c code, format string, args ...any) error {
	return &apiError{c, fmt.Sprintf(format, args...)}
}

// asAPIError says what the caller learns about an error. What nobody meant for callers becomes "internal error"; the
// whole of it stands in the log.
func asAPIError(err error) *apiError {
	var known *apiError
	var tooMany *auth.TooManyFailures
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, auth.ErrPermissionDenied):
		return &apiError{codePermissionDenied, err.Error()}
	case errors.Is(err, auth.ErrNoSession), errors.Is(err, auth.ErrInvalidLogin):
		return &apiError{codeUnauthenticated, err.Error()}
	case errors.As(err, &tooMany):
		return &apiError{codeResourceExhausted, err.Error()}
	case errors.As(err, &tooLarge):
		return &apiError{codeResourceExhausted, fmt.Sprintf("the request body is larger than %d bytes", tooLarge.Limit)}
	case apierrors.IsNotFound(err):
		return &apiError{codeNotFound, err.Error()}
	case apierrors.IsConflict(err):
		return &apiError{codeAborted, err.Error()}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return &apiError{codeInvalidArgument, err.Error()}
	case apierrors.IsServiceUnavailable(err), apierrors.IsTimeout(err), apierrors.IsServerTimeout(err), apierrors.IsTooManyRequests(err):
		return &apiError{codeUnavailable, "the cluster cannot answer now: " + err.Error()}
	case apierrors.IsForbidden(err):
		return &apiError{codePermissionDenied, "the control plane may not do this in the cluster: " + err.Error()}
	default:
		return &apiError{codeInternal, "internal error; the log of the server says more"}
	}
}

// unsupportedMediaError says that a body is not JSON.
type unsupportedMediaError struct{ kind string }

func (e *unsupportedMediaError) Error() string {
	return fmt.Sprintf("the content type %q is not supported; send application/json", e.kind)
}

// errorBody is the body of every error.
type errorBody struct {
	Error   string `json:"error"`
	Code    code   `json:"code"`
	Message string `json:"message"`
}

// writeError answers with an error.
func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := asAPIError(err)
	if e.code == codeInternal {
		s.options.Logger.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err.Error())
	}
	var media *unsupportedMediaError
	if errors.As(err, &media) {
		s.writeJSONStatus(w, r, http.StatusUnsupportedMediaType, errorBody{err.Error(), codeInvalidArgument, err.Error()})
		return
	}
	var tooMany *auth.TooManyFailures
	if errors.As(err, &tooMany) {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(tooMany.Wait.Seconds()))))
	}
	s.writeJSONStatus(w, r, e.code.status(), errorBody{e.message, e.code, e.message})
}

func (s *Server) writeJSON(w http.ResponseWriter, r *http.Request, body any) {
	s.writeJSONStatus(w, r, http.StatusOK, body)
}

func (s *Server) writeJSONStatus(w http.ResponseWriter, r *http.Request, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		s.options.Logger.Error("an answer cannot be encoded", "path", r.URL.Path, "error", err.Error())
		status, data = http.StatusInternalServerError, []byte(`{"error":"internal error","code":13,"message":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that has gone is no error
}
