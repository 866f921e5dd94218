package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"k8s.io/client-go/util/retry"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// historyID is the id of an entry of the history, as a number or as text.
type historyID int64

// UnmarshalJSON reads either form.
func (i *historyID) UnmarshalJSON(data []byte) error {
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("an id of the history is no number: %w", err)
	}
	v, err := n.Int64()
	*i = historyID(v)
	return err
}

// rollback sets the operation that brings an Application back to an entry of its history. While syncs are automated that
// would be undone at once; see pin.
func (s *Server) rollback(w http.ResponseWriter, r *http.Request, who caller) error {
	var q struct {
		target
		ID     historyID `json:"id"`
		DryRun bool      `json:"dryRun"`
		Prune  bool      `json:"prune"`
	}
	if err := decode(r, &q); err != nil {
		return err
	}
	var rolled *v1alpha1.Application
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		app, err := s.find(r.Context(), r.PathValue("name"), q.namespace(r), q.projects(), who, "sync")
		if err != nil {
			return err
		}
		entry, err := rollbackTo(app, int64(q.ID))
		if err != nil {
			return err
		}
		if err := s.withinWindows(app); err != nil {
			return err
		}
		operation := &v1alpha1.Operation{Sync: entry.SyncTo(app.Spec.SyncPolicy), InitiatedBy: v1alpha1.OperationInitiator{Username: who.Username}}
		operation.Sync.DryRun, operation.Sync.Prune = q.DryRun, q.Prune
		rolled, err = s.setOperation(r, app, operation)
		return err
	})
	if err != nil {
		return err
	}
	s.options.Logger.Info("a rollback was asked for", "application", rolled.Name, "namespace", rolled.Namespace, "id", int64(q.ID), "by", who.Username)
	s.writeJSON(w, r, rolled)
	return nil
}

func rollbackTo(app *v1alpha1.Application, id int64) (*v1alpha1.RevisionHistory, error) {
	switch {
	case app.DeletionTimestamp != nil:
		return nil, failure(codeFailedPrecondition, "application is deleting")
	case app.Spec.SyncPolicy.IsAutomated():
		return nil, failure(codeFailedPrecondition, "rollback cannot be initiated when auto-sync is enabled")
	case app.Operation != nil, running(app):
		return nil, failure(codeFailedPrecondition, "another operation is already in progress; wait until it is done, or end it")
	}
	return deploymentOf(app, id)
}

func deploymentOf(app *v1alpha1.Application, id int64) (*v1alpha1.RevisionHistory, error) {
	entry := app.Status.History.Find(id)
	if entry == nil {
		return nil, failure(codeInvalidArgument, "application %s does not have deployment with id %d", app.Name, id)
	}
	return entry, nil
}

// pin holds an Application at a revision or an entry of its history, also while syncs are automated: without either at
// what it was before the present one.
func (s *Server) pin(w http.ResponseWriter, r *http.Request, who caller) error {
	var q struct {
		target
		ID       *historyID `json:"id"`
		Revision string     `json:"revision"`
		Reason   string     `json:"reason"`
	}
	if err := decode(r, &q); err != nil {
		return err
	}
	pinned, err := s.annotate(r, q.target, who, func(app *v1alpha1.Application) (map[string]any, error) {
		at := q.Revision
		switch {
		case q.ID != nil && at != "":
			return nil, failure(codeInvalidArgument, "give an id of the history or a revision, not both")
		case q.ID != nil:
			if _, err := deploymentOf(app, int64(*q.ID)); err != nil {
				return nil, err
			}
			at = strconv.FormatInt(int64(*q.ID), 10)
		case at == "":
			before := app.Status.GoodBefore()
			if before == nil {
				return nil, failure(codeFailedPrecondition, "the history holds nothing to go back to; give a revision")
			}
			at = strconv.FormatInt(before.ID, 10)
		}
		return v1alpha1.PinAnnotations(at, who.Username, q.Reason), nil
	})
	if err != nil {
		return err
	}
	s.options.Logger.Info("an Application was pinned", "application", pinned.Name, "namespace", pinned.Namespace,
		"at", pinned.Annotations[v1alpha1.AnnotationPin], "by", who.Username)
	s.writeJSON(w, r, pinned)
	return nil
}

// unpin lets an Application go back to its target revision.
func (s *Server) unpin(w http.ResponseWriter, r *http.Request, who caller) error {
	q := target{Project: r.URL.Query().Get("project")}
	unpinned, err := s.annotate(r, q, who, func(app *v1alpha1.Application) (map[string]any, error) {
		if app.Annotations[v1alpha1.AnnotationPin] == "" {
			return nil, failure(codeFailedPrecondition, "the Application is not pinned")
		}
		return v1alpha1.NoPinAnnotations(), nil
	})
	if err != nil {
		return err
	}
	s.options.Logger.Info("an Application was unpinned", "application", unpinned.Name, "namespace", unpinned.Namespace, "by", who.Username)
	s.writeJSON(w, r, unpinned)
	return nil
}
