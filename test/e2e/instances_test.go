package e2e

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// waits is what an instance logs that does not hold the lease.
const waits = "another instance holds the lease"

func TestASecondInstance(t *testing.T) {
	t.Parallel()
	// The first does the work, and when it ends the second goes on.
	test := func(t *testing.T, end func(t *testing.T, first *program), limit time.Duration) {
		t.Helper()
		i := install(t)
		first := i.start(t, nil)
		a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
		a.await(t, synced)
		second := i.start(t, nil)
		second.awaitLog(t, waits)

		commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, syncedTo(commit))
		if about := second.log.about(a.name); about != "" {
			t.Errorf("the second instance works beside the first: %s", about)
		}

		end(t, first)
		within(t, limit, "the second instance to take over", func() error {
			if !strings.Contains(second.log.String(), "Successfully acquired lease") {
				return errors.New("it does not hold the lease")
			}
			return nil
		})
		commit = a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "3")})
		a.patch(t, `{"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}`)
		app := a.await(t, syncedTo(commit), noConditions, operationIs(v1alpha1.OperationSucceeded))
		a.awaitData(t, "one", "v", "3")
		if len(app.Status.History) != 3 {
			t.Errorf("history = %+v", app.Status.History)
		}
	}
	t.Run("takes over at once when the first is stopped", func(t *testing.T) {
		t.Parallel()
		test(t, func(t *testing.T, first *program) {
			if err := first.stop(); err != nil {
				t.Fatal(err)
			}
		}, soon)
	})
	t.Run("takes over within the time of the lease when the first is killed", func(t *testing.T) {
		t.Parallel()
		// It looks at the lease every few seconds, and counts from what it saw.
		const lease = 15 * time.Second
		test(t, func(t *testing.T, first *program) { first.kill(t) }, lease+2*soon)
	})
	t.Run("is stopped while it waits", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		i.start(t, nil)
		second := i.start(t, nil)
		second.awaitLog(t, waits)
		if err := second.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStop(t *testing.T) {
	t.Parallel()
	const applications = 20
	many := func(t *testing.T, i *installation) []*application {
		t.Helper()
		into := i.cluster.Namespace(t)
		all := make([]*application, applications)
		for n := range all {
			files := make(map[string]string)
			for m := range 5 {
				name := fmt.Sprintf("c%d-%d", n, m)
				files[name+".yaml"] = configMapYAML(name, "v", "1")
			}
			name := fmt.Sprintf("web%d", n)
			files["web.yaml"] = deploymentYAML(name, 1, image)
			a := i.prepare(t, files)
			a.name, a.into = fmt.Sprintf("%s-%d", a.name, n), into
			all[n] = a
		}
		return all
	}
	create := func(t *testing.T, all []*application) {
		t.Helper()
		for _, a := range all {
			a.create(t, automated)
		}
	}
	// begun waits until the work has begun and is far from its end.
	begun := func(t *testing.T, all []*application) {
		t.Helper()
		eventually(t, "the first sync to end", func() error {
			for _, a := range all {
				if state := a.get(t).Status.OperationState; state != nil && state.Phase.Completed() {
					return nil
				}
			}
			return fmt.Errorf("no Application has one")
		})
	}
	done := func(t *testing.T, all []*application) {
		t.Helper()
		for _, a := range all {
			app := a.await(t, synced, healthy, noConditions, operationIs(v1alpha1.OperationSucceeded))
			if app.Operation != nil || len(app.Status.History) != 1 || app.Status.History[0].ID != 0 {
				t.Errorf("%s: operation %v, history %+v", a.name, app.Operation, app.Status.History)
			}
			if resources := app.Status.OperationState.SyncResult.Resources; len(resources) != 6 {
				t.Errorf("%s: the result names %d objects", a.name, len(resources))
			}
		}
	}
	t.Run("by SIGTERM in the middle of work is quick and clean, and the work goes on after a start", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		all := many(t, i)
		p := i.start(t, nil, "--status-processors", "2")
		create(t, all)
		begun(t, all)
		start := time.Now()
		if err := p.process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.exited:
		case <-time.After(soon):
			t.Fatalf("it does not end within %s", soon)
		}
		if p.err != nil {
			t.Errorf("it ended with %v after %s", p.err, time.Since(start))
		}
		i.start(t, nil)
		done(t, all)
	})
	t.Run("by SIGKILL in the middle of work loses nothing and repeats nothing", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		all := many(t, i)
		p := i.start(t, nil, "--status-processors", "2")
		create(t, all)
		begun(t, all)
		p.kill(t)
		i.start(t, nil) // it waits for the lease of the first
		done(t, all)
	})
	t.Run("by SIGKILL while a wave is waited for goes on with that wave", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		p := i.start(t, nil)
		a := i.deploy(t, map[string]string{
			"a.yaml": jobYAML("slow", 0, "sleep 4"), "b.yaml": annotatedConfigMapYAML("last", "argocd.argoproj.io/sync-wave", "1"),
		}, automated)
		app := a.await(t, operationIs(v1alpha1.OperationRunning, "slow"))
		p.kill(t)
		a.mustNotBeLive(t, "last")
		i.start(t, nil)
		after := a.await(t, synced, healthy, noConditions, operationIs(v1alpha1.OperationSucceeded))
		if !after.Status.OperationState.StartedAt.Equal(&app.Status.OperationState.StartedAt) || len(after.Status.History) != 1 {
			t.Errorf("it was begun anew: %+v, history %+v", after.Status.OperationState, after.Status.History)
		}
		a.mustBeLive(t, "last")
	})
}
