package server

import (
	"net/http"
)

// resourceTree answers with the objects of an Application and what came of them.
func (s *Server) resourceTree(w http.ResponseWriter, r *http.Request, who caller) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	app, err := s.find(r.Context(), r.PathValue("name"), q.namespace, q.projects, who, "get")
	if err != nil {
		return err
	}
	if s.options.Tree == nil {
		return failure(codeUnavailable, "this process does not know what is live; ask one that runs the controller")
	}
	tree, err := s.options.Tree(app)
	if err != nil {
		return failure(codeUnavailable, "%s", err)
	}
	s.writeJSON(w, r, tree)
	return nil
}
