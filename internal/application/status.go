package application

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
)

// evaluated are the conditions that a reconcile finds out anew each time.
var evaluated = []v1alpha1.ApplicationConditionType{
	v1alpha1.ApplicationConditionInvalidSpecError,
	v1alpha1.ApplicationConditionComparisonError,
	v1alpha1.ApplicationConditionSyncError,
	v1alpha1.ApplicationConditionSyncHeld,
	v1alpha1.ApplicationConditionPinned,
	v1alpha1.ApplicationConditionUnknownError,
	v1alpha1.ApplicationConditionSharedResourceWarning,
	v1alpha1.ApplicationConditionRepeatedResourceWarning,
	v1alpha1.ApplicationConditionExcludedResourceWarning,
	v1alpha1.ApplicationConditionOrphanedResourceWarning,
}

// conclude writes what was found into the status.
func (r *reconciliation) conclude(ctx context.Context) {
	r.describe(ctx)
	r.holdForHooks()
	r.warnOfOrphans()
	before := r.app.Status.Conditions
	r.app.Status.SetConditions(r.now, r.fewOfEach(append(r.conditions, r.memory.targets.conditions...)), evaluated...)
	keepSince(r.app.Status.Conditions, before)
	r.touch()
}

// conditionsOfType is how many conditions of one type the status has at most:
// some are about one object each.
const conditionsOfType = 50

// fewOfEach counts the conditions of a type that are too many.
func (r *reconciliation) fewOfEach(conditions []v1alpha1.ApplicationCondition) (few []v1alpha1.ApplicationCondition) {
	of := make(map[v1alpha1.ApplicationConditionType]int)
	for _, c := range conditions {
		if of[c.Type]++; of[c.Type] <= conditionsOfType {
			few = append(few, c)
		}
	}
	for kind, n := range of {
		if more := n - conditionsOfType; more > 0 {
			few = append(few, r.condition(kind, fmt.Sprintf("and %d more of this type", more)))
		}
	}
	return few
}

// cannotCompare writes a status that says that the Application could not be
// compared. What an earlier comparison found about its objects stays, because
// it is the last good state. A requested operation cannot run, and ends.
func (r *reconciliation) cannotCompare(cause *problem) {
	status := &r.app.Status
	status.Sync.Status = v1alpha1.SyncStatusCodeUnknown
	status.Sync.ComparedTo = r.comparedTo()
	if status.Health.Status == "" || cause.blind {
		r.setHealth(health.Unknown, "")
	}
	state := status.OperationState
	if r.app.Operation != nil && (state == nil || state.Phase.Completed()) {
		state = &v1alpha1.OperationState{Operation: *r.app.Operation, Phase: v1alpha1.OperationRunning, StartedAt: r.now}
		status.OperationState = state
	}
	if state != nil && !state.Phase.Completed() {
		if r.untilRetry(state) <= 0 {
			r.failAttempt(state, cause.Error())
		} else {
			r.again = r.untilRetry(state)
		}
	}
	status.SetConditions(r.now, r.fewOfEach(r.conditions), evaluated...)
	r.touch()
	if r.again == 0 {
		// Most causes end with an event; look again for those that do not.
		r.again = r.settings.Reconciliation
	}
}

// touch answers a refresh and notes when the Application was looked at. The
// time alone is no reason to write a status: it moves with the next change.
func (r *reconciliation) touch() {
	r.countHolds()
	r.app.Status.ControllerNamespace = r.Namespace
	if r.refresh != "" {
		delete(r.app.Annotations, v1alpha1.AnnotationRefresh)
	}
	if r.refresh != "" || r.app.Status.ReconciledAt == nil || r.statusChanged() {
		r.app.Status.ReconciledAt = &r.now
	}
}

// describe brings sync, health, resources and summary up to the comparison.
func (r *reconciliation) describe(ctx context.Context) {
	status := &r.app.Status
	resources := make([]v1alpha1.ResourceStatus, 0, len(r.current.objects))
	parts := make([]health.Part, 0, len(r.current.objects))
	heard := make(map[cluster.Key]witness)
	for i := range r.current.objects {
		o := &r.current.objects[i]
		o.said = r.explained(o)
		r.hear(ctx, o, heard)
		resources = append(resources, r.resourceStatus(o))
		if o.desired == nil {
			continue
		}
		parts = append(parts, health.Part{Exists: o.live != nil, Status: o.health.Status, Ignored: o.healthIgnored || r.leftOut(o)})
	}
	r.memory.witnesses = heard
	status.Resources, status.OmittedResources = resources, nil
	status.ResourceHealthSource = ""
	if !r.PersistHealth {
		status.ResourceHealthSource = v1alpha1.ResourceHealthLocationAppTree
	}
	r.setSync()
	overall := health.Overall(parts)
	r.setHealth(overall, r.reason(overall))
	status.Summary = r.summary()
	r.setPlan()
}

// setPlan sums up what a sync of everything would do now.
func (r *reconciliation) setPlan() {
	r.app.Status.Plan = nil
	if r.current.synced() {
		return
	}
	r.app.Status.Plan = summaryOf(r.memory.compared.Load().plan)
}

