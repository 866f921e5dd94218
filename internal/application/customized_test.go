package application

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/plan"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

func customized(t *testing.T, data map[string]string) *settings.Settings {
	t.Helper()
	s := settings.Parse(settings.Input{ConfigMaps: map[string]map[string]string{settings.ConfigMapName: data}}, nil, nil)
	if len(s.Warnings) > 0 {
		t.Fatalf("warnings: %v", s.Warnings)
	}
	return s
}

func TestTheMostSpecificHealthCheckDecides(t *testing.T) {
	s := customized(t, map[string]string{
		"resource.customizations": `
"*/*":
  health.lua: return {status = "Unknown", message = "all"}
"*.crossplane.io/*":
  health.lua: return {status = "Suspended", message = "a group"}
`,
		"resource.customizations.health.s3.aws.crossplane.io_Bucket":      `return {status = "Degraded", message = "the kind"}`,
		"resource.customizations.useOpenLibs.s3.aws.crossplane.io_Bucket": "true",
		"resource.customizations.health.Secret":                           `return {status = "Healthy", message = "core"}`,
	})
	var checks HealthChecks
	for sentence, c := range map[string]struct{ apiVersion, kind, message string }{
		"of the kind before that of its group": {"s3.aws.crossplane.io/v1", "Bucket", "the kind"},
		"of a group before that of all":        {"ec2.aws.crossplane.io/v1", "Instance", "a group"},
		"of all before what is built in":       {"apps/v1", "Deployment", "all"},
		"of a kind of the core group":          {"v1", "Secret", "core"},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, _ := checks.Of(s).Assess(t.Context(), &unstructured.Unstructured{Object: map[string]any{"apiVersion": c.apiVersion, "kind": c.kind}})
			if got.Message != c.message {
				t.Errorf("got %+v, want %q", got, c.message)
			}
		})
	}
	if script, ok := scriptsOf(s.Customizations)("s3.aws.crossplane.io", "Bucket"); !ok || !script.OpenLibs {
		t.Errorf("useOpenLibs is lost: %+v", script)
	}
}

func TestHealthChecksStayCompiledWhileTheyAreTheSame(t *testing.T) {
	check := map[string]string{"resource.customizations.health.example.com_Widget": `return {status = "Healthy"}`}
	var checks HealthChecks
	first := checks.Of(customized(t, check))
	check["timeout.reconciliation"] = "60s"
	if checks.Of(customized(t, check)) != first {
		t.Error("another setting had all objects assessed anew")
	}
	check["resource.customizations.health.example.com_Widget"] = `return {status = "Degraded"}`
	if checks.Of(customized(t, check)) == first {
		t.Error("a changed script was not taken")
	}
	without := checks.Of(customized(t, nil))
	if got, ok := without.Assess(t.Context(), &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Widget"}}); ok {
		t.Errorf("a removed script still decides: %+v", got)
	}
}

func TestActionsComeFromTheSettings(t *testing.T) {
	s := customized(t, map[string]string{"resource.customizations.actions.apps_Deployment": `
mergeBuiltinActions: true
discovery.lua: return {wake = {}}
definitions:
- name: wake
  action.lua: |
    obj.spec.replicas = 1
    return obj
`})
	catalog := ActionsOf(s, time.Now)
	deployment := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "spec": map[string]any{"replicas": int64(0)}}}
	offers, err := catalog.Discover(t.Context(), deployment)
	if err != nil || len(offers) != 5 {
		t.Errorf("offers %v, %v", offers, err)
	}
	changes, err := catalog.Run(t.Context(), deployment, "wake", nil)
	if err != nil || len(changes) != 1 {
		t.Fatalf("changes %v, %v", changes, err)
	}
	if n, _, _ := unstructured.NestedInt64(changes[0].Object.Object, "spec", "replicas"); n != 1 {
		t.Errorf("replicas %d", n)
	}
}

func TestRevisionsAreNamedAsPeopleKnowThem(t *testing.T) {
	commit := "6f2ab2c0d1e2f3a4b5c6d7e8f90a1b2c3d4e5f60"
	for revision, want := range map[string]string{
		commit: "commit 6f2ab2c", "1.4.2": "revision 1.4.2", "": "", commit + ", 1.4.2": "revisions 6f2ab2c, 1.4.2",
	} {
		if got := named(revision); got != want {
			t.Errorf("%q is called %q, want %q", revision, got, want)
		}
	}
}

func TestAnApplicationBelowAnotherCountsOnlyWhenItIsIll(t *testing.T) {
	r := &reconciliation{app: &v1alpha1.Application{}, destination: &Destination{Server: v1alpha1.InClusterServer}}
	r.app.Name, r.app.Namespace = "apps", "argocd"
	for sentence, c := range map[string]struct {
		kind, name string
		word       health.Status
		want       bool
	}{
		"one that is degraded counts":             {"Application", "shop", health.Degraded, false},
		"one whose health is not known does not":  {"Application", "shop", health.Unknown, true},
		"one that is missing does not":            {"Application", "shop", health.Missing, true},
		"the Application itself does not":         {"Application", "apps", health.Degraded, true},
		"an ApplicationSet of the same name does": {"ApplicationSet", "apps", health.Unknown, false},
	} {
		t.Run(sentence, func(t *testing.T) {
			o := &object{Reference: plan.Reference{Group: v1alpha1.Group, Kind: c.kind, Namespace: "argocd", Name: c.name}}
			o.health.Status = c.word
			if got := r.leftOut(o); got != c.want {
				t.Errorf("left out: %v", got)
			}
		})
	}
}
