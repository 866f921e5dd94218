package application

import (
	"cmp"
	"context"
	"slices"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// heldForApproval holds an automated sync that would do more than the limits
// of the Application or its project allow, until somebody approves just that.
func (r *reconciliation) heldForApproval(_ context.Context, sync *automatedSync) (holds []hold, err error) {
	changes := r.changesOf(sync)
	objects := 0
	for i := range r.current.objects {
		if r.current.objects[i].live != nil {
			objects++
		}
	}
	var reasons []string
	for _, limits := range append(slices.Clone(r.project.Limits()), tenancy.LimitsOf("the Application", r.app.Annotations)) {
		if fault := limits.Fault(); fault != nil {
			holds = append(holds, hold{cause: causeApproval, message: fault.Error(), fault: true})
		}
		reasons = append(reasons, limits.Exceeded(changes, objects)...)
	}
	if len(reasons) == 0 {
		return holds, nil
	}
	digest := tenancy.DigestOf(r.desired.revisions(), changes)
	if r.app.Annotations[v1alpha1.AnnotationApprove] == digest {
		sync.approved = true
		return holds, nil
	}
	return append(holds, hold{cause: causeApproval, message: tenancy.ApprovalMessage(digest, r.app.Name, reasons)}), nil
}

// useApproval writes into the operation who approved it, and takes the
// approval away: it was for this once.
func (r *reconciliation) useApproval(sync *automatedSync) {
	if !sync.approved {
		return
	}
	sync.operation.Info = append(sync.operation.Info,
		&v1alpha1.Info{Name: "approved", Value: r.app.Annotations[v1alpha1.AnnotationApprove]},
		&v1alpha1.Info{Name: "approved by", Value: cmp.Or(r.app.Annotations[v1alpha1.AnnotationApproveBy], "annotation")})
	delete(r.app.Annotations, v1alpha1.AnnotationApprove)
	delete(r.app.Annotations, v1alpha1.AnnotationApproveBy)
}

// changesOf lists what an automated sync would do.
func (r *reconciliation) changesOf(sync *automatedSync) []tenancy.Change {
	changes := make([]tenancy.Change, 0, sync.count())
	add := func(o *object, action tenancy.Action) {
		changes = append(changes, tenancy.Change{Action: action, Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name})
	}
	for i := range sync.changes {
		o := &sync.changes[i]
		switch {
		case o.live == nil:
			add(o, tenancy.Create)
		case replaces(o, sync.operation.Sync.SyncOptions):
			add(o, tenancy.Replace)
		default:
			add(o, tenancy.Edit)
		}
	}
	for i := range sync.prunes {
		add(&sync.prunes[i], tenancy.Prune)
	}
	return changes
}

// replaces says that an object may be deleted and made anew, or written as a
// whole, in place of being changed.
func replaces(o *object, options v1alpha1.SyncOptions) bool {
	for _, option := range []string{"Replace=true", "Force=true"} {
		if options.Has(option) || hasOption(o.desired, v1alpha1.AnnotationSyncOptions, option) {
			return true
		}
	}
	return false
}
