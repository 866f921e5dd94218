package server

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/auth"
)

// cookieName is the cookie that holds the token of a session.
const cookieName = "argocd.token"

// guard is what every call passes before its handler: who calls, may they, and is the request of a shape that the call
// takes.
func (s *Server) guard(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		who, err := s.identify(req)
		if err == nil && !r.public {
			err = s.options.Policy.Decide(who.Identity, r.action)
		}
		if err != nil && !r.public {
			s.writeError(w, req, err)
			return
		}
		if err := s.shape(w, req, r); err != nil {
			s.writeError(w, req, err)
			return
		}
		if err := r.handle(w, req, who); err != nil {
			s.writeError(w, req, err)
		}
	})
}

// identify tells who calls. For a public call an error only means that nobody is known.
func (s *Server) identify(r *http.Request) (caller, error) {
	if s.options.DisableAuth {
		return caller{Identity: auth.Unrestricted(), known: true}, nil
	}
	token, fromCookie := tokenOf(r)
	id, err := s.options.Sessions.Verify(token)
	if errors.Is(err, auth.ErrNoSession) {
		return caller{}, err
	}
	if err != nil {
		return caller{}, failure(codeUnauthenticated, "%s", err)
	}
	if fromCookie {
		// A browser sends the cookie along with requests that other sites make it send.
		if err := http.NewCrossOriginProtection().Check(r); err != nil {
			return caller{}, failure(codePermissionDenied, "the request comes from another site")
		}
	}
	return caller{Identity: id, known: true, token: token}, nil
}

// tokenOf finds the token of a request, in its header before its cookie.
func tokenOf(r *http.Request) (token string, fromCookie bool) {
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest), false
	}
	if c, err := r.Cookie(cookieName); err == nil && c.Value != "" {
		return c.Value, true
	}
	return "", false
}

// shape refuses bodies that the call does not take. That bodies must be JSON also keeps forms of other sites out.
func (s *Server) shape(w http.ResponseWriter, r *http.Request, call route) error {
	if call.raw {
		return nil
	}
	if call.maxBody == 0 {
		r.Body = http.NoBody
	} else {
		r.Body = http.MaxBytesReader(w, r.Body, call.maxBody)
	}
	if r.Method != http.MethodPost {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return &unsupportedMediaError{kind}
	}
	return nil
}

// permit asks whether the caller may do this to this very Application. One that may not be seen looks like one that does
// not exist.
func (s *Server) permit(who caller, verb string, app *v1alpha1.Application) error {
	return s.options.Policy.Decide(who.Identity, auth.Action{Resource: "applications", Verb: verb, Object: s.objectName(app)})
}

// objectName names an Application as policies do: project/name, or project/namespace/name outside of the control
// plane's namespace.
func (s *Server) objectName(app *v1alpha1.Application) string {
	if app.Namespace == "" || app.Namespace == s.options.Namespace {
		return app.Spec.GetProject() + "/" + app.Name
	}
	return app.Spec.GetProject() + "/" + app.Namespace + "/" + app.Name
}

// securing sets the headers that tell browsers to be careful.
func (s *Server) securing(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "sameorigin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// recovering keeps a mistake in one call from ending the others.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				s.writeError(w, r, fmt.Errorf("panic: %v", p))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// deadline sets how long the rest of an answer may take.
func deadline(w http.ResponseWriter, at time.Time) {
	// A writer without deadlines, as in tests, has no slow clients either.
	_ = http.NewResponseController(w).SetWriteDeadline(at)
}
