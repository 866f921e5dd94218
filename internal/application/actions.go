package application

import (
	"cmp"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/action"
	"github.com/fairlead-cd/fairlead/internal/plan"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// ActionsOf returns the catalog of actions that the settings lead to. Scripts
// are compiled when they are first used, so keep it for as long as the settings.
func ActionsOf(s *settings.Settings, now func() time.Time) *action.Catalog {
	return action.New(now, func(group, kind string) (out action.Scripts, found bool) {
		for _, c := range s.Customizations.For(group, kind) {
			out.OpenLibs = out.OpenLibs || c.UseOpenLibs
			if c.Actions.Discovery == "" {
				continue
			}
			found = true
			out.Discovery, out.MergeBuiltin = cmp.Or(c.Actions.Discovery, out.Discovery), c.Actions.MergeBuiltinActions
			out.Actions = make(map[string]string, len(c.Actions.Definitions))
			for _, d := range c.Actions.Definitions {
				out.Actions[d.Name] = d.Script
			}
		}
		return out, found
	})
}

// Act runs an action on an object of the destination, which must still be the
// one with the uid. permit decides on every object that the action makes, by
// the rules of the Application's project; the object of the action is the
// caller's to permit. What was written is returned.
func (d *Destination) Act(ctx context.Context, catalog *action.Catalog, ref plan.Reference, uid types.UID, name string, params map[string]string, permit func(made *unstructured.Unstructured) error) ([]*unstructured.Unstructured, error) {
	return d.Applier.Act(ctx, ref, func(live *unstructured.Unstructured) ([]action.Change, error) {
		if live.GetUID() != uid {
			return nil, fmt.Errorf("%s was replaced by another object a moment ago: %w", ref, ErrNotPart)
		}
		changes, err := catalog.Run(ctx, live, name, params)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		for _, change := range changes {
			if change.Operation != action.Create {
				continue
			}
			if err := permit(change.Object); err != nil {
				return nil, apierrors.NewBadRequest(fmt.Sprintf("the action %s would make %s: %v", name, plan.ReferenceTo(change.Object), err))
			}
		}
		return changes, nil
	})
}
