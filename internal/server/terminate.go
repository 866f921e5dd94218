package server

import (
	"encoding/json"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// terminateOperation asks the controller to end the operation that is under way.
func (s *Server) terminateOperation(w http.ResponseWriter, r *http.Request, who caller) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		app, err := s.find(r.Context(), r.PathValue("name"), q.namespace, q.projects, who, "sync")
		if err != nil {
			return err
		}
		if state := app.Status.OperationState; app.Operation == nil || state == nil || state.Phase.Completed() {
			return failure(codeInvalidArgument, "Unable to terminate operation. No operation is in progress")
		}
		patch, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"resourceVersion": app.ResourceVersion},
			"status":   map[string]any{"operationState": map[string]any{"phase": v1alpha1.OperationTerminating}},
		})
		if err != nil {
			return fmt.Errorf("describe the end of the operation: %w", err)
		}
		_, err = s.options.Client(app.Namespace).Patch(r.Context(), app.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil && !apierrors.IsConflict(err) {
			return fmt.Errorf("end the operation of Application %s in namespace %s: %w", app.Name, app.Namespace, err)
		}
		return err
	})
	if err != nil {
		return err
	}
	s.options.Logger.Info("the end of an operation was asked for", "application", r.PathValue("name"), "by", who.Username)
	s.writeJSON(w, r, struct{}{})
	return nil
}
