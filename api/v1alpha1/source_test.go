package v1alpha1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestSourcesInForce(t *testing.T) {
	single := v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/single", Path: "a"}
	first := v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/first", Path: "b"}
	second := v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/second", Ref: "values"}
	rendered := v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/dry", TargetRevision: "rendered", Path: "c"}
	hydrator := &v1alpha1.SourceHydrator{
		DrySource:  v1alpha1.DrySource{RepoURL: "https://git.example.com/dry", TargetRevision: "main", Path: "d"},
		SyncSource: v1alpha1.SyncSource{TargetBranch: "rendered", Path: "c"},
	}
	for name, test := range map[string]struct {
		spec     v1alpha1.ApplicationSpec
		want     v1alpha1.ApplicationSources
		multiple bool
	}{
		"nothing": {},
		"the single source": {
			spec: v1alpha1.ApplicationSpec{Source: &single},
			want: v1alpha1.ApplicationSources{single},
		},
		"the list wins over the single source": {
			spec:     v1alpha1.ApplicationSpec{Source: &single, Sources: v1alpha1.ApplicationSources{first, second}},
			want:     v1alpha1.ApplicationSources{first, second},
			multiple: true,
		},
		"the branch of the hydrator wins over everything": {
			spec: v1alpha1.ApplicationSpec{Source: &single, Sources: v1alpha1.ApplicationSources{first}, SourceHydrator: hydrator},
			want: v1alpha1.ApplicationSources{rendered},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.spec.GetSources()); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
			if got := test.spec.HasMultipleSources(); got != test.multiple {
				t.Errorf("multiple = %v", got)
			}
			var want v1alpha1.ApplicationSource
			if len(test.want) > 0 {
				want = test.want[0]
			}
			if diff := cmp.Diff(want, test.spec.GetSource()); diff != "" {
				t.Errorf("first source (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSourcesAreEqualWhenListsAreEmptyOrAbsent(t *testing.T) {
	absent := v1alpha1.ApplicationSource{Helm: &v1alpha1.ApplicationSourceHelm{}}
	empty := v1alpha1.ApplicationSource{Helm: &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{}}}
	other := v1alpha1.ApplicationSource{Helm: &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"values.yaml"}}}
	if !absent.Equals(&empty) {
		t.Error("an empty list differs from an absent one")
	}
	if absent.Equals(&other) {
		t.Error("a list with a file is equal to an absent one")
	}
}

func TestSourceWithEmptyParametersSaysNothing(t *testing.T) {
	source := v1alpha1.ApplicationSource{
		Helm:      &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{}},
		Kustomize: &v1alpha1.ApplicationSourceKustomize{Images: v1alpha1.KustomizeImages{}},
		Directory: &v1alpha1.ApplicationSourceDirectory{},
		Plugin:    &v1alpha1.ApplicationSourcePlugin{},
	}
	if !source.IsZero() {
		t.Error("it is taken to say something")
	}
	source.Helm.ReleaseName = "web"
	if source.IsZero() {
		t.Error("it is taken to say nothing")
	}
}

func TestHelmValuesObjectWinsOverText(t *testing.T) {
	helm := v1alpha1.ApplicationSourceHelm{Values: "a: 1"}
	if got := string(helm.ValuesYAML()); got != "a: 1" {
		t.Errorf("values = %q", got)
	}
	helm.ValuesObject = rawObject(`{"a":2}`)
	if got := string(helm.ValuesYAML()); got != `{"a":2}` {
		t.Errorf("values = %q", got)
	}
}
