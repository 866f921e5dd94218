package compare_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/compare"
)

func TestRules(t *testing.T) {
	deployment := func(r compare.Rule) []compare.Rule {
		r.Group, r.Kind = "apps", "Deployment"
		return []compare.Rule{r}
	}
	scaled := func(_, live *unstructured.Unstructured) { set(live, int64(5), "spec", "replicas") }
	image := func(_, live *unstructured.Unstructured) { set(live, "api:2", containers(0, "image")...) }
	imageDiffers := []string{`.spec.template.spec.containers[name="api"].image`}
	for sentence, test := range map[string]struct {
		rules   []compare.Rule
		options compare.RuleOptions
		change  func(desired, live *unstructured.Unstructured)
		want    []string
	}{
		"no rule":                      {nil, compare.RuleOptions{}, scaled, []string{".spec.replicas"}},
		"a pointer":                    {deployment(compare.Rule{JSONPointers: []string{"/spec/replicas"}}), compare.RuleOptions{}, scaled, nil},
		"a pointer to another field":   {deployment(compare.Rule{JSONPointers: []string{"/spec/paused"}}), compare.RuleOptions{}, scaled, []string{".spec.replicas"}},
		"a pointer into a list":        {deployment(compare.Rule{JSONPointers: []string{"/spec/template/spec/containers/0/image"}}), compare.RuleOptions{}, image, nil},
		"a pointer beyond a list":      {deployment(compare.Rule{JSONPointers: []string{"/spec/template/spec/containers/7"}}), compare.RuleOptions{}, image, imageDiffers},
		"a pointer to a whole section": {deployment(compare.Rule{JSONPointers: []string{"/spec"}}), compare.RuleOptions{}, image, nil},
		"a pointer with escapes": {deployment(compare.Rule{JSONPointers: []string{"/metadata/annotations/a~1b~0c"}}), compare.RuleOptions{},
			func(desired, _ *unstructured.Unstructured) { desired.SetAnnotations(map[string]string{"a/b~c": "x"}) }, nil},
		"an expression": {deployment(compare.Rule{JQPathExpressions: []string{`.spec.template.spec.containers[] | select(.name == "api") | .image`}}), compare.RuleOptions{}, image, nil},
		"an expression that takes the whole container":  {deployment(compare.Rule{JQPathExpressions: []string{`.spec.template.spec.containers[] | select(.name == "api")`}}), compare.RuleOptions{}, image, nil},
		"an expression that removes the key of an item": {deployment(compare.Rule{JQPathExpressions: []string{`.spec.template.spec.containers[].name`, `.spec.template.spec.containers[].image`}}), compare.RuleOptions{}, image, nil},
		"an expression that does not fit":               {deployment(compare.Rule{JQPathExpressions: []string{`.spec.replicas[0].x`}}), compare.RuleOptions{}, image, imageDiffers},
		"a rule for another kind":                       {[]compare.Rule{{Group: "apps", Kind: "StatefulSet", JSONPointers: []string{"/spec"}}}, compare.RuleOptions{}, image, imageDiffers},
		"a rule for all kinds":                          {[]compare.Rule{{Group: "*", Kind: "*", JSONPointers: []string{"/spec"}}}, compare.RuleOptions{}, image, nil},
		"a rule for another name":                       {deployment(compare.Rule{Name: "web", JSONPointers: []string{"/spec"}}), compare.RuleOptions{}, image, imageDiffers},
		"a rule for this name":                          {deployment(compare.Rule{Name: "api", Namespace: "namespace-a", JSONPointers: []string{"/spec"}}), compare.RuleOptions{}, image, nil},
		"a rule for another namespace":                  {deployment(compare.Rule{Namespace: "namespace-b", JSONPointers: []string{"/spec"}}), compare.RuleOptions{}, image, imageDiffers},
		"a manager": {deployment(compare.Rule{ManagedFieldsManagers: []string{"kube-controller-manager"}}), compare.RuleOptions{},
			func(desired, live *unstructured.Unstructured) {
				scaled(desired, live)
				owns(live, "kube-controller-manager", `{"f:spec":{"f:replicas":{}}}`)
			}, nil},
		"a manager that does not own the field": {deployment(compare.Rule{ManagedFieldsManagers: []string{"kube-controller-manager"}}), compare.RuleOptions{},
			func(desired, live *unstructured.Unstructured) {
				scaled(desired, live)
				owns(live, "kube-controller-manager", `{"f:spec":{"f:paused":{}}}`)
			}, []string{".spec.replicas"}},
		"the status counts when nothing leaves it out": {nil, compare.RuleOptions{},
			func(desired, _ *unstructured.Unstructured) { set(desired, int64(9), "status", "replicas") }, []string{".status.replicas"}},
		"the status of definitions alone is left out": {nil, compare.RuleOptions{StatusOfCRDs: true},
			func(desired, _ *unstructured.Unstructured) { set(desired, int64(9), "status", "replicas") }, []string{".status.replicas"}},
		"the status of all is left out": {nil, compare.RuleOptions{StatusOfAll: true},
			func(desired, _ *unstructured.Unstructured) { set(desired, int64(9), "status", "replicas") }, nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			test.options.JQTimeout = time.Minute
			rules, err := compare.NewRuleSet(test.rules, nil, test.options)
			if err != nil {
				t.Fatal(err)
			}
			desired, live := parse(t, desiredDeployment), parse(t, liveDeployment)
			unstructured.RemoveNestedField(desired.Object, "status")
			test.change(desired, live)
			result, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live, Rules: rules.For("apps", "Deployment", "namespace-a", "api")})
			if err != nil {
				t.Fatal(err)
			}
			if got := result.Fields(); !slices.Equal(got, test.want) {
				t.Errorf("fields %q, want %q", got, test.want)
			}
		})
	}
}

