package cli

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestDriftIsPrinted(t *testing.T) {
	now := time.Date(2026, 3, 1, 14, 5, 0, 0, time.UTC)
	since := metav1.NewTime(now.Add(-3 * time.Minute))
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "argocd"}}
	app.Spec.Destination.Name = "production"
	app.Status.Resources = []v1alpha1.ResourceStatus{
		{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web", Drift: &v1alpha1.ResourceDrift{
			Cause: v1alpha1.DriftChanged, Since: since, More: 4,
			Fields: []v1alpha1.DriftedField{
				{Path: ".spec.replicas", Manager: "kubectl-edit", Operation: "Update", Time: &since, Ignore: "/spec/replicas"},
				{Path: ".spec.paused", Ignore: "/spec/paused"},
			},
		}},
		{Kind: "Namespace", Name: "shop", Drift: &v1alpha1.ResourceDrift{Cause: v1alpha1.DriftDeleted, Since: since}},
		{Kind: "ConfigMap", Namespace: "shop", Name: "a"},
	}
	for sentence, test := range map[string]struct {
		list   []driftedObject
		output string
		want   []string
	}{
		"a line for each object": {driftOf(app), "text", []string{
			"CLUSTER APPLICATION OBJECT WHAT BY SINCE",
			"production web Deployment shop/web .spec.replicas and 5 more kubectl-edit, unknown 3m",
			"production web Namespace shop deleted 3m",
		}},
		"a line for each field": {driftOf(app), "wide", []string{
			"CLUSTER APPLICATION OBJECT FIELD BY AT SINCE IGNORE WITH",
			"production web Deployment shop/web .spec.replicas kubectl-edit " + since.Local().Format(time.DateTime) + " 3m /spec/replicas",
			"production web Deployment shop/web .spec.paused unknown 3m /spec/paused",
			"production web Namespace shop deleted 3m",
		}},
		"nothing":               {nil, "text", []string{"nothing has drifted"}},
		"nothing for a program": {nil, "json", []string{"[]"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			var b strings.Builder
			if err := printDrift(&b, test.list, test.output, now); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for line := range strings.Lines(b.String()) {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
			if got, want := strings.Join(lines, "\n"), strings.Join(test.want, "\n"); got != want {
				t.Errorf("printed\n%s\nwant\n%s", got, want)
			}
		})
	}
}
