package e2e

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// hookYAML is a Job that is a hook, by annotations given as name: value lines.
func hookYAML(name, command string, annotations ...string) string {
	return strings.Replace(jobYAML(name, 0, command), `{argocd.argoproj.io/sync-wave: "0"}`, "{"+strings.Join(annotations, ", ")+"}", 1)
}

// runs counts how often Jobs are made in a namespace.
type runs struct {
	mu   sync.Mutex
	uids map[string]map[types.UID]bool
	jobs []string // in the order in which they appeared
}

// watchJobs counts Jobs from now on.
func (a *application) watchJobs(t testing.TB) *runs {
	t.Helper()
	r := &runs{uids: make(map[string]map[types.UID]bool)}
	w, err := a.kube.BatchV1().Jobs(a.into).Watch(t.Context(), metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	go func() {
		for event := range w.ResultChan() {
			if job, ok := event.Object.(*batchv1.Job); ok {
				r.mu.Lock()
				if r.uids[job.Name] == nil {
					r.uids[job.Name] = make(map[types.UID]bool)
				}
				if !r.uids[job.Name][job.UID] {
					r.uids[job.Name][job.UID] = true
					r.jobs = append(r.jobs, job.Name)
				}
				r.mu.Unlock()
			}
		}
	}()
	return r
}

func (r *runs) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.uids)) {
		all = append(all, fmt.Sprintf("%s:%d", name, len(r.uids[name])))
	}
	return strings.Join(all, " ")
}

// await waits until the Jobs were made as often as want says.
func (r *runs) await(t testing.TB, want string) {
	t.Helper()
	eventually(t, "the runs of hooks", func() error {
		if got := r.String(); got != want {
			return fmt.Errorf("they are %q and not %q", got, want)
		}
		return nil
	})
}

func (r *runs) order() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.jobs, " ")
}

// hookResult is what the operation says of a hook.
func hookResult(app *v1alpha1.Application, name string) string {
	for _, entry := range app.Status.OperationState.SyncResult.Resources {
		if entry.Name == name {
			return fmt.Sprintf("%s %s %s", entry.HookType, entry.SyncPhase, entry.HookPhase)
		}
	}
	return "none"
}

const (
	preSync  = "argocd.argoproj.io/hook: PreSync"
	onSync   = "argocd.argoproj.io/hook: Sync"
	postSync = "argocd.argoproj.io/hook: PostSync"
	syncFail = "argocd.argoproj.io/hook: SyncFail"
)

