package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// othersSync shows that another Application is synced as if nothing was wrong.
func (i *installation) othersSync(t testing.TB) {
	t.Helper()
	a := i.deploy(t, map[string]string{"beside.yaml": configMapYAML("beside", "v", "1")}, automated)
	a.await(t, synced, healthy, noConditions)
	a.mustBeLive(t, "beside")
}

// project creates an AppProject.
func (i *installation) project(t testing.TB, spec v1alpha1.AppProjectSpec) string {
	t.Helper()
	project := &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: uniqueName(t.Name()), Namespace: i.namespace}, Spec: spec}
	if _, err := i.argo.AppProjects(i.namespace).Create(t.Context(), project, metav1.CreateOptions{}); err != nil {
		t.Fatalf("creating the project %s: %v", project.Name, err)
	}
	return project.Name
}

// everything is the specification of a project that permits all.
func everything() v1alpha1.AppProjectSpec {
	return v1alpha1.AppProjectSpec{
		SourceRepos:              []string{"*"},
		Destinations:             []v1alpha1.ApplicationDestination{{Server: "*", Namespace: "*"}},
		ClusterResourceWhitelist: []v1alpha1.ClusterResourceRestrictionItem{{Group: "*", Kind: "*"}},
	}
}

func TestAnApplicationThatCannotBeComparedSaysWhyAndHarmsNoOther(t *testing.T) {
	t.Parallel()
	files := map[string]string{"one.yaml": configMapYAML("one")}
	const (
		invalidSpec = v1alpha1.ApplicationConditionInvalidSpecError
		comparison  = v1alpha1.ApplicationConditionComparisonError
	)
	for name, test := range map[string]struct {
		files    map[string]string
		project  func() v1alpha1.AppProjectSpec
		change   change
		kind     v1alpha1.ApplicationConditionType
		mentions []string
		// mend makes the Application one that can be synced.
		mend func(t *testing.T, a *application)
	}{
		"the project does not exist": {
			change: inProject("no-such-project"), kind: invalidSpec, mentions: []string{"no-such-project", "spec.project"},
			mend: func(t *testing.T, a *application) { a.patch(t, `{"spec": {"project": "default"}}`) },
		},
		"the project does not permit the repository": {
			project: func() v1alpha1.AppProjectSpec {
				spec := everything()
				spec.SourceRepos = []string{"https://git.example.com/*"}
				return spec
			},
			kind: invalidSpec, mentions: []string{"repo", "is not permitted in project", "sourceRepos"},
			mend: permitAll,
		},
		"the project does not permit the destination": {
			project: func() v1alpha1.AppProjectSpec {
				spec := everything()
				spec.Destinations = []v1alpha1.ApplicationDestination{{Server: "*", Namespace: "namespace-a"}}
				return spec
			},
			kind: invalidSpec, mentions: []string{"do not match any of the allowed destinations in project", "destinations"},
			mend: permitAll,
		},
		"the project does not permit the kind": {
			project: func() v1alpha1.AppProjectSpec {
				spec := everything()
				spec.NamespaceResourceBlacklist = []metav1.GroupKind{{Group: "", Kind: "ConfigMap"}}
				return spec
			},
			kind: comparison, mentions: []string{"one.yaml", "ConfigMap is not permitted in project"},
			mend: permitAll,
		},
		"the destination names no cluster that is known": {
			change: func(app *v1alpha1.Application) { app.Spec.Destination.Server = "https://cluster.example.com" },
			kind:   invalidSpec, mentions: []string{"https://cluster.example.com"},
			mend: func(t *testing.T, a *application) {
				a.patch(t, `{"spec": {"destination": {"server": null, "name": "in-cluster"}}}`)
			},
		},
		"the destination names no cluster at all": {
			change: func(app *v1alpha1.Application) { app.Spec.Destination.Server = "" },
			kind:   invalidSpec, mentions: []string{"spec.destination.server"},
			mend: func(t *testing.T, a *application) {
				a.patch(t, `{"spec": {"destination": {"server": "https://kubernetes.default.svc"}}}`)
			},
		},
		"the revision does not exist": {
			change: func(app *v1alpha1.Application) { app.Spec.Source.TargetRevision = "release-7" },
			kind:   comparison, mentions: []string{"release-7", "revision not found"},
			mend: func(t *testing.T, a *application) {
				a.repo.Git(t, "branch", "release-7", "main")
				a.refresh(t, v1alpha1.RefreshTypeNormal)
			},
		},
		"the path does not exist": {
			change: func(app *v1alpha1.Application) { app.Spec.Source.Path = "no/such/folder" },
			kind:   comparison, mentions: []string{"no/such/folder", "spec.source.path"},
			mend: func(t *testing.T, a *application) { a.patch(t, `{"spec": {"source": {"path": "app"}}}`) },
		},
		"the YAML is invalid": {
			files: map[string]string{
				"one.yaml": configMapYAML("one"),
				"bad.yaml": configMapYAML("fine") + "---\n" + objectYAML("v1", "ConfigMap", "bad", "") + "data:\n  a: b\n c: d\n",
			},
			kind: comparison, mentions: []string{"app/bad.yaml:12", "invalid YAML"},
			mend: func(t *testing.T, a *application) {
				a.push(t, map[string]string{"-bad.yaml": ""})
				a.refresh(t, v1alpha1.RefreshTypeNormal)
			},
		},
		"the JSON is invalid": {
			files: map[string]string{
				"one.yaml": configMapYAML("one"), "bad.json": "{\n  \"apiVersion\": \"v1\",\n  \"kind\" \"ConfigMap\"\n}\n",
			},
			kind: comparison, mentions: []string{"app/bad.json:3", "invalid JSON"},
			mend: func(t *testing.T, a *application) {
				a.push(t, map[string]string{"-bad.json": ""})
				a.refresh(t, v1alpha1.RefreshTypeNormal)
			},
		},
		"an object has no name": {
			files: map[string]string{"one.yaml": configMapYAML("one"), "bad.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"},
			kind:  comparison, mentions: []string{"app/bad.yaml:1", "metadata.name"},
			mend: func(t *testing.T, a *application) {
				a.push(t, map[string]string{"-bad.yaml": ""})
				a.refresh(t, v1alpha1.RefreshTypeNormal)
			},
		},
		"the cluster does not know a kind": {
			files: map[string]string{"one.yaml": configMapYAML("one"), "bad.yaml": objectYAML("missing.example.com/v1", "Missing", "bad", "")},
			kind:  comparison, mentions: []string{"app/bad.yaml", "Missing", "missing.example.com", "CustomResourceDefinition"},
			mend: func(t *testing.T, a *application) {
				a.push(t, map[string]string{"-bad.yaml": ""})
				a.refresh(t, v1alpha1.RefreshTypeNormal)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := shared(t)
			contents := test.files
			if contents == nil {
				contents = files
			}
			changes := []change{automated}
			if test.project != nil {
				changes = append(changes, inProject(i.project(t, test.project())))
			}
			if test.change != nil {
				changes = append(changes, test.change)
			}
			a := i.deploy(t, contents, changes...)
			app := a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), hasCondition(test.kind, test.mentions...))
			a.mustNotBeLive(t, "one")
			for _, condition := range app.Status.Conditions {
				if condition.LastTransitionTime == nil {
					t.Errorf("the condition %s has no time", condition.Type)
				}
			}
			i.othersSync(t)

			app = a.sync(t, v1alpha1.SyncOperation{})
			if state := app.Status.OperationState; state.Phase.Successful() || !containsAll(state.Message, test.mentions) {
				t.Errorf("a sync by hand ended %s: %s", state.Phase, state.Message)
			}
			if test.mend != nil {
				test.mend(t, a)
				a.await(t, synced, healthy, noConditions)
				a.mustBeLive(t, "one")
			}
		})
	}
}

