package server

import (
	"io"
	"net/http"
)

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request, _ caller) error {
	return plain(w, "ok\n")
}

// readyz tells whether the server can answer from what it watches, and the process can do its work.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request, _ caller) error {
	if !s.options.Applications.HasSynced() {
		return failure(codeUnavailable, "the Applications are still being read")
	}
	if err := s.options.Ready(); err != nil {
		return failure(codeUnavailable, "%s", err)
	}
	return plain(w, "ok\n")
}

func plain(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
	return nil
}

// version tells strangers only the version itself.
func (s *Server) version(w http.ResponseWriter, r *http.Request, who caller) error {
	v := s.options.Version
	if !who.known {
		v = Version{Version: v.Version}
	}
	s.writeJSON(w, r, v)
	return nil
}
