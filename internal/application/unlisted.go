package application

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// unlisted finds the objects of the Application that are not desired any more and of kinds that may not be listed, so
// that they are not forgotten: those that its status tells of are read one by one. What may not even be read is told of
// in a condition, and kept in the status.
func (r *reconciliation) unlisted(ctx context.Context, wanted targets, kept results) ([]object, error) {
	var out []object
	for _, ref := range r.unlistedReferences() {
		key := cluster.Key{Group: ref.Group, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
		if _, ok := wanted.keys[key]; ok || r.settings.Resources.Excludes(ref.Group, ref.Kind, r.destination.Server) {
			continue
		}
		_, err := r.destination.Live.Fetch(ctx, key, "")
		live, known := r.destination.Live.Get(key)
		switch {
		case apierrors.IsNotFound(err):
			if known {
				r.destination.Live.ObserveDeleted(key, live.UID)
			}
		case apierrors.IsForbidden(err):
			r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionExcludedResourceWarning,
				fmt.Sprintf("%s is not in the source any more, and is not pruned: whether it exists is not known, because its kind may be neither listed nor read; permit one of the two, or delete it by hand", ref)))
			out = append(out, object{Reference: ref, verdict: verdict{extraneous: true}})
		case err != nil:
			return nil, fmt.Errorf("reading the live %s, whose kind may not be listed: %w", ref, err)
		case known && live.App == r.instance && live.Deleting.IsZero():
			if o := r.undesired(ctx, live, kept); !o.dependent {
				out = append(out, o)
			}
		}
	}
	return out, nil
}

// unlistedReferences are the objects of kinds that may not be listed that the status tells of, or that were read before.
func (r *reconciliation) unlistedReferences() (out []plan.Reference) {
	unlisted := r.unlistedKinds()
	known := make(map[cluster.Key]bool)
	add := func(ref plan.Reference) {
		if unlisted(ref.Group, ref.Kind) && !known[keyAt(ref)] {
			known[keyAt(ref)] = true
			out = append(out, ref)
		}
	}
	for i := range r.read.Status.Resources {
		s := &r.read.Status.Resources[i]
		add(plan.Reference{Group: s.Group, Version: s.Version, Kind: s.Kind, Namespace: s.Namespace, Name: s.Name})
	}
	for _, o := range r.destination.Live.Managed(r.instance) {
		add(plan.Reference{Group: o.Group, Version: o.Version, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name})
	}
	return out
}

// unlistedKinds says whether a kind may not be listed, and asks once for each.
func (r *reconciliation) unlistedKinds() func(group, kind string) bool {
	known := make(map[schema.GroupKind]bool)
	return func(group, kind string) bool {
		gk := schema.GroupKind{Group: group, Kind: kind}
		is, ok := known[gk]
		if !ok {
			is = unseen(r.destination.Live.Ready(gk))
			known[gk] = is
		}
		return is
	}
}
