package tenancy_test

import (
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

func TestLimits(t *testing.T) {
	change := func(action tenancy.Action, kind, name string) tenancy.Change {
		group := map[string]string{"StatefulSet": "apps", "Widget": "example.com"}[kind]
		return tenancy.Change{Action: action, Group: group, Kind: kind, Namespace: "n", Name: name}
	}
	prunes := []tenancy.Change{change(tenancy.Prune, "ConfigMap", "a"), change(tenancy.Prune, "ConfigMap", "b")}
	edits := []tenancy.Change{change(tenancy.Edit, "ConfigMap", "a"), change(tenancy.Replace, "StatefulSet", "b"), change(tenancy.Create, "Secret", "c")}
	for name, test := range map[string]struct {
		annotations map[string]string
		changes     []tenancy.Change
		want        []string
	}{
		"nothing is limited":             {nil, prunes, nil},
		"as many as the limit":           {map[string]string{"fairlead.dev/max-prune": "2"}, prunes, nil},
		"one more":                       {map[string]string{"fairlead.dev/max-prune": "1"}, prunes, []string{"it would prune 2 of 10 objects, and fairlead.dev/max-prune of the Application is 1"}},
		"none at all":                    {map[string]string{"fairlead.dev/max-prune": "0"}, prunes[:1], []string{"prune 1 of 10"}},
		"none at all, and nothing to do": {map[string]string{"fairlead.dev/max-prune": "0%"}, edits, nil},
		"a share that is kept":           {map[string]string{"fairlead.dev/max-prune": "20%"}, prunes, nil},
		"a share that is not":            {map[string]string{"fairlead.dev/max-prune": " 19.5% "}, prunes, []string{"prune 2 of 10"}},
		"changes, but not creations":     {map[string]string{"fairlead.dev/max-change": "1"}, edits, []string{"it would change 2 of 10 objects"}},
		"a protected kind is pruned":     {map[string]string{"fairlead.dev/protect-kinds": "Namespace, configmap"}, prunes, []string{"it would prune ConfigMap n/a, prune ConfigMap n/b, which fairlead.dev/protect-kinds of the Application protects"}},
		"one of a group is replaced":     {map[string]string{"fairlead.dev/protect-kinds": "apps/StatefulSet"}, edits, []string{"replace StatefulSet n/b"}},
		"the group is another":           {map[string]string{"fairlead.dev/protect-kinds": "example.com/StatefulSet,/StatefulSet"}, edits, nil},
		"a change is no replacement":     {map[string]string{"fairlead.dev/protect-kinds": "ConfigMap"}, edits, nil},
		"several reasons":                {map[string]string{"fairlead.dev/max-prune": "1", "fairlead.dev/protect-kinds": "ConfigMap"}, prunes, []string{"prune 2 of 10", "protects"}},
	} {
		t.Run(name, func(t *testing.T) {
			limits := tenancy.LimitsOf("the Application", test.annotations)
			if err := limits.Fault(); err != nil {
				t.Fatal(err)
			}
			got := limits.Exceeded(test.changes, 10)
			if len(got) != len(test.want) {
				t.Fatalf("reasons = %q, want %q", got, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("reason %q does not say %q", got[i], want)
				}
			}
		})
	}
}

func TestLimitsThatCannotBeRead(t *testing.T) {
	for name, annotations := range map[string]map[string]string{
		"a word":                 {"fairlead.dev/max-prune": "few"},
		"nothing":                {"fairlead.dev/max-prune": ""},
		"a negative number":      {"fairlead.dev/max-change": "-1"},
		"a part of an object":    {"fairlead.dev/max-change": "1.5"},
		"more than all":          {"fairlead.dev/max-prune": "101%"},
		"no number":              {"fairlead.dev/max-prune": "NaN%"},
		"without end":            {"fairlead.dev/max-prune": "Inf"},
		"a kind with a version":  {"fairlead.dev/protect-kinds": "apps/v1/StatefulSet"},
		"a list with a gap":      {"fairlead.dev/protect-kinds": "Namespace,,Secret"},
		"a list without a comma": {"fairlead.dev/protect-kinds": "Namespace Secret"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, tenancy.LimitsOf(`the project "shop"`, annotations).Fault(), `annotations of the project "shop"`)
		})
	}
}

func TestDigestOfChanges(t *testing.T) {
	a := tenancy.Change{Action: tenancy.Prune, Kind: "ConfigMap", Namespace: "n", Name: "a"}
	b := tenancy.Change{Action: tenancy.Edit, Group: "apps", Kind: "Deployment", Namespace: "n", Name: "b"}
	digest := tenancy.DigestOf([]string{"c1"}, []tenancy.Change{a, b})
	if other := tenancy.DigestOf([]string{"c1"}, []tenancy.Change{b, a}); other != digest {
		t.Errorf("the order counts: %s and %s", digest, other)
	}
	replaced := b
	replaced.Action = tenancy.Replace
	for name, other := range map[string]string{
		"another commit":  tenancy.DigestOf([]string{"c2"}, []tenancy.Change{a, b}),
		"one object less": tenancy.DigestOf([]string{"c1"}, []tenancy.Change{a}),
		"another action":  tenancy.DigestOf([]string{"c1"}, []tenancy.Change{a, replaced}),
	} {
		if other == digest {
			t.Errorf("%s has the same digest", name)
		}
	}
	app := &v1alpha1.Application{}
	app.Status.Conditions = []v1alpha1.ApplicationCondition{
		{Type: v1alpha1.ApplicationConditionSyncHeld, Message: "held by the deny window"},
		{Type: v1alpha1.ApplicationConditionSyncHeld, Message: tenancy.ApprovalMessage(digest, "shop", []string{"it would prune"}) + "; 2 objects wait"},
	}
	if got, _ := tenancy.AwaitedApproval(app); got != digest {
		t.Errorf("awaited = %q, want %q", got, digest)
	}
}
