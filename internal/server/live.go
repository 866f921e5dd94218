package server

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/application"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// Live looks into the clusters for callers, and does there what they ask for; [application.Inspector] is what it is where
// the controller runs. It touches nothing but parts of the Application, and masks the values of Secrets; whether the
// caller may look is decided here.
type Live interface {
	// Whole returns an Application with what its status leaves out, as far as that is known.
	Whole(app *v1alpha1.Application) *v1alpha1.Application
	Tree(app *v1alpha1.Application) (*v1alpha1.ApplicationTree, error)
	// OnTree calls changed whenever the tree may have changed, until stop is called.
	OnTree(app *v1alpha1.Application, changed func()) (stop func())
	ManagedResources(ctx context.Context, app *v1alpha1.Application, wanted func(cluster.Key) bool) ([]v1alpha1.ResourceDiff, error)
	// Plan returns what a sync of everything, with pruning, would do, and the revisions that it would sync to.
	Plan(app *v1alpha1.Application) (p plan.Plan, revisions []string, err error)
	Manifest(ctx context.Context, app *v1alpha1.Application, key cluster.Key, version string) (*unstructured.Unstructured, error)
	EventsOf(ctx context.Context, app *v1alpha1.Application, uid types.UID, namespace, name string) (*corev1.EventList, error)
	Logs(ctx context.Context, app *v1alpha1.Application, of application.PodsOf, r inspect.LogRequest, line func(inspect.Line) error) error
	ActionsOf(ctx context.Context, app *v1alpha1.Application, key cluster.Key) ([]v1alpha1.ResourceAction, error)
	RunAction(ctx context.Context, app *v1alpha1.Application, act application.Act) error
	CanExec(ctx context.Context, app *v1alpha1.Application, namespace, pod, container string) error
	Exec(ctx context.Context, app *v1alpha1.Application, r inspect.ExecRequest) (status int, err error)
}

// live gives what this process knows of the clusters.
func (s *Server) live() (Live, error) {
	if s.options.Live == nil {
		return nil, failure(codeUnavailable, "this process does not know what is live; ask one that runs the controller")
	}
	if l := s.options.Live(); l != nil {
		return l, nil
	}
	return nil, failure(codeUnavailable, "the controller does not run in this process at the moment")
}

// liveError is what a caller learns about an error of Live. What a cluster answers is told with its code. All else
// means that the cluster cannot be asked now.
func liveError(err error) error {
	var status apierrors.APIStatus
	var known *apiError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, application.ErrNotPart):
		return failure(codeInvalidArgument, "%s", err)
	case errors.As(err, &status), errors.As(err, &known):
		return err
	default:
		return failure(codeUnavailable, "%s", err)
	}
}