// jobGone waits until a Job is not there.
func (a *application) jobGone(t testing.TB, name string) {
	t.Helper()
	eventually(t, "the end of the Job "+name, func() error {
		_, err := a.kube.BatchV1().Jobs(a.into).Get(t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it may be there"), err)
	})
}

func (a *application) job(t testing.TB, name string) *batchv1.Job {
	t.Helper()
	job, err := a.kube.BatchV1().Jobs(a.into).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func TestHooksRunInTheirPhases(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{
		"map.yaml":    configMapYAML("one", "v", "1"),
		"web.yaml":    deploymentYAML("web", 1, image),
		"before.yaml": hookYAML("before", "sleep 1", preSync, `argocd.argoproj.io/sync-wave: "1"`),
		"first.yaml":  hookYAML("first", "exit 0", preSync, `argocd.argoproj.io/sync-wave: "-1"`),
		"during.yaml": hookYAML("during", "exit 0", onSync),
		"after.yaml":  hookYAML("after", "exit 0", postSync, "argocd.argoproj.io/hook-delete-policy: HookSucceeded"),
		"failed.yaml": hookYAML("failed", "exit 0", syncFail),
		"never.yaml":  hookYAML("never", "exit 0", "argocd.argoproj.io/hook: Skip"),
		"many.yaml":   strings.Replace(hookYAML("many-", "exit 0", "argocd.argoproj.io/hook: 'PreSync,PostSync'"), "name: many-", "generateName: many-", 1),
	})
	ran := a.watchJobs(t)
	app := a.mustSync(t, v1alpha1.SyncOperation{})
	for name, want := range map[string]string{
		"first": "PreSync PreSync Succeeded", "before": "PreSync PreSync Succeeded", "during": "Sync Sync Succeeded",
		"after": "PostSync PostSync Succeeded", "failed": "none", "never": "none", "one": " Sync Running",
	} {
		if got := hookResult(app, name); got != want {
			t.Errorf("the operation says of %s: %s, want %s", name, got, want)
		}
	}
	order := ran.order()
	for _, before := range [][2]string{{"first", "before"}, {"before", "during"}, {"during", "after"}} {
		if strings.Index(order, before[0]) > strings.Index(order, before[1]) || !strings.Contains(order, before[0]) {
			t.Errorf("the hooks ran as %s", order)
		}
	}
	created := a.configMap(t, "one").CreationTimestamp
	if done := a.job(t, "before").Status.CompletionTime; created.Before(done) {
		t.Errorf("the objects were applied at %s, before the hook ended at %s", created, done)
	}
	generated := 0
	for name := range strings.FieldsSeq(order) {
		if strings.HasPrefix(name, "many-") {
			generated++
		}
	}
	if generated != 2 {
		t.Errorf("the hook with a generated name ran %d times: %s", generated, order)
	}
	a.jobGone(t, "after")
	a.await(t, synced, healthy, noConditions)
	eventually(t, "the hooks to be let go", func() error {
		if f := a.job(t, "before").Finalizers; len(f) > 0 {
			return fmt.Errorf("finalizers %v", f)
		}
		return nil
	})
	for _, res := range app.Status.Resources {
		if res.Kind == "Job" {
			t.Errorf("the hook %s is compared", res.Name)
		}
	}

	a.mustSync(t, v1alpha1.SyncOperation{})
	if got := strings.Join(slices.DeleteFunc(strings.Fields(ran.String()), func(s string) bool { return strings.HasPrefix(s, "many-") }), " "); got != "after:2 before:2 during:2 first:2" {
		t.Errorf("after two syncs: %s", got)
	}
	a.mustSync(t, v1alpha1.SyncOperation{SyncStrategy: &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{}}})
	a.mustSync(t, v1alpha1.SyncOperation{Resources: []v1alpha1.SyncOperationResource{{Kind: "ConfigMap", Name: "one"}}})
	a.mustSync(t, v1alpha1.SyncOperation{DryRun: true})
	if got := ran.String(); !strings.Contains(got, "before:2") {
		t.Errorf("hooks ran in a sync without them: %s", got)
	}
}

func TestAHookThatFailsEndsTheSync(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{
		"map.yaml":    configMapYAML("one"),
		"before.yaml": hookYAML("before", "exit 3", preSync, "argocd.argoproj.io/hook-delete-policy: HookFailed"),
		"beside.yaml": hookYAML("beside", "sleep 1", preSync, "argocd.argoproj.io/hook-delete-policy: HookFailed"),
		"failed.yaml": hookYAML("failed", "exit 0", syncFail),
		"after.yaml":  hookYAML("after", "exit 0", postSync),
	})
	ran := a.watchJobs(t)
	app := a.sync(t, v1alpha1.SyncOperation{}, func(op *v1alpha1.Operation) {
		op.Retry = v1alpha1.RetryStrategy{Limit: 1, Backoff: &v1alpha1.Backoff{Duration: "1s"}}
	})
	if err := operationIs(v1alpha1.OperationFailed, "the PreSync hook job.batch/before failed", "retried 1 times")(app); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"before": "PreSync PreSync Failed", "beside": "PreSync PreSync Succeeded", "failed": "SyncFail SyncFail Succeeded", "after": "none", "one": "none"} {
		if got := hookResult(app, name); got != want {
			t.Errorf("the operation says of %s: %s, want %s", name, got, want)
		}
	}
	if got := ran.String(); got != "before:2 beside:2 failed:2" {
		t.Errorf("the hooks ran %s", got)
	}
	a.mustNotBeLive(t, "one")
	a.jobGone(t, "before")
	if job := a.job(t, "beside"); job.DeletionTimestamp != nil {
		t.Error("a hook that succeeded went by the policy HookFailed")
	}
}

