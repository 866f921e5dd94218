package e2e

import (
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestSeveralSourcesAreOneApplication(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{
		"first/one.yaml":  configMapYAML("one", "v", "1"),
		"second/two.yaml": configMapYAML("two", "v", "1"),
	}, automatedWith(v1alpha1.SyncPolicyAutomated{Prune: new(true)}), func(app *v1alpha1.Application) {
		url := app.Spec.Source.RepoURL
		app.Spec.Source = nil
		app.Spec.Sources = v1alpha1.ApplicationSources{
			{RepoURL: url, Path: folder + "/first"},
			{RepoURL: url, Path: folder + "/second"},
			{RepoURL: url, Ref: "values"},
		}
	})
	app := a.await(t, synced, operationIs(v1alpha1.OperationSucceeded), noConditions)
	a.mustBeLive(t, "one", "two")
	if len(app.Status.Sync.Revisions) != 3 || app.Status.Sync.Revision != "" || len(app.Status.SourceTypes) != 3 {
		t.Errorf("revisions %q, revision %q, types %q; want one for each source",
			app.Status.Sync.Revisions, app.Status.Sync.Revision, app.Status.SourceTypes)
	}
	if last := app.Status.History.Last(); last == nil || len(last.Revisions) != 3 || len(last.Sources) != 3 {
		t.Errorf("history = %+v", app.Status.History)
	}
	a.push(t, map[string]string{"second/two.yaml": configMapYAML("two", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.awaitData(t, "two", "v", "2")
	a.await(t, synced)
}

func TestAVersionConstraintCountsTagsWithThePrefix(t *testing.T) {
	t.Parallel()
	a := shared(t).prepare(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
	a.into = a.cluster.Namespace(t)
	first := a.head(t)
	a.repo.Tag(t, "web-1.1.0", first, "A release of this part")
	second := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.repo.Tag(t, "other-1.9.0", second, "A release of another part")
	a.create(t, automated, func(app *v1alpha1.Application) {
		app.Spec.Source.TargetRevision, app.Spec.Source.TagPrefix = "1.*", "web-"
	})
	a.await(t, synced, syncedTo(first), noConditions)
	a.awaitData(t, "one", "v", "1")
}
