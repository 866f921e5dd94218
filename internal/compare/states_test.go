package compare_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/compare"
)

func TestStatesShowWhatCounts(t *testing.T) {
	replicas := []string{"spec", "replicas"}
	for sentence, c := range map[string]struct {
		rules                  []compare.Rule
		predicted              bool
		wantLive, wantReplicas any
	}{
		"a change in the cluster":           {wantLive: int64(5), wantReplicas: int64(2)},
		"as the API server foresees it":     {predicted: true, wantLive: int64(5), wantReplicas: int64(7)},
		"a field that is ignored":           {rules: []compare.Rule{{Group: "apps", Kind: "Deployment", JSONPointers: []string{"/spec/replicas"}}}},
		"a field that is a manager's":       {rules: []compare.Rule{{Group: "apps", Kind: "Deployment", ManagedFieldsManagers: []string{"hpa"}}}, wantLive: int64(5), wantReplicas: int64(5)},
		"a field that is another manager's": {rules: []compare.Rule{{Group: "apps", Kind: "Deployment", ManagedFieldsManagers: []string{"other"}}}, wantLive: int64(5), wantReplicas: int64(2)},
	} {
		t.Run(sentence, func(t *testing.T) {
			desired, live := parse(t, desiredDeployment), parse(t, liveDeployment)
			set(live, int64(5), replicas...)
			owns(live, "hpa", `{"f:spec":{"f:replicas":{}}}`)
			set(live, map[string]any{"replicas": int64(5)}, "status")
			rules, err := compare.NewRuleSet(c.rules, nil, compare.RuleOptions{StatusOfAll: true})
			if err != nil {
				t.Fatal(err)
			}
			var predicted *unstructured.Unstructured
			if c.predicted {
				predicted = live.DeepCopy()
				set(predicted, int64(7), replicas...)
			}
			states, err := compare.New("argocd-controller").StatesOf(compare.Pair{Desired: desired, Live: live, Rules: rules.For("apps", "Deployment", "namespace-a", "api")}, predicted)
			if err != nil {
				t.Fatal(err)
			}
			for _, side := range []struct {
				obj  *unstructured.Unstructured
				want any
			}{{states.Live, c.wantLive}, {states.Predicted, c.wantReplicas}} {
				if got, _, _ := unstructured.NestedFieldNoCopy(side.obj.Object, replicas...); got != side.want {
					t.Errorf("replicas are %v, want %v", got, side.want)
				}
				if side.obj.Object["status"] != nil || side.obj.GetResourceVersion() != "" || side.obj.GetManagedFields() != nil {
					t.Errorf("shown is what does not count: %v", side.obj)
				}
			}
		})
	}
}
