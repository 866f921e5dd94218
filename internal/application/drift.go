package application

import (
	"reflect"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
)

// whole stands for the object itself among the fields that differ.
const whole = ""

// withDrift splits what differs now into what the source changed and what
// somebody changed in the cluster. What differs although the desired object is
// the same as at the last look is drift; what differs since the desired object
// changed is pending, until it is applied. After a restart the status of the
// Application tells what held before.
func (r *reconciliation) withDrift(key cluster.Key, before, now remembered, known bool) remembered {
	differing := now.differing()
	if len(differing) == 0 {
		return now
	}
	var drifted []string
	switch {
	case known && before.desired == now.desired && slices.Contains(before.pending, whole):
		// It did not exist, or only its order differed: all that differs is still to be applied.
	case known && before.desired == now.desired:
		drifted = without(differing, before.pending)
	case known:
		drifted = common(differing, pathsOf(before.drift))
	default:
		drifted = r.driftedBefore(key, now, differing)
	}
	drifted = without(drifted, now.ownFields())
	now.pending = without(differing, drifted)
	now.drift = driftOf(now, drifted).since(r.now, before.drift)
	return now
}

// withNotKept tells of pending fields that the last sync applied. Whether it
// did is seen when it has ended, and so at another look than the difference.
func (r *reconciliation) withNotKept(key cluster.Key, found remembered, before *v1alpha1.ResourceDrift) remembered {
	if len(found.pending) > 0 && (found.drift == nil || found.drift.Cause == v1alpha1.DriftNotKept) {
		found.drift = r.notKept(key, found).since(r.now, before)
	}
	return found
}

// differing are the paths that differ; the object itself when it is missing or
// not desired, or when only an order differs.
func (m *remembered) differing() []string {
	switch {
	case m.live == "", m.desired == "" && !m.extraneous && !m.dependent:
		return []string{whole}
	case !m.differs:
		return nil
	case len(m.fields) == 0:
		return []string{whole}
	}
	paths := make([]string, len(m.fields))
	for i, f := range m.fields {
		paths[i] = f.Path
	}
	return paths
}

