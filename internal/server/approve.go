package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// target is what every request of our own about one Application names beside its path.
type target struct {
	AppNamespace string `json:"appNamespace"`
	Project      string `json:"project"`
}

func (t target) namespace(r *http.Request) string {
	return cmp.Or(t.AppNamespace, r.URL.Query().Get("appNamespace"))
}

func (t target) projects() []string {
	if t.Project == "" {
		return nil
	}
	return []string{t.Project}
}

// approve approves the changes that an automated sync waits with. With a digest it approves no other.
func (s *Server) approve(w http.ResponseWriter, r *http.Request, who caller) error {
	var q struct {
		target
		Digest string `json:"digest"`
	}
	if err := decode(r, &q); err != nil {
		return err
	}
	approved, err := s.annotate(r, q.target, who, func(app *v1alpha1.Application) (map[string]any, error) {
		digest, _ := tenancy.AwaitedApproval(app)
		switch {
		case digest == "":
			return nil, failure(codeFailedPrecondition, "no changes wait for approval")
		case q.Digest != "" && q.Digest != digest:
			return nil, failure(codeFailedPrecondition, "the changes are other ones by now: %s waits for approval, not %s", digest, q.Digest)
		}
		return map[string]any{v1alpha1.AnnotationApprove: digest, v1alpha1.AnnotationApproveBy: who.Username}, nil
	})
	if err != nil {
		return err
	}
	s.options.Logger.Info("changes were approved", "application", approved.Name, "namespace", approved.Namespace,
		"digest", approved.Annotations[v1alpha1.AnnotationApprove], "by", who.Username)
	s.writeJSON(w, r, approved)
	return nil
}

// annotate sets annotations of the Application that a request names, for a caller who may sync it. It judges anew when
// somebody else changes the Application meanwhile. nil as a value takes an annotation away.
func (s *Server) annotate(r *http.Request, at target, who caller, decide func(*v1alpha1.Application) (map[string]any, error)) (written *v1alpha1.Application, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		app, err := s.find(r.Context(), r.PathValue("name"), at.namespace(r), at.projects(), who, "sync")
		if err != nil {
			return err
		}
		annotations, err := decide(app)
		if err != nil {
			return err
		}
		patch, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"resourceVersion": app.ResourceVersion, "annotations": annotations},
		})
		if err != nil {
			return fmt.Errorf("describe the annotations: %w", err)
		}
		written, err = s.options.Client(app.Namespace).Patch(r.Context(), app.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil && !apierrors.IsConflict(err) {
			return fmt.Errorf("annotate Application %s in namespace %s: %w", app.Name, app.Namespace, err)
		}
		return err
	})
	return written, err
}
