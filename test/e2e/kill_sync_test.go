package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// TestSyncsSurviveKillsAtRandomMoments carries 100 syncs with hooks and waves
// through, while the process is killed again and again. In the end everything
// is as the last commits say, and every hook has run once for each sync.
func TestSyncsSurviveKillsAtRandomMoments(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	t.Parallel()
	const applications, syncs = 10, 10
	i := install(t)
	version := func(n int) map[string]string {
		const wave = "argocd.argoproj.io/sync-wave"
		v := fmt.Sprint(n)
		return map[string]string{
			"early.yaml":  annotatedConfigMapYAML("early", wave, "-1", "v", v),
			"middle.yaml": configMapYAML("middle", "v", v),
			"late.yaml":   annotatedConfigMapYAML("late", wave, "1", "v", v),
			"before.yaml": hookYAML("before", "exit 0", preSync),
			"after.yaml":  hookYAML("after", "exit 0", postSync, "argocd.argoproj.io/hook-delete-policy: HookSucceeded"),
			"named.yaml":  strings.Replace(hookYAML("named-", "exit 0", preSync, wave+`: "1"`), "name: named-", "generateName: named-", 1),
		}
	}
	all := make([]*application, applications)
	ran := make([]*runs, applications)
	for n := range all {
		all[n] = i.deploy(t, version(0))
		ran[n] = all[n].watchJobs(t)
	}
	killed := i.killAgainAndAgain(t)
	var tests sync.WaitGroup
	for n, a := range all {
		tests.Go(func() {
			for v := range syncs {
				if v > 0 {
					a.push(t, version(v))
				}
				done := a.request(t, v1alpha1.SyncOperation{Revision: a.head(t)})
				if err := operationIs(v1alpha1.OperationSucceeded)(a.awaitWithin(t, 5*time.Minute, done)); err != nil {
					t.Errorf("sync %d of %s: %v", v, a.name, err)
				}
				for _, name := range []string{"early", "middle", "late"} {
					if err := a.data(t, name, "v", fmt.Sprint(v))(); err != nil {
						t.Errorf("after sync %d of %s: %v", v, a.name, err)
					}
				}
			}
			counts := map[string]int{}
			for name := range strings.FieldsSeq(ran[n].order()) {
				if strings.HasPrefix(name, "named-") {
					name = "named"
				}
				counts[name]++
			}
			if counts["before"] != syncs || counts["after"] != syncs || counts["named"] != syncs {
				t.Errorf("%s: after %d syncs the hooks ran %v: %s", a.name, syncs, counts, ran[n])
			}
		})
	}
	tests.Wait()
	times := killed()
	t.Logf("killed %d times", times)
	if times < 5 {
		t.Errorf("the process was killed %d times; that shows nothing", times)
	}
	for _, a := range all {
		app := a.awaitWithin(t, 5*time.Minute, synced, healthy, noConditions)
		if len(app.Status.History) != syncs {
			t.Errorf("%s has %d syncs in its history", a.name, len(app.Status.History))
		}
		a.jobGone(t, "after")
	}
}

// killAgainAndAgain runs fairlead and kills it at random moments, until the
// returned function is called, which leaves it running and says how often it
// was killed.
func (i *installation) killAgainAndAgain(t *testing.T) (stop func() int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	ctx, cancel := context.WithCancel(t.Context())
	kills := make(chan int, 1)
	dir := t.TempDir() // what was fetched survives, as it does on a node
	go func() {
		count := 0
		defer func() { kills <- count }()
		for {
			p, err := i.launch(dir, nil, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if p.awaitReady(ctx) == nil {
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(random.Int64N(int64(10 * time.Second)))):
				}
			}
			if ctx.Err() != nil {
				i.keepUntilTheEnd(t, p)
				return
			}
			p.kill(t)
			count++
			// The dead do not renew their leases; waiting until they run out would only take time.
			_ = i.kube.CoordinationV1().Leases(i.namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
		}
	}()
	return func() int {
		cancel()
		return <-kills
	}
}
