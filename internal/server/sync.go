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

// syncRequest is the body of a request to synchronize.
type syncRequest struct {
	Revision        string                           `json:"revision"`
	Revisions       []string                         `json:"revisions"`
	SourcePositions []position                       `json:"sourcePositions"`
	DryRun          bool                             `json:"dryRun"`
	Prune           bool                             `json:"prune"`
	Strategy        *v1alpha1.SyncStrategy           `json:"strategy"`
	Resources       []v1alpha1.SyncOperationResource `json:"resources"`
	Manifests       []string                         `json:"manifests"`
	Infos           []*v1alpha1.Info                 `json:"infos"`
	RetryStrategy   *v1alpha1.RetryStrategy          `json:"retryStrategy"`
	SyncOptions     *struct {
		Items v1alpha1.SyncOptions `json:"items"`
	} `json:"syncOptions"`
	AppNamespace string `json:"appNamespace"`
	Project      string `json:"project"`
}

// position is a number that clients send as a number or, as JSON of protobuf has it, as text.
type position int

// UnmarshalJSON reads either form.
func (p *position) UnmarshalJSON(data []byte) error {
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("a source position is no number: %w", err)
	}
	v, err := n.Int64()
	*p = position(v)
	return err
}

// syncApplication sets the operation that the controller then carries out.
func (s *Server) syncApplication(w http.ResponseWriter, r *http.Request, who caller) error {
	var q syncRequest
	if err := decode(r, &q); err != nil {
		return err
	}
	if q.AppNamespace == "" {
		q.AppNamespace = r.URL.Query().Get("appNamespace")
	}
	var projects []string
	if q.Project != "" {
		projects = []string{q.Project}
	}
	var synced *v1alpha1.Application
	// Between reading and writing the status may have changed; then everything is judged anew.
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		app, err := s.find(r.Context(), r.PathValue("name"), q.AppNamespace, projects, who, "sync")
		if err != nil {
			return err
		}
		if err := s.withinWindows(app); err != nil {
			return err
		}
		if len(q.Manifests) > 0 {
			if err := s.permit(who, "override", app); err != nil {
				return err
			}
		}
		operation, err := q.operation(app)
		if err != nil {
			return err
		}
		operation.InitiatedBy.Username = who.Username
		synced, err = s.setOperation(r, app, operation)
		return err
	})
	if err != nil {
		return err
	}
	s.options.Logger.Info("a sync was asked for", "application", synced.Name, "namespace", synced.Namespace, "by", who.Username)
	s.writeJSON(w, r, synced)
	return nil
}

// setOperation writes the operation if nobody has changed the Application since it was read.
func (s *Server) setOperation(r *http.Request, app *v1alpha1.Application, operation *v1alpha1.Operation) (*v1alpha1.Application, error) {
	patch, err := json.Marshal(map[string]any{
		"metadata":  map[string]any{"resourceVersion": app.ResourceVersion},
		"operation": operation,
		// The state of the last operation goes with the request for the next, so that nobody takes one for the other.
		"status": map[string]any{"operationState": nil},
	})
	if err != nil {
		return nil, fmt.Errorf("describe the operation: %w", err)
	}
	synced, err := s.options.Client(app.Namespace).Patch(r.Context(), app.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil && !apierrors.IsConflict(err) {
		return nil, fmt.Errorf("ask for a sync of Application %s in namespace %s: %w", app.Name, app.Namespace, err)
	}
	return synced, err
}

// operation gives what the request asks for, completed by what the Application says about its syncs.
func (q *syncRequest) operation(app *v1alpha1.Application) (*v1alpha1.Operation, error) {
	policy := app.Spec.SyncPolicy
	automated := policy.IsAutomated()
	switch {
	case app.DeletionTimestamp != nil:
		return nil, failure(codeFailedPrecondition, "application is deleting")
	case app.Operation != nil, running(app):
		return nil, failure(codeFailedPrecondition, "another operation is already in progress; wait until it is done, or end it")
	case len(q.Manifests) > 0 && automated && !q.DryRun:
		return nil, failure(codeFailedPrecondition, "cannot use local sync when Automatic Sync Policy is enabled unless for dry run")
	}
	sync := &v1alpha1.SyncOperation{
		Prune: q.Prune, DryRun: q.DryRun, SyncStrategy: q.Strategy, Resources: q.Resources, Manifests: q.Manifests,
	}
	operation := &v1alpha1.Operation{Sync: sync, Info: q.Infos}
	if policy != nil {
		sync.SyncOptions = policy.SyncOptions
		if policy.Retry != nil {
			operation.Retry = *policy.Retry
		}
	}
	if q.SyncOptions != nil {
		sync.SyncOptions = q.SyncOptions.Items
	}
	if q.RetryStrategy != nil {
		operation.Retry = *q.RetryStrategy
	}
	return operation, q.choose(app, sync, automated && !q.DryRun)
}

// choose sets what is synchronized to: one revision, or one for each source. While syncs are automated, another than
// the target revision would be undone at once.
func (q *syncRequest) choose(app *v1alpha1.Application, sync *v1alpha1.SyncOperation, automated bool) error {
	if app.Annotations[v1alpha1.AnnotationPin] != "" && q.Revision == "" && len(q.Revisions) == 0 {
		return nil // to where it is pinned
	}
	if !app.Spec.HasMultipleSources() {
		source := app.Spec.GetSource()
		sync.Source = &source
		sync.Revision = q.Revision
		if q.Revision == "" {
			sync.Revision = source.TargetRevision
		}
		if automated && q.Revision != "" && q.Revision != orHEAD(source.TargetRevision) {
			return failure(codeFailedPrecondition, "Cannot sync to %s: auto-sync currently set to %s", q.Revision, source.TargetRevision)
		}
		return nil
	}
	sources := app.Spec.GetSources()
	sync.Sources = sources
	sync.Revisions = make([]string, len(sources))
	for i := range sources {
		sync.Revisions[i] = sources[i].TargetRevision
	}
	if len(q.SourcePositions) != len(q.Revisions) {
		return failure(codeInvalidArgument, "give one revision for each source position")
	}
	for i, p := range q.SourcePositions {
		if p < 1 || int(p) > len(sources) {
			return failure(codeInvalidArgument, "source position is out of range")
		}
		target := sources[p-1].TargetRevision
		if automated && q.Revisions[i] != "" && q.Revisions[i] != orHEAD(target) {
			return failure(codeFailedPrecondition, "Cannot sync source %s to %s: auto-sync currently set to %s", sources[p-1].RepoURL, q.Revisions[i], target)
		}
		sync.Revisions[p-1] = q.Revisions[i]
	}
	return nil
}

func orHEAD(revision string) string {
	if revision == "" {
		return "HEAD"
	}
	return revision
}

// running tells whether an operation has begun and not ended.
func running(app *v1alpha1.Application) bool {
	state := app.Status.OperationState
	return state != nil && (state.Phase == v1alpha1.OperationRunning || state.Phase == v1alpha1.OperationTerminating)
}
