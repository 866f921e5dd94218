package e2e

import (
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

func TestTheTargetRevisionIs(t *testing.T) {
	t.Parallel()
	// moves says whether a later commit of that kind is followed.
	for name, test := range map[string]struct {
		target func(t *testing.T, a *application) string
		moves  func(t *testing.T, a *application, commit string)
		branch string
	}{
		"a branch, which is followed": {
			target: func(t *testing.T, a *application) string {
				a.repo.Must(t, gitserver.Change{Branch: "feature", Parent: gitserver.Branch, Message: "Begin a feature"})
				return "feature"
			},
			branch: "feature",
		},
		"a tag, which is followed when it is moved": {
			target: func(t *testing.T, a *application) string {
				a.repo.Tag(t, "v1.0.0", gitserver.Branch, "The first release")
				return "v1.0.0"
			},
			moves: func(t *testing.T, a *application, commit string) {
				a.repo.Tag(t, "v1.0.0", commit, "The first release, again")
			},
		},
		"HEAD, which is the default branch":            {target: func(*testing.T, *application) string { return "HEAD" }},
		"nothing, which is the default branch as well": {target: func(*testing.T, *application) string { return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := shared(t).prepare(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
			a.into = a.cluster.Namespace(t)
			revision := test.target(t, a)
			a.create(t, automated, func(app *v1alpha1.Application) { app.Spec.Source.TargetRevision = revision })
			a.await(t, synced)
			a.awaitData(t, "one", "v", "1")

			branch := test.branch
			if branch == "" {
				branch = gitserver.Branch
			}
			commit := a.repo.Must(t, gitserver.Change{
				Branch: branch, Message: "Go on", Files: inFolder(map[string]string{"one.yaml": configMapYAML("one", "v", "2")}),
			})
			if test.moves != nil {
				test.moves(t, a, commit)
			}
			a.refresh(t, v1alpha1.RefreshTypeNormal)
			a.awaitData(t, "one", "v", "2")
			a.await(t, syncedTo(commit), noConditions)
		})
	}
	t.Run("a full commit, which stays", func(t *testing.T) {
		t.Parallel()
		a := shared(t).prepare(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
		a.into = a.cluster.Namespace(t)
		first := a.head(t)
		second := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		a.create(t, automated, func(app *v1alpha1.Application) { app.Spec.Source.TargetRevision = first })
		a.await(t, syncedTo(first), noConditions)
		a.awaitData(t, "one", "v", "1")
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, syncedTo(first))

		a.patch(t, `{"spec": {"source": {"targetRevision": "`+second+`"}}}`)
		a.awaitData(t, "one", "v", "2")
		a.await(t, syncedTo(second), noConditions)
	})
}
