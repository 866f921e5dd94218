package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func all(Resource) bool { return true }

func answer(stale ...schema.GroupVersion) discovered {
	watchable := metav1.Verbs{"get", "list", "watch"}
	d := discovered{
		version: "v1.36.3",
		groups: []metav1.APIGroup{
			{Name: "", Versions: []metav1.GroupVersionForDiscovery{{Version: "v1"}}},
			{Name: "example.com", Versions: []metav1.GroupVersionForDiscovery{{Version: "v2"}, {Version: "v1"}}},
		},
		resources: map[schema.GroupVersion]*metav1.APIResourceList{
			{Version: "v1"}: {APIResources: []metav1.APIResource{
				{Name: "pods", Kind: "Pod", Namespaced: true, Verbs: watchable}, {Name: "pods/log", Kind: "Pod", Verbs: metav1.Verbs{"get"}},
				{Name: "bindings", Kind: "Binding", Verbs: metav1.Verbs{"create"}},
			}},
			{Group: "example.com", Version: "v2"}: {APIResources: []metav1.APIResource{
				{Name: "widgets", Kind: "Widget", Verbs: watchable}, {Name: "reports", Kind: "Report", Verbs: metav1.Verbs{"list"}},
			}},
			{Group: "example.com", Version: "v1"}: {APIResources: []metav1.APIResource{
				{Name: "widgets", Kind: "Widget", Verbs: watchable}, {Name: "reports", Kind: "Report", Verbs: watchable},
			}},
		},
		failed: map[schema.GroupVersion]error{},
	}
	for _, gv := range stale {
		d.failed[gv] = errors.New("no answer")
		delete(d.resources, gv)
	}
	return d
}

func TestKindsAreFoundInTheirPreferredVersion(t *testing.T) {
	a := newAPIs(answer(), nil, all)
	for name, tc := range map[string]struct {
		gvk     schema.GroupVersionKind
		version string
		err     string
	}{
		"the first version of the group":       {schema.GroupVersionKind{Group: "example.com", Kind: "Widget"}, "v2", ""},
		"the version asked for":                {schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}, "v1", ""},
		"the first that can be watched":        {schema.GroupVersionKind{Group: "example.com", Kind: "Report"}, "v1", ""},
		"a kind that cannot be watched at all": {schema.GroupVersionKind{Kind: "Binding"}, "v1", ""},
		"an unknown version":                   {schema.GroupVersionKind{Group: "example.com", Version: "v3", Kind: "Widget"}, "", "it is served as v2"},
		"an unknown kind":                      {schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Gadget"}, "", "CustomResourceDefinition"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := a.resource(tc.gvk)
			if tc.err != "" {
				if !errors.Is(err, ErrKindUnknown) || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error is %v", err)
				}
				return
			}
			if err != nil || r.Kind.Version != tc.version {
				t.Errorf("found %+v, %v", r, err)
			}
		})
	}
	if !slices.Equal(a.names, []string{"example.com/v1", "example.com/v1/Report", "example.com/v1/Widget", "example.com/v2",
		"example.com/v2/Report", "example.com/v2/Widget", "v1", "v1/Binding", "v1/Pod"}) {
		t.Errorf("names are %v", a.names)
	}
}

func TestABrokenServerKeepsItsKinds(t *testing.T) {
	before := newAPIs(answer(), nil, all)
	v2 := schema.GroupVersion{Group: "example.com", Version: "v2"}
	broken := newAPIs(answer(v2), before, all)
	if _, err := broken.resource(v2.WithKind("Widget")); err != nil {
		t.Error(err)
	}
	never := newAPIs(answer(v2, schema.GroupVersion{Group: "example.com", Version: "v1"}), nil, all)
	if _, err := never.resource(v2.WithKind("Widget")); !errors.Is(err, ErrKindUnknown) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("error is %v", err)
	}
}

func TestUnknownBeforeTheFirstContact(t *testing.T) {
	var a *apis
	if _, err := a.resource(schema.GroupVersionKind{Kind: "Pod"}); !errors.Is(err, ErrKindUnknown) {
		t.Errorf("error is %v", err)
	}
}
