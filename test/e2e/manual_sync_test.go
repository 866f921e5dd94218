package e2e

import (
	"errors"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestSyncByPatchBringsTheObjectsOfGitToLife(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{
		"settings.yaml": configMapYAML("settings", "color", "blue"),
		"web.yaml":      deploymentYAML("web", 2, image),
	})

	before := a.await(t, outOfSync, isHealth(v1alpha1.HealthStatusMissing), noConditions,
		resourceIs("ConfigMap", "settings", v1alpha1.SyncStatusCodeOutOfSync),
		resourceIs("Deployment", "web", v1alpha1.SyncStatusCodeOutOfSync))
	a.mustNotBeLive(t, "settings")
	if before.Status.OperationState != nil || len(before.Status.History) > 0 {
		t.Errorf("there was a sync that nobody asked for: %s", summaryOf(before))
	}

	start := time.Now().Add(-time.Second).Truncate(time.Second) // what is kept are whole seconds
	a.patch(t, `{"operation": {"initiatedBy": {"username": "admin"}, "sync": {}}}`)
	app := a.await(t, synced, healthy, noConditions, operationIs(v1alpha1.OperationSucceeded))

	a.mustBeLive(t, "settings")
	if got := a.configMap(t, "settings").Annotations["argocd.argoproj.io/tracking-id"]; got != a.name+":/ConfigMap:"+a.into+"/settings" {
		t.Errorf("tracking id = %q", got)
	}
	if got := a.deployment(t, "web"); *got.Spec.Replicas != 2 || got.Spec.Template.Spec.Containers[0].Image != image {
		t.Errorf("the Deployment is %v", got.Spec)
	}

	t.Run("the operation is removed and its outcome stays", func(t *testing.T) {
		if app.Operation != nil {
			t.Errorf("operation = %v", app.Operation)
		}
		state := app.Status.OperationState
		if state.Operation.InitiatedBy.Username != "admin" || state.Operation.Sync == nil {
			t.Errorf("the operation was %v", state.Operation)
		}
		if state.StartedAt.Time.Before(start) || state.FinishedAt == nil || state.FinishedAt.Before(&state.StartedAt) {
			t.Errorf("it ran from %v to %v, asked for at %v", state.StartedAt, state.FinishedAt, start)
		}
		result := state.SyncResult
		if result.Revision != a.head(t) || result.Source.RepoURL != a.repo.URL() || len(result.Resources) != 2 {
			t.Fatalf("result = %+v", result)
		}
		for _, want := range []v1alpha1.ResourceResult{
			{Version: "v1", Kind: "ConfigMap", Name: "settings"},
			{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web", Images: []string{image}},
		} {
			got := resultOf(app, want.Kind, want.Name)
			if got == nil {
				t.Errorf("no result for the %s", want.Kind)
				continue
			}
			if got.Group != want.Group || got.Version != want.Version || got.Namespace != a.into || !slices.Equal(got.Images, want.Images) ||
				got.Status != v1alpha1.ResultCodeSynced || got.SyncPhase != v1alpha1.SyncPhaseSync || got.Message == "" {
				t.Errorf("result for the %s = %+v", want.Kind, *got)
			}
		}
	})
	t.Run("the status tells the state of each object", func(t *testing.T) {
		for _, check := range []check{
			resourceIs("ConfigMap", "settings", v1alpha1.SyncStatusCodeSynced),
			resourceIs("Deployment", "web", v1alpha1.SyncStatusCodeSynced),
		} {
			if err := check(app); err != nil {
				t.Error(err)
			}
		}
		web := resourceOfStatus(app, "Deployment", "web")
		if web.Group != "apps" || web.Version != "v1" || web.Namespace != a.into {
			t.Errorf("the Deployment is named as %+v", web)
		}
	})
	t.Run("the status tells what was compared, and when", func(t *testing.T) {
		status := app.Status
		if status.Sync.Revision != a.head(t) || status.Sync.ComparedTo.Source.RepoURL != a.repo.URL() ||
			status.Sync.ComparedTo.Destination.Namespace != a.into {
			t.Errorf("sync = %+v", status.Sync)
		}
		if status.SourceType != v1alpha1.ApplicationSourceTypeDirectory {
			t.Errorf("sourceType = %q", status.SourceType)
		}
		if status.ReconciledAt == nil || status.ReconciledAt.Time.Before(start) {
			t.Errorf("reconciledAt = %v, synced at %v", status.ReconciledAt, start)
		}
		if status.ControllerNamespace != a.namespace {
			t.Errorf("controllerNamespace = %q", status.ControllerNamespace)
		}
		if !slices.Equal(status.Summary.Images, []string{image}) {
			t.Errorf("images = %q", status.Summary.Images)
		}
		if status.ResourceHealthSource != v1alpha1.ResourceHealthLocationAppTree || resourceOfStatus(app, "Deployment", "web").Health != nil {
			t.Errorf("the health of single objects is in the status, source %q", status.ResourceHealthSource)
		}
	})
	t.Run("the sync enters the history", func(t *testing.T) {
		history := app.Status.History
		if len(history) != 1 {
			t.Fatalf("history = %+v", history)
		}
		entry := history[0]
		if entry.ID != 0 || entry.Revision != a.head(t) || entry.Source.Path != folder || entry.DeployedAt.Time.Before(start) ||
			entry.DeployStartedAt == nil || entry.InitiatedBy.Username != "admin" {
			t.Errorf("history = %+v", entry)
		}
		a.push(t, map[string]string{"settings.yaml": configMapYAML("settings", "color", "red")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, outOfSync)
		app := a.mustSync(t, v1alpha1.SyncOperation{})
		if last := app.Status.History.Last(); len(app.Status.History) != 2 || last.ID != 1 || last.Revision != a.head(t) {
			t.Errorf("history after a second sync = %+v", app.Status.History)
		}
		a.awaitData(t, "settings", "color", "red")
	})
}

func TestAFolderIsReadWithAllThatManifestsAreWrittenIn(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"one.yaml": configMapYAML("one"),
		"two.yml":  configMapYAML("two"),
		"several.yaml": "# several documents\n---\n" + configMapYAML("three") + "---\n---\n" + configMapYAML("four") +
			"---\n# nothing but a comment\n",
		"five.json": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "five"}}`,
		"list.yaml": `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: six}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: seven}}