func TestAHookIsWaitedForAndItsEndIsNotMissed(t *testing.T) {
	t.Parallel()
	t.Run("its wait has a name, an age and a deadline", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"map.yaml": configMapYAML("one"), "slow.yaml": hookYAML("slow", "sleep 3600", preSync, "fairlead.dev/wait-timeout: 4s"),
		})
		done := a.request(t, v1alpha1.SyncOperation{})
		app := a.await(t, operationIs(v1alpha1.OperationRunning, "waiting for the PreSync hook job.batch/slow to end"))
		if w := app.Status.OperationState.Waiting; w == nil || w.For != "the PreSync hook job.batch/slow to end" || w.Until.Sub(w.Since.Time) != 4*time.Second {
			t.Errorf("waiting: %+v", w)
		}
		app = a.await(t, done)
		if err := operationIs(v1alpha1.OperationFailed, "gave up on the PreSync hook job.batch/slow to end after 4s")(app); err != nil {
			t.Error(err)
		}
		a.mustNotBeLive(t, "one")
		a.jobGone(t, "slow")
	})
	t.Run("one that somebody deletes has failed", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"slow.yaml": hookYAML("slow", "sleep 3600", preSync)})
		done := a.request(t, v1alpha1.SyncOperation{})
		a.await(t, operationIs(v1alpha1.OperationRunning, "job.batch/slow"))
		if err := a.kube.BatchV1().Jobs(a.into).Delete(t.Context(), "slow", deleteNow); err != nil {
			t.Fatal(err)
		}
		if err := operationIs(v1alpha1.OperationFailed, "deleted before it ended")(a.await(t, done)); err != nil {
			t.Error(err)
		}
		a.jobGone(t, "slow")
	})
	t.Run("one that the cluster removes as soon as it is done has succeeded", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"short.yaml": strings.Replace(hookYAML("short", "exit 0", preSync), "  backoffLimit: 0", "  backoffLimit: 0\n  ttlSecondsAfterFinished: 0", 1),
		})
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.jobGone(t, "short")
	})
	t.Run("a sync that is terminated ends its hooks within two seconds", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"slow.yaml": hookYAML("slow", "sleep 3600", preSync)})
		a.request(t, v1alpha1.SyncOperation{})
		a.await(t, operationIs(v1alpha1.OperationRunning, "job.batch/slow"))
		a.patch(t, `{"status": {"operationState": {"phase": "Terminating"}}}`)
		a.awaitWithin(t, soon, operationIs(v1alpha1.OperationFailed, "terminated"))
		a.jobGone(t, "slow")
	})
	t.Run("a newer commit supersedes an automated sync whose hook never ends", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"map.yaml": configMapYAML("one", "v", "1"), "slow.yaml": hookYAML("slow", "sleep 3600", preSync)}, automated)
		a.await(t, operationIs(v1alpha1.OperationRunning, "job.batch/slow"))
		a.push(t, map[string]string{"unrelated.txt": "nothing\n"})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, operationIs(v1alpha1.OperationRunning, "job.batch/slow"))
		fixed := a.push(t, map[string]string{"slow.yaml": hookYAML("slow", "exit 0", preSync)})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		app := a.await(t, syncedTo(fixed), operationIs(v1alpha1.OperationSucceeded))
		if got := app.Status.OperationState.SyncResult.Revision; got != fixed {
			t.Errorf("synced to %s, want %s", got, fixed)
		}
		a.mustBeLive(t, "one")
	})
}

func TestHelmHooksRunAsHelmMeansThem(t *testing.T) {
	t.Parallel()
	helm := func(name, when string, more ...string) string {
		return hookYAML(name, "exit 0", append([]string{"helm.sh/hook: '" + when + "'"}, more...)...)
	}
	a := shared(t).deploy(t, map[string]string{
		"map.yaml":     configMapYAML("one", "v", "1"),
		"install.yaml": helm("install", "pre-install", `helm.sh/hook-weight: "5"`, "helm.sh/hook-delete-policy: hook-succeeded"),
		"both.yaml":    helm("both", "pre-install,pre-upgrade", `helm.sh/hook-weight: "-5"`),
		"upgrade.yaml": helm("upgrade", "post-upgrade"),
		"test.yaml":    helm("test", "test"),
		"native.yaml":  hookYAML("native", "exit 0", postSync),
	})
	ran := a.watchJobs(t)
	app := a.mustSync(t, v1alpha1.SyncOperation{})
	ran.await(t, "both:1 install:1 native:1")
	if order := ran.order(); order != "both install native" || !app.Status.OperationState.FirstSync {
		t.Errorf("the first sync ran %s (first: %t)", order, app.Status.OperationState.FirstSync)
	}
	a.jobGone(t, "install")
	app = a.mustSync(t, v1alpha1.SyncOperation{})
	ran.await(t, "both:2 install:1 native:2 upgrade:1")
	if app.Status.OperationState.FirstSync {
		t.Error("the second sync counts as the first")
	}
}

