package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// waitingFor says what has to become healthy before a stage may begin: every
// object of an earlier wave. Prunes and dry runs wait for nothing.
func waitingFor(objects []object, stage plan.Stage, dryRun bool) (waiting, degraded string) {
	if dryRun || stage.Steps[0].Action == plan.Prune {
		return "", ""
	}
	for i := range objects {
		o := &objects[i]
		if o.desired == nil || o.wave >= stage.Wave || !o.hasHealth {
			continue
		}
		switch o.health.Status {
		case health.Healthy:
		case health.Degraded:
			return "", fmt.Sprintf("%s of wave %d is degraded: %s", o.Reference, o.wave, o.health.Message)
		default:
			return fmt.Sprintf("waiting for %s of wave %d to become healthy before wave %d begins: %s", o.Reference, o.wave, stage.Wave, o.health.Message), ""
		}
	}
	return "", ""
}

// unservedKind returns a kind of the stage that the API server does not serve
// yet: its definition was written by an earlier stage.
func (r *reconciliation) unservedKind(ctx context.Context, stage plan.Stage) (kind string, err error) {
	for _, step := range stage.Steps {
		gvk := schema.GroupVersionKind{Group: step.Group, Version: step.Version, Kind: step.Kind}
		if _, err := r.destination.Live.Resource(ctx, gvk); errors.Is(err, cluster.ErrKindUnknown) {
			return gvk.GroupKind().String(), err
		}
	}
	return "", nil
}

// waitForKind looks again in a moment, and gives up after kindDeadline.
func (r *reconciliation) waitForKind(state *v1alpha1.OperationState, kind string, cause error) {
	began := state.StartedAt
	if state.FinishedAt != nil {
		began = *state.FinishedAt
	}
	if r.now.Sub(began.Time) > kindDeadline {
		r.failAttempt(state, fmt.Sprintf("the API server does not serve %s after %s: %v", kind, kindDeadline, cause))
		return
	}
	state.Message = fmt.Sprintf("waiting for the API server to serve %s", kind)
	r.again = kindPoll
}

// How long a kind may take to be served after its definition was written, and
// how often to look; the watch on definitions is usually faster.
const (
	kindDeadline = time.Minute
	kindPoll     = time.Second
)
