package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

const syncOptions = "argocd.argoproj.io/sync-options"

// approve agrees to deletions, as the button of the page does.
func (a *application) approve(t testing.TB) {
	t.Helper()
	at := time.Now().UTC().Add(time.Second).Format(time.RFC3339) // times are whole seconds
	a.patch(t, `{"metadata": {"annotations": {"argocd.argoproj.io/deletion-approved": "`+at+`"}}}`)
}

func TestSyncOptionsOfObjects(t *testing.T) {
	t.Parallel()
	t.Run("Force and Replace make a Job anew with every sync", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"job.yaml": hookYAML("task", "exit 0", syncOptions+": 'Force=true,Replace=true'"), "map.yaml": configMapYAML("one", "v", "1"),
		})
		a.mustSync(t, v1alpha1.SyncOperation{})
		first := a.job(t, "task").UID
		a.await(t, synced, healthy)
		a.mustSync(t, v1alpha1.SyncOperation{SyncOptions: v1alpha1.SyncOptions{"ApplyOutOfSyncOnly=true"}})
		if again := a.job(t, "task").UID; again != first {
			t.Error("ApplyOutOfSyncOnly=true did not leave the Job alone")
		}
		app := a.mustSync(t, v1alpha1.SyncOperation{})
		if again := a.job(t, "task").UID; again == first {
			t.Error("the Job is the same")
		}
		if got := app.Status.OperationState.SyncResult.Resources.Find("batch", "Job", a.into, "task", v1alpha1.SyncPhaseSync); !strings.Contains(got.Message, "anew") {
			t.Errorf("the result says %q", got.Message)
		}
		a.await(t, synced, healthy)
	})
	t.Run("Force of the strategy changes what cannot be changed in place", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"job.yaml": jobYAML("task", 0, "exit 0")})
		a.mustSync(t, v1alpha1.SyncOperation{})
		first := a.job(t, "task").UID
		a.push(t, map[string]string{"job.yaml": jobYAML("task", 0, "exit 0; true")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.mustSync(t, v1alpha1.SyncOperation{SyncStrategy: &v1alpha1.SyncStrategy{Hook: &v1alpha1.SyncStrategyHook{SyncStrategyApply: v1alpha1.SyncStrategyApply{Force: true}}}})
		if a.job(t, "task").UID == first {
			t.Error("the Job is the same")
		}
		a.await(t, synced)
	})
	t.Run("Prune=confirm waits until somebody agrees", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"one.yaml": configMapYAML("one"), "two.yaml": annotatedConfigMapYAML("two", syncOptions, "Prune=confirm"),
		})
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.push(t, map[string]string{"-two.yaml": "", "three.yaml": annotatedConfigMapYAML("three", "argocd.argoproj.io/sync-wave", "1")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		done := a.request(t, v1alpha1.SyncOperation{Prune: true})
		a.await(t, operationIs(v1alpha1.OperationRunning, "somebody to confirm the pruning of [configmap/two]", "argocd.argoproj.io/deletion-approved"))
		a.mustBeLive(t, "two")
		a.approve(t)
		if err := operationIs(v1alpha1.OperationSucceeded)(a.await(t, done)); err != nil {
			t.Error(err)
		}
		a.awaitGone(t, "two")
		a.mustBeLive(t, "three")
	})
	t.Run("PruneLast prunes after the last wave is healthy", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one"), "two.yaml": annotatedConfigMapYAML("two", syncOptions, "PruneLast=true"), "three.yaml": configMapYAML("three")})
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.push(t, map[string]string{"-two.yaml": "", "-three.yaml": "", "slow.yaml": jobYAML("slow", 3, "sleep 3")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		done := a.request(t, v1alpha1.SyncOperation{Prune: true})
		a.await(t, operationIs(v1alpha1.OperationRunning, "job.batch/slow", "wave 3"))
		a.mustBeLive(t, "two")
		a.mustNotBeLive(t, "three")
		if err := operationIs(v1alpha1.OperationSucceeded)(a.await(t, done)); err != nil {
			t.Error(err)
		}
		a.awaitGone(t, "two")
	})
	t.Run("prunes go in the reverse order of waves", func(t *testing.T) {
		t.Parallel()
		const wave = "argocd.argoproj.io/sync-wave"
		a := shared(t).deploy(t, map[string]string{
			"a.yaml": annotatedConfigMapYAML("base", wave, "-1"),
			"b.yaml": annotatedConfigMapYAML("top", wave, "5") + "",
			"c.yaml": configMapYAML("stays"),
		})
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.patchLive(t, "top", `{"metadata": {"finalizers": ["example.com/hold"]}}`)
		a.push(t, map[string]string{"-a.yaml": "", "-b.yaml": ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		done := a.request(t, v1alpha1.SyncOperation{Prune: true})
		a.await(t, operationIs(v1alpha1.OperationRunning, "configmap/top to be gone", "example.com/hold"))
		a.mustBeLive(t, "base")
		a.patchLive(t, "top", `{"metadata": {"finalizers": null}}`)
		if err := operationIs(v1alpha1.OperationSucceeded)(a.await(t, done)); err != nil {
			t.Error(err)
		}
		a.awaitGone(t, "base")
	})
	t.Run("Delete=confirm holds the deletion of the Application", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": annotatedConfigMapYAML("one", syncOptions, "Delete=confirm"), "two.yaml": configMapYAML("two")},
			automated, withFinalizer(v1alpha1.FinalizerResources))
		a.await(t, synced)
		a.delete(t)
		a.await(t, hasCondition(v1alpha1.ApplicationConditionDeletionError, "configmap/one", "argocd.argoproj.io/deletion-approved"))
		a.mustBeLive(t, "one", "two")
		a.approve(t)
		a.awaitEnd(t)
		a.mustNotBeLive(t, "one", "two")
	})
	t.Run("FailOnSharedResource refuses what another Application has", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one")})
		a.mustSync(t, v1alpha1.SyncOperation{})
		b := shared(t).prepare(t, map[string]string{"one.yaml": configMapYAML("one"), "two.yaml": configMapYAML("two")})
		b.into = a.into
		b.create(t, withOptions("FailOnSharedResource=true"))
		app := b.sync(t, v1alpha1.SyncOperation{})
		if err := operationIs(v1alpha1.OperationFailed, "configmap/one is part of the application", a.name, "FailOnSharedResource")(app); err != nil {
			t.Error(err)
		}
		b.mustNotBeLive(t, "two")
	})
	t.Run("SkipDryRunOnMissingResource leaves a kind for later", func(t *testing.T) {
		t.Parallel()
		w := newWidgets(t)
		a := shared(t).deploy(t, map[string]string{
			"one.yaml": configMapYAML("one"),
			"w.yaml":   strings.Replace(w.widget("w", "blue"), "spec:", "  annotations: {"+syncOptions+`: SkipDryRunOnMissingResource=true, argocd.argoproj.io/sync-wave: "1"}`+"\nspec:", 1),
		})
		done := a.request(t, v1alpha1.SyncOperation{})
		a.await(t, operationIs(v1alpha1.OperationRunning, "the API server to serve Widget."+w.group))
		a.mustBeLive(t, "one")
		var definition unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(w.definition()), &definition.Object); err != nil {
			t.Fatal(err)
		}
		w.forget(t, a.controlPlane)
		if _, err := a.dynamic.Resource(crdGVR).Create(t.Context(), &definition, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := operationIs(v1alpha1.OperationSucceeded)(a.await(t, done)); err != nil {
			t.Error(err)
		}
		a.await(t, synced, noConditions)
	})
}