func TestHooksOfADeletion(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"map.yaml":    configMapYAML("one"),
		"backup.yaml": hookYAML("backup", "sleep 1", "argocd.argoproj.io/hook: PreDelete"),
		"late.yaml":   hookYAML("late", "exit 0", "argocd.argoproj.io/hook: PreDelete", `argocd.argoproj.io/sync-wave: "1"`),
		"bye.yaml":    hookYAML("bye", "exit 0", "helm.sh/hook: post-delete", "helm.sh/hook-delete-policy: hook-succeeded"),
	}
	t.Run("run before and after the objects are deleted", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated, withFinalizer(v1alpha1.FinalizerResources))
		ran := a.watchJobs(t)
		app := a.await(t, synced, healthy, func(app *v1alpha1.Application) error {
			if len(app.Finalizers) != 3 {
				return fmt.Errorf("finalizers %v", app.Finalizers)
			}
			return nil
		})
		if ran.String() != "" {
			t.Errorf("hooks of the deletion ran in a sync: %s, finalizers %v", ran, app.Finalizers)
		}
		a.delete(t)
		a.awaitEnd(t)
		if order := ran.order(); order != "backup late bye" {
			t.Errorf("the hooks ran %q", order)
		}
		a.mustNotBeLive(t, "one")
		for _, name := range []string{"backup", "late", "bye"} {
			a.jobGone(t, name)
		}
	})
	t.Run("that fail hold the deletion, and say so", func(t *testing.T) {
		t.Parallel()
		failing := maps.Clone(files)
		failing["backup.yaml"] = hookYAML("backup", "exit 1", "argocd.argoproj.io/hook: PreDelete")
		a := shared(t).deploy(t, failing, automated, withFinalizer(v1alpha1.FinalizerResources))
		a.await(t, synced, func(app *v1alpha1.Application) error {
			if len(app.Finalizers) != 3 {
				return fmt.Errorf("finalizers %v", app.Finalizers)
			}
			return nil
		})
		a.delete(t)
		a.await(t, hasCondition(v1alpha1.ApplicationConditionDeletionError, "job.batch/backup", "delete the hook to run it again", v1alpha1.FinalizerPreDelete))
		a.mustBeLive(t, "one")
		ran := a.watchJobs(t)
		if err := a.kube.BatchV1().Jobs(a.into).Delete(t.Context(), "backup", deleteNow); err != nil {
			t.Fatal(err)
		}
		ran.await(t, "backup:2")
		a.patch(t, `{"metadata": {"finalizers": ["`+v1alpha1.FinalizerResources+`"]}}`)
		a.awaitEnd(t)
		a.mustNotBeLive(t, "one")
	})
}

func TestARunningHookSurvivesTheEndOfTheProcess(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	a := i.deploy(t, map[string]string{
		"map.yaml": configMapYAML("one"), "slow.yaml": hookYAML("slow", "sleep 4", preSync), "after.yaml": hookYAML("after", "sleep 1", postSync),
	})
	ran := a.watchJobs(t)
	done := a.request(t, v1alpha1.SyncOperation{})
	a.await(t, operationIs(v1alpha1.OperationRunning, "job.batch/slow"))
	p.kill(t)
	p = i.start(t, nil)
	if err := operationIs(v1alpha1.OperationSucceeded)(a.await(t, done)); err != nil {
		t.Error(err)
	}
	if got := ran.String(); got != "after:1 slow:1" {
		t.Errorf("the hooks ran %s", got)
	}
	a.mustBeLive(t, "one")
	_ = p
}
