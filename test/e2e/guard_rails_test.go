package e2e

import (
	"fmt"
	"maps"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// annotated sets annotations of an Application.
func annotated(annotations map[string]string) change {
	return func(app *v1alpha1.Application) {
		if app.Annotations == nil {
			app.Annotations = make(map[string]string)
		}
		maps.Copy(app.Annotations, annotations)
	}
}

// annotate is kubectl annotate.
func (a *application) annotate(t testing.TB, name, value string) {
	t.Helper()
	a.patch(t, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, name, value))
}

func pruning() change {
	yes := true
	return automatedWith(v1alpha1.SyncPolicyAutomated{Prune: &yes})
}

func TestASyncThatWouldPruneTooMuchWaitsForApproval(t *testing.T) {
	t.Parallel()
	i := shared(t)
	a := i.deploy(t, map[string]string{
		"one.yaml": configMapYAML("one"), "two.yaml": configMapYAML("two"), "three.yaml": configMapYAML("three"), "four.yaml": configMapYAML("four"),
	}, pruning(), annotated(map[string]string{v1alpha1.AnnotationMaxPrune: "25%"}))
	a.await(t, synced, noConditions)

	a.push(t, map[string]string{"-one.yaml": ""})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.awaitGone(t, "one") // a quarter is no more than is allowed
	a.await(t, synced)

	a.push(t, map[string]string{"-two.yaml": "", "five.yaml": configMapYAML("five")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, "it would prune 1 of 3 objects", "25%", "fairlead app approve "+a.name, "2 objects wait"))
	a.awaitEvent(t, "SyncHeld", "it would prune 1 of 3 objects")
	a.mustBeLive(t, "two")
	a.mustNotBeLive(t, "five")
	first, _ := tenancy.AwaitedApproval(app)

	// Another set of changes needs another approval.
	a.push(t, map[string]string{"-three.yaml": ""})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app = a.await(t, hasCondition(v1alpha1.ApplicationConditionSyncHeld, "it would prune 2 of 3 objects"))
	second, _ := tenancy.AwaitedApproval(app)
	if second == first {
		t.Fatalf("the digest stays %s", first)
	}
	a.annotate(t, v1alpha1.AnnotationApprove, first)
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncHeld, second))
	a.mustBeLive(t, "two", "three")

	if answer, status := post(t, "http://"+common.program.api(t)+"/api/v1/fairlead/applications/"+a.name+"/approve", "", fmt.Sprintf(`{"digest":%q}`, second)); status != 200 {
		t.Fatalf("approve: %d %s", status, answer)
	}
	app = a.await(t, synced, noConditions, operationIs(v1alpha1.OperationSucceeded))
	a.awaitGone(t, "two")
	a.awaitGone(t, "three")
	a.mustBeLive(t, "four", "five")
	if got := infoOf(app); got["approved"] != second || got["approved by"] == "" {
		t.Errorf("the operation says %v", got)
	}
	if _, there := app.Annotations[v1alpha1.AnnotationApprove]; there {
		t.Error("the approval is not used up")
	}
}

// infoOf are the facts that stand beside the last operation.
func infoOf(app *v1alpha1.Application) map[string]string {
	facts := make(map[string]string)
	for _, info := range app.Status.OperationState.Operation.Info {
		facts[info.Name] = info.Value
	}
	return facts
}

func TestAKindThatTheProjectProtectsIsPrunedOnlyWhenApproved(t *testing.T) {
	t.Parallel()
	i := shared(t)
	project := i.project(t, everything())
	i.patchProject(t, project, `{"metadata": {"annotations": {"fairlead.dev/protect-kinds": "Namespace,ConfigMap"}}}`)
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one"), "two.yaml": configMapYAML("two")}, pruning(), inProject(project))
	a.await(t, synced, noConditions)
	a.push(t, map[string]string{"-one.yaml": ""})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.await(t, hasCondition(v1alpha1.ApplicationConditionSyncHeld, "it would prune ConfigMap "+a.into+"/one", project))
	digest, _ := tenancy.AwaitedApproval(app)
	a.annotate(t, v1alpha1.AnnotationApprove, digest)
	a.awaitGone(t, "one")
	a.await(t, synced, noConditions)

	// A limit that cannot be read holds everything.
	i.patchProject(t, project, `{"metadata": {"annotations": {"fairlead.dev/protect-kinds": null, "fairlead.dev/max-change": "some"}}}`)
	a.push(t, map[string]string{"two.yaml": configMapYAML("two", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, outOfSync, hasCondition(v1alpha1.ApplicationConditionSyncError, "fairlead.dev/max-change", "some", project))
	i.patchProject(t, project, `{"metadata": {"annotations": {"fairlead.dev/max-change": null}}}`)
	a.awaitData(t, "two", "v", "2")
	a.await(t, synced, noConditions)
}
