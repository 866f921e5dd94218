package server

import (
	"net/http"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

// Plan is a plan as it is answered: its digest, which a sync can be asked
// to carry out, and its steps in order. Steps with the same stage may run at
// once.
type Plan struct {
	Digest    string     `json:"digest"`
	Revisions []string   `json:"revisions"`
	Steps     []PlanStep `json:"steps"`
}

// PlanStep is one step of a Plan.
type PlanStep struct {
	Stage     int         `json:"stage"`
	Phase     plan.Phase  `json:"phase"`
	Wave      int         `json:"wave"`
	Action    plan.Action `json:"action"`
	Group     string      `json:"group,omitempty"`
	Version   string      `json:"version,omitempty"`
	Kind      string      `json:"kind"`
	Namespace string      `json:"namespace,omitempty"`
	Name      string      `json:"name"`
	Fields    []string    `json:"fields,omitempty"`
	// Effect says in words what the next three say.
	Effect       string `json:"effect,omitempty"`
	Replaces     bool   `json:"replaces,omitempty"`
	RestartsPods bool   `json:"restartsPods,omitempty"`
	LosesData    bool   `json:"losesData,omitempty"`
}

// plan answers with what a sync of everything, with pruning, would do.
func (s *Server) plan(w http.ResponseWriter, r *http.Request, who caller) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	app, err := s.find(r.Context(), r.PathValue("name"), q.namespace, q.projects, who, "get")
	if err != nil {
		return err
	}
	live, err := s.live()
	if err != nil {
		return err
	}
	p, revisions, err := live.Plan(app)
	if err != nil {
		return liveError(err)
	}
	view := Plan{Digest: p.Digest(), Revisions: revisions, Steps: []PlanStep{}}
	for i, stage := range p.Stages {
		for _, step := range stage.Steps {
			name := step.Name
			if name == "" && step.Desired != nil {
				name = step.Desired.GetGenerateName()
			}
			view.Steps = append(view.Steps, PlanStep{
				Stage: i + 1, Phase: stage.Phase, Wave: stage.Wave, Action: step.Action, Group: step.Group, Version: step.Version,
				Kind: step.Kind, Namespace: step.Namespace, Name: name, Fields: step.Fields, Effect: step.Effect(),
				Replaces: step.Replaces(), RestartsPods: step.RestartsPods(), LosesData: step.LosesData(),
			})
		}
	}
	s.writeJSON(w, r, view)
	return nil
}