// ownFields are the differing fields whose live value we wrote ourselves: on the
// way something made another of it, or it was compared in another manner before.
func (m *remembered) ownFields() (paths []string) {
	for _, f := range m.fields {
		if f.Writer.Manager == apply.FieldManager {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// driftedBefore decides for an object that was not looked at since the start of
// the process, by what the status says of it.
func (r *reconciliation) driftedBefore(key cluster.Key, now remembered, differing []string) []string {
	status := &r.read.Status
	last, told := r.told(key)
	same := r.memory.described == r.memory.targets.identity || r.statusIsOf(r.desired)
	switch {
	case !told && now.desired == "" && same && len(status.Resources) > 0:
		return differing // it appeared meanwhile
	case !told:
		return nil
	}
	switch {
	case last.Drift != nil:
		return common(differing, pathsOf(last.Drift))
	case last.Status != v1alpha1.SyncStatusCodeSynced:
		return nil
	case same:
		return differing
	}
	// A commit came, and the object may have been changed too. What somebody
	// wrote after the last apply is theirs.
	var theirs []string
	for _, f := range now.fields {
		if f.Writer.Manager != "" && status.ReconciledAt != nil && f.Writer.Time.After(status.ReconciledAt.Time) {
			theirs = append(theirs, f.Path)
		}
	}
	return theirs
}

// told is what the status that was read says of an object. One that it leaves
// out was Synced, unless it leaves out others too.
func (r *reconciliation) told(key cluster.Key) (last v1alpha1.ResourceStatus, ok bool) {
	status := &r.read.Status
	if r.toldOf == nil {
		r.toldOf = make(map[cluster.Key]*v1alpha1.ResourceStatus, len(status.Resources))
		for i := range status.Resources {
			s := &status.Resources[i]
			r.toldOf[cluster.Key{Group: s.Group, Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}] = s
		}
	}
	if found := r.toldOf[key]; found != nil {
		return *found, true
	}
	_, desired := r.memory.targets.keys[key]
	omitted := status.OmittedResources
	return v1alpha1.ResourceStatus{Status: v1alpha1.SyncStatusCodeSynced}, desired && omitted != nil && omitted.OutOfSync == 0
}

// statusIsOf says whether the status tells of the revisions of d.
func (r *reconciliation) statusIsOf(d *desired) bool {
	sync := &r.read.Status.Sync
	if len(sync.Revisions) > 0 {
		return slices.Equal(sync.Revisions, d.revisions())
	}
	return len(d.sources) > 0 && sync.Revision == d.sources[0].revision
}

// description is drift whose time is not stated yet; nil for none.
type description v1alpha1.ResourceDrift

// since returns the drift with the time at which it was noticed. The description
// before stays where it still fits, so that a controller that writes all the
// time costs no writes here.
func (d *description) since(now metav1.Time, before *v1alpha1.ResourceDrift) *v1alpha1.ResourceDrift {
	if d == nil {
		return nil
	}
	drift := (*v1alpha1.ResourceDrift)(d)
	drift.Since = now
	if before == nil || before.Cause != drift.Cause {
		return drift
	}
	if sameWriters(before, drift) {
		return before
	}
	drift.Since = before.Since
	return drift
}

// driftOf describes the fields that drifted.
func driftOf(now remembered, drifted []string) *description {
	if len(drifted) == 0 {
		return nil
	}
	d := &description{Cause: v1alpha1.DriftChanged}
	switch {
	case now.live == "":
		d.Cause = v1alpha1.DriftDeleted
	case now.desired == "":
		d.Cause = v1alpha1.DriftAdded
	default:
		d.describe(now.fields, drifted)
	}
	return d
}

// notKept describes fields that differ although the last sync applied just
// this desired object and succeeded.
func (r *reconciliation) notKept(key cluster.Key, now remembered) *description {
	state := r.app.Status.OperationState
	if now.live == "" || now.desired == "" || state == nil || state.Phase != v1alpha1.OperationSucceeded ||
		state.Operation.DryRun() || state.SyncResult == nil || !r.resultIsOf(state.SyncResult) {
		return nil
	}
	if r.applied == nil {
		r.applied = make(map[cluster.Key]bool, len(state.SyncResult.Resources))
		for _, res := range state.SyncResult.Resources {
			of := keyAt(referenceOf(res))
			r.applied[of] = r.applied[of] || res.Status == v1alpha1.ResultCodeSynced
		}
	}
	if applied, told := r.applied[key]; !applied && (told || state.SyncResult.OmittedResources == 0) {
		return nil
	}
	d := &description{Cause: v1alpha1.DriftNotKept}
	d.describe(now.fields, now.pending)
	return d
}

func (r *reconciliation) resultIsOf(result *v1alpha1.SyncOperationResult) bool {
	if len(result.Revisions) > 0 {
		return slices.Equal(result.Revisions, r.desired.revisions())
	}
	return len(r.desired.sources) > 0 && result.Revision == r.desired.sources[0].revision
}

// describe lists those of the fields that paths name.
func (d *description) describe(fields []compare.Field, paths []string) {
	for _, f := range fields {
		if !slices.Contains(paths, f.Path) {
			continue
		}
		if len(d.Fields) == v1alpha1.DriftFieldLimit {
			d.More++
			continue
		}
		out := v1alpha1.DriftedField{
			Path: f.Path, Manager: f.Writer.Manager, Operation: f.Writer.Operation, Subresource: f.Writer.Subresource, Ignore: ruleText(f.Rule),
		}
		if !f.Writer.Time.IsZero() {
			out.Time = &metav1.Time{Time: f.Writer.Time.UTC().Truncate(time.Second)}
		}
		d.Fields = append(d.Fields, out)
	}
}

func ruleText(rule compare.Rule) string {
	for _, list := range [][]string{rule.JSONPointers, rule.JQPathExpressions} {
		if len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// sameWriters says whether two descriptions differ in times alone.
func sameWriters(a, b *v1alpha1.ResourceDrift) bool {
	return a.More == b.More && slices.EqualFunc(a.Fields, b.Fields, func(x, y v1alpha1.DriftedField) bool {
		x.Time, y.Time = nil, nil
		return reflect.DeepEqual(x, y)
	})
}

func pathsOf(d *v1alpha1.ResourceDrift) []string {
	switch {
	case d == nil, d.Cause == v1alpha1.DriftNotKept:
		return nil
	case len(d.Fields) == 0:
		return []string{whole}
	}
	paths := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		paths[i] = f.Path
	}
	return paths
}

// common are the paths that are in both lists, in the order of the first.
func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(path string) bool { return !slices.Contains(b, path) })
}
