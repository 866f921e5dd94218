package cli

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// squeezed is a text with single spaces, without empty lines.
func squeezed(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 {
			lines = append(lines, strings.Join(fields, " "))
		}
	}
	return strings.Join(lines, "\n")
}

func shop(now time.Time) *v1alpha1.Application {
	since := metav1.NewTime(now.Add(-time.Minute))
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "argocd"}}
	app.Spec.Destination = v1alpha1.ApplicationDestination{Server: v1alpha1.InClusterServer, Namespace: "shop"}
	app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://example.com/repo.git", Path: "shop", TargetRevision: "main"}
	app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{Prune: new(true)}}
	app.Status.Sync = v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeOutOfSync, Revision: "abc"}
	app.Status.Health = v1alpha1.AppHealthStatus{Status: v1alpha1.HealthStatusDegraded, Message: "Deployment web: 1 of 3 pods"}
	app.Status.Conditions = []v1alpha1.ApplicationCondition{
		{Type: v1alpha1.ApplicationConditionSharedResourceWarning, Message: "one\nthing", LastTransitionTime: &since},
		{Type: v1alpha1.ApplicationConditionComparisonError, Message: "another", LastTransitionTime: &since},
		{Type: v1alpha1.ApplicationConditionComparisonError, Message: "more", LastTransitionTime: &since},
	}
	app.Status.Resources = []v1alpha1.ResourceStatus{
		{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", Status: v1alpha1.SyncStatusCodeOutOfSync, Drift: &v1alpha1.ResourceDrift{
			Cause: v1alpha1.DriftChanged, Since: since, Fields: []v1alpha1.DriftedField{{Path: ".spec.replicas", Manager: "kubectl"}},
		}},
		{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "settings", Status: v1alpha1.SyncStatusCodeSynced},
	}
	app.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded, Message: "all synced", SyncResult: &v1alpha1.SyncOperationResult{Resources: v1alpha1.ResourceResults{
		{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "settings", Message: "applied"},
		{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: "migrate", HookType: v1alpha1.HookTypePreSync, HookPhase: v1alpha1.OperationSucceeded, Message: "done"},
	}}}
	return app
}

func TestApplicationsAreListed(t *testing.T) {
	app := shop(time.Now())
	for output, want := range map[string]string{
		"text": "NAME CLUSTER NAMESPACE PROJECT STATUS HEALTH SYNCPOLICY CONDITIONS REASON\n" +
			"argocd/shop https://kubernetes.default.svc shop default OutOfSync Degraded Auto-Prune ComparisonError(2),SharedResourceWarning Deployment web: 1 of 3 pods",
		"wide": "NAME CLUSTER NAMESPACE PROJECT STATUS HEALTH SYNCPOLICY CONDITIONS REPO PATH TARGET REASON\n" +
			"argocd/shop https://kubernetes.default.svc shop default OutOfSync Degraded Auto-Prune ComparisonError(2),SharedResourceWarning https://example.com/repo.git shop main Deployment web: 1 of 3 pods",
		"name": "argocd/shop",
	} {
		var b strings.Builder
		if err := printApps(&b, []v1alpha1.Application{*app}, output); err != nil || squeezed(b.String()) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", output, err, squeezed(b.String()), want)
		}
	}
}

func TestAnApplicationIsShown(t *testing.T) {
	now := time.Now()
	app := shop(now)
	at := now.Add(-time.Minute).Local().Format(time.DateTime)
	tree := &v1alpha1.ApplicationTree{Nodes: []v1alpha1.ResourceNode{
		{ResourceRef: v1alpha1.ResourceRef{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "1"},
			Health: &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusDegraded, Message: "1 of 3 pods"}},
		{ResourceRef: v1alpha1.ResourceRef{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "2"},
			ParentRefs: []v1alpha1.ResourceRef{{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "1"}}},
		{ResourceRef: v1alpha1.ResourceRef{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-2", UID: "3"},
			ParentRefs: []v1alpha1.ResourceRef{{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "1"}}},
	}}
	head := "Name: argocd/shop\nProject: default\nServer: https://kubernetes.default.svc\nNamespace: shop\nSource: https://example.com/repo.git shop main\n" +
		"Sync Policy: Auto-Prune\nSync Status: OutOfSync abc\nHealth Status: Degraded (Deployment web: 1 of 3 pods)\nOperation: Succeeded (all synced)\n" +
		"CONDITION MESSAGE LAST TRANSITION\nSharedResourceWarning one thing " + at + "\nComparisonError another " + at + "\nComparisonError more " + at + "\n"
	drift := "\nDrift:\nCLUSTER APPLICATION OBJECT WHAT BY SINCE\nhttps://kubernetes.default.svc shop Deployment shop/web .spec.replicas kubectl 60s"
	for output, want := range map[string]string{
		"text": head + "GROUP KIND NAMESPACE NAME STATUS HEALTH HOOK MESSAGE\napps Deployment shop web OutOfSync Degraded 1 of 3 pods\n" +
			"ConfigMap shop settings Synced applied\nbatch Job shop migrate Succeeded PreSync done" + drift,
		"tree": head + "KIND/NAME HEALTH MESSAGE\nDeployment/web Degraded 1 of 3 pods\n├─Pod/web-1\n└─Pod/web-2" + drift,
	} {
		var b strings.Builder
		if err := printApp(&b, app, tree, output, now); err != nil || squeezed(b.String()) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", output, err, squeezed(b.String()), want)
		}
	}
}
