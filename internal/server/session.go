package server

import "net/http"

type sessionRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type sessionResponse struct {
	Token string `json:"token,omitempty"`
}

// createSession logs in with a password.
func (s *Server) createSession(w http.ResponseWriter, r *http.Request, _ caller) error {
	var q sessionRequest
	if err := decode(r, &q); err != nil {
		return err
	}
	if q.Username == "" || q.Password == "" {
		return failure(codeUnauthenticated, "no credentials supplied")
	}
	token, err := s.options.Sessions.Login(q.Username, q.Password, r.RemoteAddr)
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(token, 0))
	s.writeJSON(w, r, sessionResponse{Token: token})
	return nil
}

// deleteSession logs out. It works for anybody, so that a client with a token that no longer counts gets rid of it.
func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request, who caller) error {
	if who.known {
		s.options.Sessions.Revoke(who.Identity)
	}
	http.SetCookie(w, s.cookie("", -1))
	s.writeJSON(w, r, sessionResponse{})
	return nil
}

func (s *Server) cookie(token string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure follows from what the server speaks; over plain HTTP browsers would drop it
		Name: cookieName, Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: !s.options.Insecure, SameSite: http.SameSiteLaxMode,
	}
}

type userInfo struct {
	LoggedIn bool     `json:"loggedIn,omitempty"`
	Username string   `json:"username,omitempty"`
	Issuer   string   `json:"iss,omitempty"`
	Groups   []string `json:"groups,omitempty"`
}

// userInfo tells callers who they are; without a session it says that they are logged out.
func (s *Server) userInfo(w http.ResponseWriter, r *http.Request, who caller) error {
	var info userInfo
	if who.Issuer != "" {
		info = userInfo{LoggedIn: true, Username: who.Username, Issuer: who.Issuer, Groups: who.Groups}
	}
	s.writeJSON(w, r, info)
	return nil
}