// setSync writes the outcome of the comparison. The revision of an Application
// that a commit does not concern stays the one that last did: its content is
// the same, and a commit must not cost a write for each Application.
func (r *reconciliation) setSync() {
	status := &r.app.Status
	code := v1alpha1.SyncStatusCodeOutOfSync
	if r.current.synced() {
		code = v1alpha1.SyncStatusCodeSynced
	}
	comparedTo := r.comparedTo()
	identity := r.memory.targets.identity
	unchanged := r.refresh == "" && status.Sync.Status == code && r.memory.described == identity &&
		equality.Semantic.DeepEqual(status.Sync.ComparedTo, comparedTo) && (status.Sync.Revision != "" || len(status.Sync.Revisions) > 0)
	r.memory.described = identity
	if unchanged {
		return
	}
	status.Sync = v1alpha1.SyncStatus{Status: code, ComparedTo: comparedTo}
	status.SourceType, status.SourceTypes = "", nil
	if r.app.Spec.HasMultipleSources() {
		status.Sync.Revisions = r.desired.revisions()
		for _, s := range r.desired.sources {
			status.SourceTypes = append(status.SourceTypes, s.kind)
		}
		return
	}
	status.Sync.Revision = r.desired.sources[0].revision
	status.SourceType = r.desired.sources[0].kind
}

func (r *reconciliation) comparedTo() v1alpha1.ComparedTo { return comparedTo(r.app) }

// comparedTo is the part of the specification that a comparison is made with.
func comparedTo(app *v1alpha1.Application) v1alpha1.ComparedTo {
	out := v1alpha1.ComparedTo{Destination: app.Spec.Destination, IgnoreDifferences: app.Spec.IgnoreDifferences}
	if app.Spec.HasMultipleSources() {
		out.Sources = app.Spec.GetSources()
	} else {
		out.Source = app.Spec.GetSource()
	}
	return out
}

func (r *reconciliation) setHealth(word health.Status, message string) {
	current := &r.app.Status.Health
	current.Message = message
	if current.Status != v1alpha1.HealthStatusCode(word) || current.LastTransitionTime == nil {
		current.Status, current.LastTransitionTime = v1alpha1.HealthStatusCode(word), &r.now
	}
}

func (r *reconciliation) resourceStatus(o *object) v1alpha1.ResourceStatus {
	out := v1alpha1.ResourceStatus{
		Group: o.Group, Version: o.Version, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name,
		Status: v1alpha1.SyncStatusCodeOutOfSync, RequiresPruning: o.desired == nil && !o.synced(), SyncWave: int64(o.wave),
		Drift: o.drift,
	}
	if o.synced() {
		out.Status = v1alpha1.SyncStatusCodeSynced
	}
	if !r.PersistHealth {
		return out
	}
	switch {
	case o.live == nil:
		out.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusMissing}
	case o.hasHealth:
		out.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusCode(o.said.Status), Message: o.said.Sentence()}
	case o.hasShown:
		out.Health = &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusCode(o.shown.Status), Message: o.shown.Sentence()}
	}
	return out
}

// summary lists the images that run and the addresses under which the
// Application is reached.
func (r *reconciliation) summary() v1alpha1.ApplicationSummary {
	var out v1alpha1.ApplicationSummary
	for i := range r.current.objects {
		o := &r.current.objects[i]
		out.Images = append(out.Images, o.images...)
		out.ExternalURLs = append(out.ExternalURLs, o.urls...)
	}
	slices.Sort(out.Images)
	out.Images = slices.Compact(out.Images)
	slices.Sort(out.ExternalURLs)
	out.ExternalURLs = slices.Compact(out.ExternalURLs)
	return out
}

// imagesOf returns the images of the pods that an object is or makes.
func imagesOf(obj *unstructured.Unstructured) []string {
	if obj == nil {
		return nil
	}
	var images []string
	for _, path := range [][]string{
		{"spec"}, {"spec", "template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"},
	} {
		for _, field := range []string{"initContainers", "containers"} {
			containers, _, _ := unstructured.NestedFieldNoCopy(obj.Object, append(slices.Clone(path), field)...)
			list, _ := containers.([]any)
			for _, item := range list {
				if container, ok := item.(map[string]any); ok {
					if image, ok := container["image"].(string); ok && image != "" {
						images = append(images, image)
					}
				}
			}
		}
	}
	return images
}

// urlsOf returns the addresses under which an object is reached.
func urlsOf(obj *unstructured.Unstructured) []string {
	if network := cluster.Network(obj); network != nil {
		return network.ExternalURLs
	}
	return nil
}

// addHistory appends the finished sync and forgets what is beyond the limit.
func (r *reconciliation) addHistory(state *v1alpha1.OperationState) {
	history := r.app.Status.History
	entry := v1alpha1.RevisionHistory{
		DeployedAt: r.now, DeployStartedAt: &metav1.Time{Time: state.StartedAt.Time}, InitiatedBy: state.Operation.InitiatedBy,
		Revision: state.SyncResult.Revision, Source: state.SyncResult.Source,
		Revisions: state.SyncResult.Revisions, Sources: state.SyncResult.Sources,
	}
	if last := history.Last(); last != nil {
		entry.ID = last.ID + 1
	}
	history = append(history, entry).Keep(r.app.Spec.GetRevisionHistoryLimit())
	r.app.Status.History = newest(history, cmp.Or(r.SizeLimit, DefaultSizeLimit)/2)
}

func errorsOf(conditions []v1alpha1.ApplicationCondition) []v1alpha1.ApplicationCondition {
	return slices.DeleteFunc(slices.Clone(conditions), func(c v1alpha1.ApplicationCondition) bool { return !c.IsError() })
}

func shortRevisions(commits []string) string {
	short := make([]string, len(commits))
	for i, commit := range commits {
		short[i] = commit[:min(len(commit), 7)]
	}
	return strings.Join(short, ", ")
}