`,
		"README.md":            "no manifest\n",
		"below/eight.yaml":     configMapYAML("eight"),
		"below/deep/nine.yaml": configMapYAML("nine"),
	}
	top := []string{"one", "two", "three", "four", "five", "six", "seven"}
	below := []string{"eight", "nine"}
	for name, test := range map[string]struct {
		directory    *v1alpha1.ApplicationSourceDirectory
		live, absent []string
	}{
		"sub-folders are left out": {live: top, absent: below},
		"with recurse, sub-folders belong to it": {
			directory: &v1alpha1.ApplicationSourceDirectory{Recurse: true}, live: append(slices.Clone(top), below...),
		},
		"include picks files": {
			directory: &v1alpha1.ApplicationSourceDirectory{Recurse: true, Include: "{*.json,below/*}"},
			live:      []string{"five", "eight", "nine"}, absent: []string{"one", "six"},
		},
		"exclude leaves files out": {
			directory: &v1alpha1.ApplicationSourceDirectory{Recurse: true, Exclude: "{below/deep/*,list.yaml}"},
			live:      []string{"one", "two", "three", "four", "five", "eight"}, absent: []string{"six", "seven", "nine"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := shared(t).deploy(t, files, func(app *v1alpha1.Application) { app.Spec.Source.Directory = test.directory })
			app := a.mustSync(t, v1alpha1.SyncOperation{})
			a.mustBeLive(t, test.live...)
			a.mustNotBeLive(t, test.absent...)
			if len(app.Status.Resources) != len(test.live) {
				t.Errorf("the status names %d objects, want %d", len(app.Status.Resources), len(test.live))
			}
			a.await(t, synced, noConditions)
		})
	}
}

func TestAManualSyncDoesWhatItsOptionsSay(t *testing.T) {
	t.Parallel()
	two := map[string]string{"one.yaml": configMapYAML("one", "v", "1"), "two.yaml": configMapYAML("two", "v", "1")}

	t.Run("resources limits it to the named objects", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, two)
		app := a.mustSync(t, v1alpha1.SyncOperation{Resources: []v1alpha1.SyncOperationResource{{Kind: "ConfigMap", Name: "two"}}})
		a.mustBeLive(t, "two")
		a.mustNotBeLive(t, "one")
		if len(app.Status.OperationState.SyncResult.Resources) != 1 || resultOf(app, "ConfigMap", "two") == nil {
			t.Errorf("result = %+v", app.Status.OperationState.SyncResult)
		}
		if len(app.Status.History) != 0 {
			t.Errorf("a sync of a part entered the history: %+v", app.Status.History)
		}
		a.await(t, outOfSync, resourceIs("ConfigMap", "two", v1alpha1.SyncStatusCodeSynced),
			resourceIs("ConfigMap", "one", v1alpha1.SyncStatusCodeOutOfSync))
	})
	t.Run("dryRun checks everything and changes nothing", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, two)
		app := a.mustSync(t, v1alpha1.SyncOperation{DryRun: true})
		a.mustNotBeLive(t, "one", "two")
		if resultOf(app, "ConfigMap", "one") == nil || len(app.Status.History) != 0 {
			t.Errorf("result = %+v, history = %+v", app.Status.OperationState.SyncResult, app.Status.History)
		}
		a.await(t, outOfSync)
	})
	t.Run("dryRun finds what the API server would refuse", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"bad.yaml": configMapYAML("one") + "unheardOf: 1\n"})
		app := a.sync(t, v1alpha1.SyncOperation{DryRun: true})
		if err := operationIs(v1alpha1.OperationFailed, "unheardOf")(app); err != nil {
			t.Error(err)
		}
	})
	t.Run("Validate=false lets an unknown field pass", func(t *testing.T) {
		t.Parallel()
		files := map[string]string{"web.yaml": deploymentYAML("web", 1, image) + "  unheardOf: 1\n"}
		a := shared(t).deploy(t, files)
		a.mustSync(t, v1alpha1.SyncOperation{SyncOptions: v1alpha1.SyncOptions{"Validate=false"}})
		a.deployment(t, "web")
		a.await(t, outOfSync) // the specification does not drop the field
		b := shared(t).deploy(t, files, withOptions("Validate=false"))
		b.mustSync(t, v1alpha1.SyncOperation{})
		b.await(t, synced, healthy)
	})
	t.Run("a revision that does not exist fails the operation and not the Application", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, two)
		app := a.sync(t, v1alpha1.SyncOperation{Revision: "no-such-branch"})
		if err := operationIs(v1alpha1.OperationFailed, "no-such-branch")(app); err != nil {
			t.Error(err)
		}
		if app.Status.Sync.Status != v1alpha1.SyncStatusCodeOutOfSync || len(app.Status.Conditions) != 0 {
			t.Errorf("sync status %s, conditions %+v", app.Status.Sync.Status, app.Status.Conditions)
		}
	})
	t.Run("revision takes another commit than the target revision", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, two)
		first := a.head(t)
		second := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		app := a.mustSync(t, v1alpha1.SyncOperation{Revision: first})
		a.awaitData(t, "one", "v", "1")
		if got := app.Status.OperationState.SyncResult.Revision; got != first {
			t.Errorf("synced to %s, want %s", got, first)
		}
		if last := app.Status.History.Last(); last == nil || last.Revision != first {
			t.Errorf("history = %+v", app.Status.History)
		}
		app = a.await(t, outOfSync)
		if app.Status.Sync.Revision != second {
			t.Errorf("compared with %s, want the target revision %s", app.Status.Sync.Revision, second)
		}
	})
	t.Run("prune deletes what is not in Git any more, and only with it", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, two)
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.push(t, map[string]string{"-two.yaml": ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		app := a.await(t, outOfSync)
		if two := resourceOfStatus(app, "ConfigMap", "two"); two == nil || !two.RequiresPruning {
			t.Errorf("the status says of the removed object: %+v", two)
		}
		app = a.mustSync(t, v1alpha1.SyncOperation{})
		a.mustBeLive(t, "one", "two")
		if got := resultOf(app, "ConfigMap", "two"); got == nil || got.Status != v1alpha1.ResultCodePruneSkipped {
			t.Errorf("result without prune = %+v", got)
		}
		app = a.mustSync(t, v1alpha1.SyncOperation{Prune: true})
		a.awaitGone(t, "two")
		a.mustBeLive(t, "one")
		if got := resultOf(app, "ConfigMap", "two"); got == nil || got.Status != v1alpha1.ResultCodePruned {
			t.Errorf("result with prune = %+v", got)
		}
		app = a.await(t, synced, noConditions)
		if resourceOfStatus(app, "ConfigMap", "two") != nil {
			t.Error("the status still names the object that was pruned")
		}
	})
	t.Run("an object that is not valid stops it before anything is written", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1") + "immutable: true\n", "two.yaml": configMapYAML("two", "v", "1")})
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2") + "immutable: true\n", "two.yaml": configMapYAML("two", "v", "2")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		app := a.sync(t, v1alpha1.SyncOperation{})
		if err := operationIs(v1alpha1.OperationFailed, "one", "immutable", "Force=true,Replace=true")(app); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"one", "two"} {
			if err := a.data(t, name, "v", "1")(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("an object that the cluster cannot take now keeps no other of its wave from being written", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one"), "two.yaml": configMapYAML("two")})
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "no-secrets"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"secrets": resource.MustParse("0")}}}
		if _, err := a.kube.CoreV1().ResourceQuotas(a.into).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the quota to be in force", func() error {
			got, err := a.kube.CoreV1().ResourceQuotas(a.into).Get(t.Context(), "no-secrets", metav1.GetOptions{})
			if err == nil && len(got.Status.Hard) == 0 {
				err = errors.New("its status is empty")
			}
			return err
		})
		a.push(t, map[string]string{"secret.yaml": objectYAML("v1", "Secret", "full", "")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		app := a.sync(t, v1alpha1.SyncOperation{})
		if err := operationIs(v1alpha1.OperationFailed, "secret/full", "quota")(app); err != nil {
			t.Error(err)
		}
		a.mustBeLive(t, "one")
		a.mustBeLive(t, "two")
	})
	t.Run("a field that the schema does not know is an error that names it", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"good.yaml": configMapYAML("good"), "web.yaml": deploymentYAML("web", 1, image) + "  unheardOf: 1\n",
		})
		app := a.sync(t, v1alpha1.SyncOperation{})
		if err := operationIs(v1alpha1.OperationFailed, "unheardOf", "web")(app); err != nil {
			t.Error(err)
		}
		if got := resultOf(app, "Deployment", "web"); got == nil || got.Status != v1alpha1.ResultCodeSyncFailed {
			t.Errorf("result = %+v", got)
		}
		if len(app.Status.History) != 0 {
			t.Errorf("a failed sync entered the history: %+v", app.Status.History)
		}
	})
}

func TestAnOperationIsHonouredWhileNothingDiffers(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
	a.mustSync(t, v1alpha1.SyncOperation{})
	version := a.configMap(t, "one").ResourceVersion
	app := a.mustSync(t, v1alpha1.SyncOperation{})
	if got := a.configMap(t, "one").ResourceVersion; got != version {
		t.Errorf("the object was written without a need: version %s, before %s", got, version)
	}
	if got := resultOf(app, "ConfigMap", "one"); got == nil || got.Status != v1alpha1.ResultCodeSynced {
		t.Errorf("result = %+v", got)
	}
	if len(app.Status.History) != 2 {
		t.Errorf("history = %+v", app.Status.History)
	}
}

func TestAnApplicationThatAppearsWithAnOperationIsSynced(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one")}, func(app *v1alpha1.Application) {
		app.Operation = &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}
	})
	a.await(t, synced, operationIs(v1alpha1.OperationSucceeded), noConditions)
	a.mustBeLive(t, "one")
}