func TestAPlanIsShownAndHeldTo(t *testing.T) {
	t.Parallel()
	i := shared(t)
	a := i.deploy(t, map[string]string{
		"one.yaml": configMapYAML("one", "v", "1"), "web.yaml": deploymentYAML("web", 1, image), "two.yaml": configMapYAML("two"),
	})
	a.mustSync(t, v1alpha1.SyncOperation{})
	a.await(t, synced, healthy, func(app *v1alpha1.Application) error {
		if app.Status.Plan != nil {
			return fmt.Errorf("there is a plan: %+v", app.Status.Plan)
		}
		return nil
	})
	a.push(t, map[string]string{
		"one.yaml": configMapYAML("one", "v", "2"), "web.yaml": deploymentYAML("web", 1, image+"-next"), "-two.yaml": "",
		"after.yaml": hookYAML("after", "exit 0", postSync),
	})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.await(t, outOfSync)
	p := app.Status.Plan
	if p == nil || p.Change != 2 || p.Prune != 1 || p.Run != 1 || p.RestartsPods != 1 || p.LosesData != 0 || len(p.Digest) != 16 {
		t.Fatalf("the status sums the plan up as %+v", p)
	}
	var shown struct {
		Digest string
		Steps  []struct{ Phase, Action, Kind, Name, Effect string }
	}
	body, err := get(t.Context(), "http://"+common.program.api(t)+"/api/v1/fairlead/applications/"+a.name+"/plan")
	if err == nil {
		err = json.Unmarshal([]byte(body), &shown)
	}
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, s := range shown.Steps {
		steps = append(steps, strings.TrimSpace(s.Phase+" "+s.Action+" "+s.Kind+"/"+s.Name+" "+s.Effect))
	}
	want := "Sync prune ConfigMap/two, Sync change ConfigMap/one, Sync change Deployment/web restarts pods, PostSync run Job/after"
	if got := strings.Join(steps, ", "); got != want || shown.Digest != p.Digest {
		t.Errorf("the plan %s is: %s", shown.Digest, got)
	}
	holdTo := func(op *v1alpha1.Operation) {
		op.Info = append(op.Info, &v1alpha1.Info{Name: v1alpha1.OperationInfoPlan, Value: p.Digest})
	}
	ended := func(phase v1alpha1.OperationPhase, texts ...string) check {
		return func(app *v1alpha1.Application) error {
			if state := app.Status.OperationState; state == nil || len(state.Operation.Info) != 2 {
				return fmt.Errorf("the operation has not begun")
			}
			return operationIs(phase, texts...)(app)
		}
	}
	a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "3")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.request(t, v1alpha1.SyncOperation{Prune: true}, holdTo)
	a.await(t, ended(v1alpha1.OperationFailed, "asks for the plan "+p.Digest, "look at the plan again"))
	if err := a.data(t, "one", "v", "1")(); err != nil {
		t.Error(err)
	}
	p = a.get(t).Status.Plan
	a.request(t, v1alpha1.SyncOperation{Prune: true}, holdTo)
	a.await(t, ended(v1alpha1.OperationSucceeded), synced)
	a.awaitGone(t, "two")
}

