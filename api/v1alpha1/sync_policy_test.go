package v1alpha1_test

import (
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestSyncOptions(t *testing.T) {
	options := v1alpha1.SyncOptions{"CreateNamespace=true", "Validate=a=b", "CreateNamespace=false", "odd"}
	for name, test := range map[string]struct {
		option, want string
		set          bool
	}{
		"the first entry wins":            {"CreateNamespace", "true", true},
		"a value with an equals sign":     {"Validate", "a=b", true},
		"an option that is absent":        {"Replace", "", false},
		"an entry without an equals sign": {"odd", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, set := options.Get(test.option); got != test.want || set != test.set {
				t.Errorf("got %q, %v", got, set)
			}
		})
	}
}

func TestAutomatedPolicyIsOnUnlessSwitchedOff(t *testing.T) {
	yes, no := true, false
	for name, test := range map[string]struct {
		policy *v1alpha1.SyncPolicy
		want   bool
	}{
		"no policy":                {nil, false},
		"no automated part":        {&v1alpha1.SyncPolicy{}, false},
		"an empty automated part":  {&v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}, true},
		"switched on":              {&v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{Enabled: &yes}}, true},
		"switched off":             {&v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{Enabled: &no}}, false},
		"switched off, with prune": {&v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{Enabled: &no, Prune: &yes}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.policy.IsAutomated(); got != test.want {
				t.Errorf("automated = %v", got)
			}
		})
	}
}
