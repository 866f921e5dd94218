package server

import (
	"net/http"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// syncWindow is a sync window as the API shows it with an Application.
type syncWindow struct {
	Kind       string `json:"kind"`
	Schedule   string `json:"schedule"`
	Duration   string `json:"duration"`
	ManualSync bool   `json:"manualSync"`
}

// syncWindows answers with the sync windows that concern an Application, and whether a person may sync it now.
func (s *Server) syncWindows(w http.ResponseWriter, r *http.Request, who caller) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	app, err := s.find(r.Context(), r.PathValue("name"), q.namespace, q.projects, who, "get")
	if err != nil {
		return err
	}
	windows, err := s.windowsOf(app)
	if err != nil {
		return err
	}
	now := s.options.Now()
	s.writeJSON(w, r, struct {
		Active   []syncWindow `json:"activeWindows,omitempty"`
		Assigned []syncWindow `json:"assignedWindows,omitempty"`
		CanSync  bool         `json:"canSync"`
	}{shown(windows.Active(now)), shown(windows), windows.Decide(now, tenancy.Sync{Manual: true}).Allowed()})
	return nil
}

func shown(windows tenancy.Windows) (out []syncWindow) {
	for _, window := range windows {
		spec := window.Spec()
		out = append(out, syncWindow{Kind: spec.Kind, Schedule: spec.Schedule, Duration: spec.Duration, ManualSync: spec.ManualSync})
	}
	return out
}

func (s *Server) windowsOf(app *v1alpha1.Application) (tenancy.Windows, error) {
	if s.options.Project == nil {
		return nil, nil
	}
	project, err := s.options.Project(app)
	if err != nil {
		return nil, failure(codeInvalidArgument, "%s", err)
	}
	return project.Windows(app), nil
}

// withinWindows refuses what a person asks for while a sync window forbids it.
func (s *Server) withinWindows(app *v1alpha1.Application) error {
	windows, err := s.windowsOf(app)
	if err != nil {
		return err
	}
	if verdict := windows.Decide(s.options.Now(), tenancy.Sync{Manual: true}); !verdict.Allowed() {
		return failure(codePermissionDenied, "cannot sync: blocked by sync window: held %s", verdict)
	}
	return nil
}
