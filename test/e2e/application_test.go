package e2e

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// folder is where the manifests of a test's Application lie in its repository.
const folder = "app"

// application is an Application of a test, with what it is deployed from and
// where to.
type application struct {
	*installation
	name string
	home string // the namespace that the Application is in
	into string // the namespace of its destination
	repo *gitserver.Repo
}

// change adapts an Application before it is created.
type change func(*v1alpha1.Application)

// deploy makes a repository with files below the folder, a namespace to deploy
// into, and an Application that joins the two. What changes alter comes last.
func (i *installation) deploy(t testing.TB, files map[string]string, changes ...change) *application {
	t.Helper()
	a := i.prepare(t, files)
	a.into = i.cluster.Namespace(t)
	a.create(t, changes...)
	return a
}

// prepare makes the repository of an Application and names it, and leaves the
// rest to create.
func (i *installation) prepare(t testing.TB, files map[string]string) *application {
	t.Helper()
	a := &application{installation: i, name: uniqueName(t.Name()), home: i.namespace}
	a.repo = gitServer(t).Repository(t, a.name+".git", inFolder(files))
	return a
}

// create creates the Application.
func (a *application) create(t testing.TB, changes ...change) {
	t.Helper()
	app := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: a.name, Namespace: a.home},
		Spec: v1alpha1.ApplicationSpec{
			Project:     "default",
			Source:      &v1alpha1.ApplicationSource{Path: folder},
			Destination: v1alpha1.ApplicationDestination{Server: v1alpha1.InClusterServer, Namespace: a.into},
		},
	}
	if a.repo != nil {
		app.Spec.Source.RepoURL = a.repo.URL()
	}
	for _, change := range changes {
		change(app)
	}
	a.into = app.Spec.Destination.Namespace
	if _, err := a.argo.Applications(a.home).Create(t.Context(), app, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
		t.Fatalf("creating the Application %s: %v", a.name, err)
	}
	t.Cleanup(func() { a.leave(t) })
}

// inFolder puts files, and removals of files, into the folder.
func inFolder(files map[string]string) map[string]string {
	out := make(map[string]string, len(files))
	for name, content := range files {
		if removed, ok := strings.CutPrefix(name, "-"); ok {
			out["-"+path.Join(folder, removed)] = content
			continue
		}
		out[path.Join(folder, name)] = content
	}
	return out
}

// automated lets the Application sync by itself.
func automated(app *v1alpha1.Application) {
	policyOf(app).Automated = &v1alpha1.SyncPolicyAutomated{}
}

// automatedWith is automated with options.
func automatedWith(policy v1alpha1.SyncPolicyAutomated) change {
	return func(app *v1alpha1.Application) { policyOf(app).Automated = &policy }
}

// withOptions sets sync options.
func withOptions(options ...string) change {
	return func(app *v1alpha1.Application) { policyOf(app).SyncOptions = options }
}

// withFinalizer sets the finalizer that deletes the objects with the Application.
func withFinalizer(name string) change {
	return func(app *v1alpha1.Application) { app.Finalizers = append(app.Finalizers, name) }
}

// inProject puts the Application into a project.
func inProject(name string) change {
	return func(app *v1alpha1.Application) { app.Spec.Project = name }
}

func policyOf(app *v1alpha1.Application) *v1alpha1.SyncPolicy {
	if app.Spec.SyncPolicy == nil {
		app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{}
	}
	return app.Spec.SyncPolicy
}

