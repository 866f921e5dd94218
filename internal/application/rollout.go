package application

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// askAfter is how long another Application has to notice a commit by itself,
// before it is asked to look.
const askAfter = time.Second

// asked is the question to another Application whether a commit concerns it.
type asked struct {
	revision string
	since    time.Time
	sent     bool
}

// missingOf says what keeps another Application from being done with what this
// one would sync to, and "" when nothing does: it is Synced and Healthy, has
// been for the soak time, and was compared with the same commits of the sources
// that both share.
//
// A commit that does not concern an Application leaves no trace in its status.
// So when its status names another commit it is asked to compare, which makes
// it write down with which one it did.
func (r *reconciliation) missingOf(ctx context.Context, other *v1alpha1.Application, soak time.Duration) (string, error) {
	status := &other.Status
	switch state := status.OperationState; {
	case other.Operation != nil || state != nil && !state.Phase.Completed():
		return other.Name + " is being synced", nil
	case status.Sync.Status != v1alpha1.SyncStatusCodeSynced:
		return fmt.Sprintf("%s is %s", other.Name, orUnknown(string(status.Sync.Status))), nil
	case status.Health.Status != v1alpha1.HealthStatusHealthy:
		return fmt.Sprintf("%s is %s", other.Name, orUnknown(string(status.Health.Status))), nil
	case !equality.Semantic.DeepEqual(status.Sync.ComparedTo, comparedTo(other)):
		return other.Name + " was not compared since its specification changed", nil
	}
	if revision := r.unseenBy(other); revision != "" {
		return fmt.Sprintf("%s was not compared with %s", other.Name, shortRevisions([]string{revision})), r.askToLook(ctx, other, revision)
	}
	if done := healthySince(status).Add(soak); r.Now().Before(done) {
		r.lookAgainAt(done)
		return fmt.Sprintf("%s has to stay healthy until %s", other.Name, done.UTC().Format(time.RFC3339)), nil
	}
	return "", nil
}

// healthySince is since when an Application is as it is: from its last sync,
// or from when it became healthy after it.
func healthySince(status *v1alpha1.ApplicationStatus) time.Time {
	var since time.Time
	if at := status.Health.LastTransitionTime; at != nil {
		since = at.Time
	}
	if state := status.OperationState; state != nil && state.FinishedAt != nil && state.FinishedAt.After(since) {
		since = state.FinishedAt.Time
	}
	return since
}

// unseenBy returns a commit of a source that both Applications have, with which
// the status of the other one does not deal; "" when there is none.
func (r *reconciliation) unseenBy(other *v1alpha1.Application) string {
	theirs := other.Spec.GetSources()
	revisions := other.Status.Sync.Revisions
	if !other.Spec.HasMultipleSources() {
		revisions = []string{other.Status.Sync.Revision}
	}
	for _, mine := range r.desired.sources {
		for i := range theirs {
			if sameOrigin(mine.source, theirs[i]) && (i >= len(revisions) || revisions[i] != mine.revision) {
				return mine.revision
			}
		}
	}
	return ""
}

// sameOrigin says that two sources follow the same branch, tag or range of the
// same repository.
func sameOrigin(a, b v1alpha1.ApplicationSource) bool {
	return settings.NormalizeURL(a.RepoURL) == settings.NormalizeURL(b.RepoURL) && a.Chart == b.Chart &&
		orHEAD(a.TargetRevision) == orHEAD(b.TargetRevision)
}

func orHEAD(revision string) string {
	if revision == "" {
		return "HEAD"
	}
	return revision
}

// askToLook refreshes another Application once for a commit.
func (r *reconciliation) askToLook(ctx context.Context, other *v1alpha1.Application, revision string) error {
	key := keyOf(other)
	question, ok := r.memory.asked[key]
	if !ok || question.revision != revision {
		question = asked{revision: revision, since: r.Now()}
	}
	defer func() {
		if r.memory.asked == nil {
			r.memory.asked = make(map[types.NamespacedName]asked)
		}
		r.memory.asked[key] = question
	}()
	_, pending := other.Annotations[v1alpha1.AnnotationRefresh]
	if question.sent || pending {
		return nil
	}
	if left := question.since.Add(askAfter).Sub(r.Now()); left > 0 {
		r.lookIn(left)
		return nil
	}
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRefresh, v1alpha1.RefreshTypeNormal)
	_, err := r.Client.Applications(key.Namespace).Patch(ctx, key.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("asking the Application %s to compare with %s: %w", key, revision, err)
	}
	question.sent = true
	return nil
}