// owns adds an entry to the managed fields of an object.
func owns(live *unstructured.Unstructured, manager, fields string) {
	list, _, _ := unstructured.NestedSlice(live.Object, "metadata", "managedFields")
	entry := map[string]any{"manager": manager, "operation": "Update", "apiVersion": live.GetAPIVersion(), "fieldsType": "FieldsV1"}
	parsed := &unstructured.Unstructured{Object: map[string]any{}}
	if err := parsed.UnmarshalJSON([]byte(`{"apiVersion":"v1","kind":"x","f":` + fields + `}`)); err != nil {
		panic(err)
	}
	entry["fieldsV1"] = parsed.Object["f"]
	set(live, append(list, entry), "metadata", "managedFields")
}

func TestAggregatedRoles(t *testing.T) {
	desired := parse(t, `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}, rules: []}`)
	live := parse(t, `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}, rules: [{verbs: [get], resources: [pods], apiGroups: [""]}]}`)
	for ignored, want := range map[bool]bool{true: true, false: false} {
		set(desired, []any{map[string]any{"verbs": []any{"list"}, "resources": []any{"pods"}, "apiGroups": []any{""}}}, "rules")
		rules, err := compare.NewRuleSet(nil, nil, compare.RuleOptions{AggregatedRoles: ignored})
		if err != nil {
			t.Fatal(err)
		}
		result, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live, Rules: rules.For("rbac.authorization.k8s.io", "ClusterRole", "", "a")})
		if err != nil || result.Synced() != want {
			t.Errorf("aggregated roles ignored %v: synced %v, error %v", ignored, result.Synced(), err)
		}
	}
}

func TestKnownFields(t *testing.T) {
	desired := parse(t, `{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {pod: {containers: [{name: a, resources: {limits: {cpu: 1000m}}}]}, size: 1024Mi, other: 1000m}}`)
	live := parse(t, `{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {pod: {containers: [{name: a, resources: {limits: {cpu: "1"}}}]}, size: 1Gi, other: "1"}}`)
	rules, err := compare.NewRuleSet(nil, []compare.KnownField{
		{Group: "example.com", Kind: "Widget", Field: "spec.pod", Type: "core/v1/PodSpec"},
		{Group: "example.com", Kind: "Widget", Field: "spec.size", Type: "core/Quantity"},
	}, compare.RuleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live, Rules: rules.For("example.com", "Widget", "", "a")})
	if got, want := result.Fields(), []string{".spec.other"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("fields %q, want %q, error %v", got, want, err)
	}
}

func TestRulesThatCannotBeUsed(t *testing.T) {
	for says, rule := range map[string]compare.Rule{
		"no JSON pointer":       {Kind: "A", JSONPointers: []string{"spec/replicas"}},
		"no path expression":    {Kind: "A", JQPathExpressions: []string{".spec["}},
		"kind \"[\" is no glob": {Kind: "["},
	} {
		_, err := compare.NewRuleSet([]compare.Rule{rule, {Kind: "A", JSONPointers: []string{"/spec"}}}, nil, compare.RuleOptions{})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %q", err, says)
		}
	}
	if _, err := compare.NewRuleSet(nil, []compare.KnownField{{Kind: "A", Field: "spec", Type: "core/v1/PodSpecs"}}, compare.RuleOptions{}); err == nil {
		t.Error("a type that does not exist was taken")
	}
}

func TestAnExpressionWithoutEndIsStopped(t *testing.T) {
	rules, err := compare.NewRuleSet([]compare.Rule{{Group: "*", Kind: "*", JQPathExpressions: []string{`.spec | until(false; .)`}}}, nil, compare.RuleOptions{JQTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	desired, live := parse(t, desiredDeployment), parse(t, liveDeployment)
	set(live, int64(5), "spec", "replicas")
	_, err = compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live, Rules: rules.For("apps", "Deployment", "", "")})
	if err == nil || !strings.Contains(err.Error(), "took longer") {
		t.Errorf("error %v", err)
	}
}

func FuzzRules(f *testing.F) {
	f.Add("/spec/replicas", `.spec.template.spec.containers[] | select(.name == "api") | .image`)
	f.Add("/~1/~0/-1", `.a as $x | .b[$x]`)
	f.Add("", "..")
	f.Fuzz(func(t *testing.T, pointer, expression string) {
		rules, _ := compare.NewRuleSet([]compare.Rule{{Group: "*", Kind: "*", JSONPointers: []string{pointer}, JQPathExpressions: []string{expression}}}, nil, compare.RuleOptions{JQTimeout: 20 * time.Millisecond})
		desired, live := parse(t, desiredDeployment), parse(t, liveDeployment)
		set(live, int64(5), "spec", "replicas")
		_, _ = compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live, Rules: rules.For("apps", "Deployment", "namespace-a", "api")})
		if !equal(desired, parse(t, desiredDeployment)) {
			t.Error("the desired object was modified")
		}
	})
}