// permitAll lets the project of an Application permit everything.
func permitAll(t *testing.T, a *application) {
	t.Helper()
	name := a.get(t).Spec.Project
	projects := a.argo.AppProjects(a.namespace)
	project, err := projects.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	project.Spec = everything()
	if _, err := projects.Update(t.Context(), project, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestAComparisonThatFailsKeepsWhatWasSynced(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")},
		automatedWith(v1alpha1.SyncPolicyAutomated{Prune: new(true), SelfHeal: new(true)}))
	a.await(t, synced)
	a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2") + " broken: [\n"})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), hasCondition(v1alpha1.ApplicationConditionComparisonError, "app/one.yaml"))
	if len(app.Status.Resources) != 1 || app.Status.Health.Status != v1alpha1.HealthStatusHealthy {
		t.Errorf("what was known of the objects is gone: %+v, health %s", app.Status.Resources, app.Status.Health.Status)
	}
	a.awaitData(t, "one", "v", "1")
}

func TestAnObjectOfTwoApplicationsIsAWarning(t *testing.T) {
	t.Parallel()
	i := shared(t)
	first := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1"), "own.yaml": configMapYAML("own")})
	first.mustSync(t, v1alpha1.SyncOperation{})
	second := i.prepare(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
	second.into = first.into
	second.create(t)
	second.await(t, hasCondition(v1alpha1.ApplicationConditionSharedResourceWarning, "ConfigMap", "one", first.name, second.name))
	first.await(t, synced, noConditions)

	second.push(t, map[string]string{"-one.yaml": "", "two.yaml": configMapYAML("two")})
	second.refresh(t, v1alpha1.RefreshTypeNormal)
	second.mustSync(t, v1alpha1.SyncOperation{Prune: true})
	second.await(t, synced, noConditions)
	first.mustBeLive(t, "one")
}

func TestAnObjectThatStandsTwiceInAFolderIsAWarning(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{
		"a.yaml": configMapYAML("one", "v", "1"), "b.yaml": configMapYAML("one", "v", "2"),
	}, automated)
	app := a.await(t, synced, hasCondition(v1alpha1.ApplicationConditionRepeatedResourceWarning, "ConfigMap", "one"))
	a.awaitData(t, "one", "v", "2")
	if len(app.Status.Resources) != 1 {
		t.Errorf("the status names %+v", app.Status.Resources)
	}
	for _, condition := range app.Status.Conditions {
		if !strings.HasSuffix(string(condition.Type), "Warning") {
			t.Errorf("condition %s: %s", condition.Type, condition.Message)
		}
	}
}