// leave shows the Application when the test failed, and takes it away, so that
// a shared fairlead is not kept busy.
func (a *application) leave(t testing.TB) {
	t.Helper()
	ctx, cancel := cleanupContext()
	defer cancel()
	apps := a.argo.Applications(a.home)
	if t.Failed() {
		if app, err := apps.Get(ctx, a.name, metav1.GetOptions{}); err == nil {
			app.ManagedFields = nil
			text, _ := yaml.Marshal(app)
			t.Logf("the Application:\n%s", text)
		}
		if common.program != nil && a.installation == common.installation {
			t.Logf("log of the shared fairlead about it:\n%s", common.program.log.about(a.name))
		}
	}
	// A test that needs the finalizers has seen them at work by now.
	_, _ = apps.Patch(ctx, a.name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	_ = apps.Delete(ctx, a.name, metav1.DeleteOptions{})
}

// get reads the Application.
func (a *application) get(t testing.TB) *v1alpha1.Application {
	t.Helper()
	app, err := a.argo.Applications(a.home).Get(t.Context(), a.name, metav1.GetOptions{})
	if err != nil {
		t.Fatalf("reading the Application %s: %v", a.name, err)
	}
	return app
}

// patch is kubectl patch --type merge.
func (a *application) patch(t testing.TB, patch string) {
	t.Helper()
	_, err := a.argo.Applications(a.home).Patch(t.Context(), a.name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatalf("patching the Application %s: %v", a.name, err)
	}
}

// delete is kubectl delete --wait=false.
func (a *application) delete(t testing.TB) {
	t.Helper()
	if err := a.argo.Applications(a.home).Delete(t.Context(), a.name, metav1.DeleteOptions{}); err != nil {
		t.Fatalf("deleting the Application %s: %v", a.name, err)
	}
}

// push commits files, and removals of files, below the folder to the default
// branch and returns the commit.
func (a *application) push(t testing.TB, files map[string]string) string {
	t.Helper()
	names := slices.Sorted(maps.Keys(files))
	return a.repo.Commit(t, inFolder(files), "Change "+strings.Join(names, ", "))
}

// head is the newest commit of the default branch.
func (a *application) head(t testing.TB) string {
	t.Helper()
	return a.repo.Git(t, "rev-parse", gitserver.Branch)
}

// refresh sets the refresh annotation and waits until it has been answered.
func (a *application) refresh(t testing.TB, kind v1alpha1.RefreshType) {
	t.Helper()
	a.patch(t, fmt.Sprintf(`{"metadata":{"annotations":{"argocd.argoproj.io/refresh":%q}}}`, kind))
	within(t, soon, "the refresh of "+a.name, func() error {
		if _, there := a.get(t).Annotations["argocd.argoproj.io/refresh"]; there {
			return fmt.Errorf("the annotation is still there")
		}
		return nil
	})
}

// request asks for a sync as kubectl patch does, and returns the check that it
// has ended.
func (a *application) request(t testing.TB, sync v1alpha1.SyncOperation, changes ...func(*v1alpha1.Operation)) check {
	t.Helper()
	id := rand.String(8)
	operation := v1alpha1.Operation{
		Sync: &sync, InitiatedBy: v1alpha1.OperationInitiator{Username: "admin"},
		Info: []*v1alpha1.Info{{Name: "request", Value: id}},
	}
	for _, change := range changes {
		change(&operation)
	}
	a.patch(t, string(mustJSON(t, map[string]any{"operation": operation})))
	return func(app *v1alpha1.Application) error {
		state := app.Status.OperationState
		switch {
		case state == nil || len(state.Operation.Info) != 1 || state.Operation.Info[0].Value != id:
			return fmt.Errorf("the operation has not begun")
		case !state.Phase.Completed():
			return fmt.Errorf("the operation is %s: %s", state.Phase, state.Message)
		case app.Operation != nil:
			return fmt.Errorf("the operation is still requested")
		}
		return nil
	}
}

// sync asks for a sync and waits until it has ended, however it did.
func (a *application) sync(t testing.TB, sync v1alpha1.SyncOperation, changes ...func(*v1alpha1.Operation)) *v1alpha1.Application {
	t.Helper()
	return a.await(t, a.request(t, sync, changes...))
}

// mustSync is sync for one that has to succeed.
func (a *application) mustSync(t testing.TB, sync v1alpha1.SyncOperation) *v1alpha1.Application {
	t.Helper()
	app := a.sync(t, sync)
	if state := app.Status.OperationState; state.Phase != v1alpha1.OperationSucceeded {
		t.Fatalf("the sync of %s ended %s: %s", a.name, state.Phase, state.Message)
	}
	return app
}

// check looks at an Application and says what is missing.
type check func(*v1alpha1.Application) error

// await waits until all checks hold at once, and returns the Application.
func (a *application) await(t testing.TB, checks ...check) *v1alpha1.Application {
	t.Helper()
	return a.awaitWithin(t, patience, checks...)
}

// awaitWithin is await with a bound of its own.
func (a *application) awaitWithin(t testing.TB, limit time.Duration, checks ...check) *v1alpha1.Application {
	t.Helper()
	var app *v1alpha1.Application
	within(t, limit, "the Application "+a.name, func() error {
		app = a.get(t)
		for _, check := range checks {
			if err := check(app); err != nil {
				return err
			}
		}
		return nil
	})
	return app
}

// isSync is the check for a sync status.
func isSync(want v1alpha1.SyncStatusCode) check {
	return func(app *v1alpha1.Application) error {
		if got := app.Status.Sync.Status; got != want {
			return fmt.Errorf("its sync status is %q and not %q (health %q, conditions %s)", got, want, app.Status.Health.Status, conditionsOf(app))
		}
		return nil
	}
}

// synced, outOfSync and healthy are checks for a state.
var (
	synced    = isSync(v1alpha1.SyncStatusCodeSynced)
	outOfSync = isSync(v1alpha1.SyncStatusCodeOutOfSync)
	healthy   = isHealth(v1alpha1.HealthStatusHealthy)
)

// syncedTo is the check for Synced at a commit.
func syncedTo(commit string) check {
	return func(app *v1alpha1.Application) error {
		if got := app.Status.Sync.Revision; got != commit {
			return fmt.Errorf("it was compared with %q and not %q (conditions %s)", got, commit, conditionsOf(app))
		}
		return synced(app)
	}
}

// isHealth is the check for a health.
func isHealth(want v1alpha1.HealthStatusCode) check {
	return func(app *v1alpha1.Application) error {
		if got := app.Status.Health.Status; got != want {
			return fmt.Errorf("its health is %q and not %q (sync status %q, conditions %s)", got, want, app.Status.Sync.Status, conditionsOf(app))
		}
		return nil
	}
}

// noConditions is the check that nothing is wrong.
func noConditions(app *v1alpha1.Application) error {
	if len(app.Status.Conditions) > 0 {
		return fmt.Errorf("it has the conditions %s", conditionsOf(app))
	}
	return nil
}

// hasCondition is the check for a condition whose message holds some texts.
func hasCondition(kind v1alpha1.ApplicationConditionType, texts ...string) check {
	return func(app *v1alpha1.Application) error {
		for _, condition := range app.Status.Conditions {
			if condition.Type == kind && containsAll(condition.Message, texts) {
				return nil
			}
		}
		return fmt.Errorf("it has no condition %s that says %q, but %s", kind, texts, conditionsOf(app))
	}
}

// operationIs is the check for the phase of the operation and its message.
func operationIs(phase v1alpha1.OperationPhase, texts ...string) check {
	return func(app *v1alpha1.Application) error {
		state := app.Status.OperationState
		switch {
		case state == nil:
			return fmt.Errorf("there was no operation (sync status %q, conditions %s)", app.Status.Sync.Status, conditionsOf(app))
		case state.Phase != phase || !containsAll(state.Message, texts):
			return fmt.Errorf("its operation is %s and says %q, and not %s with %q", state.Phase, state.Message, phase, texts)
		}
		return nil
	}
}

func containsAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

func conditionsOf(app *v1alpha1.Application) string {
	var all []string
	for _, condition := range app.Status.Conditions {
		all = append(all, fmt.Sprintf("%s: %s", condition.Type, condition.Message))
	}
	return fmt.Sprintf("%q", all)
}

// resourceOfStatus returns what the status says of an object.
func resourceOfStatus(app *v1alpha1.Application, kind, name string) *v1alpha1.ResourceStatus {
	for i, resource := range app.Status.Resources {
		if resource.Kind == kind && resource.Name == name {
			return &app.Status.Resources[i]
		}
	}
	return nil
}

// resultOf returns what the last sync says of an object.
func resultOf(app *v1alpha1.Application, kind, name string) *v1alpha1.ResourceResult {
	if app.Status.OperationState == nil || app.Status.OperationState.SyncResult == nil {
		return nil
	}
	for _, result := range app.Status.OperationState.SyncResult.Resources {
		if result.Kind == kind && result.Name == name {
			return result
		}
	}
	return nil
}

// resourceIs is the check for what the status says of an object.
func resourceIs(kind, name string, want v1alpha1.SyncStatusCode) check {
	return func(app *v1alpha1.Application) error {
		resource := resourceOfStatus(app, kind, name)
		if resource == nil {
			return fmt.Errorf("its status does not name the %s %s", kind, name)
		}
		if resource.Status != want {
			return fmt.Errorf("the %s %s is %q and not %q", kind, name, resource.Status, want)
		}
		return nil
	}
}

// summaryOf tells the state of an Application in a line.
func summaryOf(app *v1alpha1.Application) string {
	operation := "none"
	if state := app.Status.OperationState; state != nil {
		operation = fmt.Sprintf("%s: %s", state.Phase, state.Message)
	}
	return fmt.Sprintf("sync status %q at %.7s, health %q, conditions %s, operation %s",
		app.Status.Sync.Status, app.Status.Sync.Revision, app.Status.Health.Status, conditionsOf(app), operation)
}
