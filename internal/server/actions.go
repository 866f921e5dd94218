package server

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// actionRequest is the body of a request to run an action.
type actionRequest struct {
	Namespace    string `json:"namespace"`
	ResourceName string `json:"resourceName"`
	Version      string `json:"version"`
	Group        string `json:"group"`
	Kind         string `json:"kind"`
	Action       string `json:"action"`
	AppNamespace string `json:"appNamespace"`
	Project      string `json:"project"`
	Parameters   []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"resourceActionParameters"`
}

// listActions answers with the actions that an object offers.
func (s *Server) listActions(w http.ResponseWriter, r *http.Request, who caller) error {
	v := r.URL.Query()
	app, live, err := s.findLive(r.Context(), r.PathValue("name"), v, who, "get")
	if err != nil {
		return err
	}
	actions, err := live.ActionsOf(r.Context(), app, objectIn(v))
	if err != nil {
		return liveError(err)
	}
	s.writeJSON(w, r, struct {
		Actions []v1alpha1.ResourceAction `json:"actions,omitempty"`
	}{actions})
	return nil
}

// runAction runs an action whose object stands in the query and whose name is the body, as older clients ask for it.
func (s *Server) runAction(w http.ResponseWriter, r *http.Request, who caller) error {
	v := r.URL.Query()
	key := objectIn(v)
	q := actionRequest{
		Namespace: key.Namespace, ResourceName: key.Name, Group: key.Group, Kind: key.Kind,
		AppNamespace: v.Get("appNamespace"), Project: v.Get("project"),
	}
	if err := decode(r, &q.Action); err != nil {
		return err
	}
	return s.act(w, r, who, q)
}

// runActionV2 runs an action that stands in the body.
func (s *Server) runActionV2(w http.ResponseWriter, r *http.Request, who caller) error {
	var q actionRequest
	if err := decode(r, &q); err != nil {
		return err
	}
	return s.act(w, r, who, q)
}

func (s *Server) act(w http.ResponseWriter, r *http.Request, who caller, q actionRequest) error {
	if q.Action == "" {
		return failure(codeInvalidArgument, "name the action")
	}
	verb := fmt.Sprintf("action/%s/%s/%s", q.Group, q.Kind, q.Action)
	named := url.Values{"appNamespace": {q.AppNamespace}, "project": {q.Project}}
	app, live, err := s.findLive(r.Context(), r.PathValue("name"), named, who, verb)
	if err != nil {
		return err
	}
	act := application.Act{
		Key:  cluster.Key{Group: q.Group, Kind: q.Kind, Namespace: q.Namespace, Name: q.ResourceName},
		Name: q.Action, Params: make(map[string]string, len(q.Parameters)), By: who.Username,
	}
	for _, p := range q.Parameters {
		act.Params[p.Name] = p.Value
	}
	if err := live.RunAction(r.Context(), app, act); err != nil {
		return liveError(err)
	}
	s.writeJSON(w, r, struct{}{})
	return nil
}
