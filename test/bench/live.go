//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// liveSizes are the numbers of Applications with which changes of live objects
// are measured: their cost should not depend on it.
var liveSizes = []int{10, 100, 1000}

// live measures what a changed object and a restart cost, with few and with
// many Applications.
func live(ctx context.Context, o options) error {
	for _, size := range liveSizes {
		fmt.Printf("\n%d applications\n", size)
		o.applications = size
		if err := runScenarios(ctx, o, func(b *bench) []scenario {
			return []scenario{
				{"first sync", b.firstSync},
				{"until all are healthy", b.untilHealthy},
				{"an object changed by hand", b.changedObjects},
				{"restart, until all are compared", b.restart},
			}
		}); err != nil {
			return fmt.Errorf("with %d applications: %w", size, err)
		}
	}
	return nil
}

const (
	// changes is how many objects are changed for one figure: the processor time
	// of one change is below what the system counts in.
	changes = 200
	// changedApplications are how many Applications they are spread over, since
	// an object that changes all the time is looked at less often.
	changedApplications = 10
)

// changedObjects changes ConfigMaps of Applications that are not put back, one
// after the other, and waits each time until the status says so.
func (b *bench) changedObjects(ctx context.Context) (time.Duration, string, error) {
	apps := b.apps.Applications(controlPlane)
	for i := range changedApplications {
		if _, err := apps.Patch(ctx, b.application(i).Name, types.MergePatchType, []byte(`{"spec":{"syncPolicy":{"automated":null}}}`), metav1.PatchOptions{}); err != nil {
			return 0, "", err
		}
	}
	if err := b.settle(ctx); err != nil {
		return 0, "", err
	}
	watcher, err := apps.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, "", err
	}
	defer watcher.Stop()
	before, err := b.program.cpu()
	if err != nil {
		return 0, "", err
	}
	var waited time.Duration
	for i := range changes {
		app := b.application(i % changedApplications).Name
		revision, want := "by hand", v1alpha1.SyncStatusCodeOutOfSync
		if i/changedApplications%2 == 1 {
			revision, want = "1", v1alpha1.SyncStatusCodeSynced
		}
		patch := fmt.Appendf(nil, `{"data":{"revision":%q}}`, revision)
		began := time.Now()
		_, err := b.dynamic.Resource(resourceOf["ConfigMap"]).Namespace(app).Patch(ctx, "web", types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "somebody"})
		if err != nil {
			return 0, "", err
		}
		if err := awaitSync(ctx, watcher.ResultChan(), app, want); err != nil {
			return 0, "", err
		}
		waited += time.Since(began)
	}
	after, err := b.program.cpu()
	return waited / changes, fmt.Sprintf("from the change to the status; %.2f CPU-ms each", float64((after-before).Milliseconds())/changes), err
}

// restart ends the program and starts it again, and waits until it has looked
// at every Application.
func (b *bench) restart(ctx context.Context) (time.Duration, string, error) {
	if err := b.program.stop(); err != nil {
		return 0, "", err
	}
	began := time.Now()
	if err := b.start(ctx); err != nil {
		return 0, "", err
	}
	err := until(ctx, 10*time.Minute, "all Applications to be compared", func() (bool, error) {
		count, err := b.reconciles(ctx)
		if err != nil {
			return false, err
		}
		if count < b.applications {
			return false, sleep(ctx, 20*time.Millisecond)
		}
		return true, nil
	})
	wall := time.Since(began)
	if err != nil {
		return 0, "", err
	}
	used, err := b.program.cpu()
	if err != nil {
		return 0, "", err
	}
	_, peak, err := b.program.memory()
	return wall, fmt.Sprintf("%.2f CPU-s, peak %d MiB", used.Seconds(), peak), err
}

// reconciles is how many times the program has looked at an Application.
func (b *bench) reconciles(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("reading the metrics: %w", err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "argocd_app_reconcile_count{"); ok {
			_, value, _ := strings.Cut(rest, "} ")
			var count float64
			if _, err := fmt.Sscan(value, &count); err != nil {
				return 0, fmt.Errorf("reading the metrics: %w", err)
			}
			return int(count), nil
		}
	}
	return 0, lines.Err()
}

// awaitSync waits until a watch shows an Application in a state.
func awaitSync(ctx context.Context, events <-chan watch.Event, name string, want v1alpha1.SyncStatusCode) error {
	limit := time.After(time.Minute)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("the status did not become %s", want)
		case event, ok := <-events:
			if !ok {
				return errors.New("the watch ended")
			}
			if app, ok := event.Object.(*v1alpha1.Application); ok && app.Name == name && app.Status.Sync.Status == want {
				return nil
			}
		}
	}
}