func TestManifestsOfTheOperationAreSynced(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "git")})
	app := a.mustSync(t, v1alpha1.SyncOperation{Manifests: []string{configMapYAML("one", "v", "local"), `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}`}})
	if err := a.data(t, "one", "v", "local")(); err != nil {
		t.Error(err)
	}
	a.mustBeLive(t, "two")
	if len(app.Status.History) != 0 {
		t.Errorf("the history tells of a revision that was not synced: %+v", app.Status.History)
	}
	a.await(t, outOfSync)
	app = a.sync(t, v1alpha1.SyncOperation{Manifests: []string{"{apiVersion: v1"}})
	if err := operationIs(v1alpha1.OperationFailed, "manifest 1", "neither JSON nor YAML")(app); err != nil {
		t.Error(err)
	}
	a.mustSync(t, v1alpha1.SyncOperation{Prune: true})
	a.await(t, synced)
	a.awaitGone(t, "two")
}

func TestSyncsActAsTheServiceAccountOfTheProject(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.set(t, map[string]string{"application.sync.impersonation.enabled": "true"})
	i.start(t, nil)
	into := i.cluster.Namespace(t)
	for _, err := range []error{
		ignoreExists(i.kube.CoreV1().ServiceAccounts(into).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "deployer"}}, metav1.CreateOptions{})),
		ignoreExists(i.kube.RbacV1().Roles(into).Create(t.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "deployer"}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"*"}},
		}}, metav1.CreateOptions{})),
		ignoreExists(i.kube.RbacV1().RoleBindings(into).Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "deployer"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "deployer"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "deployer", Namespace: into}},
		}, metav1.CreateOptions{})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	project := i.project(t, v1alpha1.AppProjectSpec{
		SourceRepos: []string{"*"}, Destinations: []v1alpha1.ApplicationDestination{{Server: "*", Namespace: "*"}},
		DestinationServiceAccounts: []v1alpha1.ApplicationDestinationServiceAccount{{Server: v1alpha1.InClusterServer, Namespace: into, DefaultServiceAccount: "deployer"}},
	})
	a := i.prepare(t, map[string]string{"one.yaml": configMapYAML("one")})
	a.into = into
	a.create(t, inProject(project))
	a.mustSync(t, v1alpha1.SyncOperation{})
	a.push(t, map[string]string{"secret.yaml": objectYAML("v1", "Secret", "s", "")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.sync(t, v1alpha1.SyncOperation{})
	if err := operationIs(v1alpha1.OperationFailed, "secret/s", "system:serviceaccount:"+into+":deployer")(app); err != nil {
		t.Error(err)
	}
	b := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one")}, inProject(project))
	app = b.sync(t, v1alpha1.SyncOperation{})
	if err := operationIs(v1alpha1.OperationFailed, "names no service account", b.into)(app); err != nil {
		t.Error(err)
	}
	b.mustNotBeLive(t, "one")
}

func ignoreExists[T any](_ T, err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
