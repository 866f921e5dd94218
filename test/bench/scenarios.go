//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

var listAll = metav1.ListOptions{}

// scenario is one kind of work. It returns how long it took.
type scenario struct {
	name string
	run  func(context.Context) (wall time.Duration, note string, err error)
}

// allScenarios are the kinds of work that are measured with one number of
// Applications, each from a state in which nothing is left to do.
func (b *bench) allScenarios() []scenario {
	return []scenario{
		{"first sync", b.firstSync},
		{"until all are healthy", b.untilHealthy},
		{"at rest", b.atRest},
		{"a commit that changes one application, refreshed", b.commitOne},
		{"a commit that changes none, refreshed", b.commitNone},
		{"a commit that changes all, refreshed", b.commitAll},
		{"a hand-made change put back", b.selfHeal},
	}
}

// measure measures one kind of work after the other.
func (b *bench) measure(ctx context.Context, scenarios []scenario) error {
	for _, scenario := range scenarios {
		program := b.program
		before, err := program.cpu()
		if err != nil {
			return err
		}
		wall, note, err := scenario.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", scenario.name, err)
		}
		after, err := b.program.cpu()
		if err != nil {
			return err
		}
		if b.program != program {
			before = 0 // another process, which began in between
		}
		b.print(scenario.name, wall, after-before, note)
	}
	now, peak, err := b.program.memory()
	if err != nil {
		return err
	}
	fmt.Printf("%-52s %d MiB, peak %d MiB\n", "memory", now, peak)
	return nil
}

func (b *bench) print(name string, wall, cpu time.Duration, note string) {
	fmt.Printf("%-52s %8.3f s  %7.2f CPU-s  %s\n", name, wall.Seconds(), cpu.Seconds(), note)
}

// firstSync creates the Applications and waits until each was synced once.
func (b *bench) firstSync(ctx context.Context) (time.Duration, string, error) {
	watcher, err := b.apps.Applications(controlPlane).Watch(ctx, listAll)
	if err != nil {
		return 0, "", err
	}
	defer watcher.Stop()
	saved := b.saveProfile(ctx)
	began := time.Now()
	create, createCtx := errgroup.WithContext(ctx)
	create.SetLimit(floorWorkers)
	create.Go(func() error {
		for i := range b.applications {
			create.Go(func() error {
				_, err := b.apps.Applications(controlPlane).Create(createCtx, b.application(i), metav1.CreateOptions{})
				return err
			})
		}
		return nil
	})
	synced := make(map[string]bool)
	limit := time.After(10 * time.Minute)
	for len(synced) < b.applications {
		select {
		case <-limit:
			return 0, "", fmt.Errorf("only %d of %d were synced in time", len(synced), b.applications)
		case <-ctx.Done():
			return 0, "", ctx.Err()
		case event, ok := <-watcher.ResultChan():
			if !ok {
				return 0, "", errors.New("the watch ended")
			}
			app, ok := event.Object.(*v1alpha1.Application)
			if !ok {
				continue
			}
			if state := app.Status.OperationState; state != nil && state.Phase.Completed() {
				if !state.Phase.Successful() {
					return 0, "", fmt.Errorf("the sync of %s failed: %s", app.Name, state.Message)
				}
				if app.Status.Sync.Status == v1alpha1.SyncStatusCodeSynced {
					synced[app.Name] = true
				}
			}
		}
	}
	wall := time.Since(began)
	note := fmt.Sprintf("%d applications, %d objects, %.2f times the floor", b.applications,
		b.applications*(objectsPerFolder+1), wall.Seconds()/b.floor.Seconds())
	return wall, note, errors.Join(create.Wait(), <-saved)
}

// saveProfile writes a CPU profile of the program in the next seconds, where
// one was asked for.
func (b *bench) saveProfile(ctx context.Context) <-chan error {
	saved := make(chan error, 1)
	if b.profile == "" {
		close(saved)
		return saved
	}
	go func() {
		saved <- func() error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.metrics+"/debug/pprof/profile?seconds=10", nil)
			if err != nil {
				return err
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return fmt.Errorf("taking a profile: %w", err)
			}
			defer response.Body.Close()
			file, err := os.Create(b.profile)
			if err != nil {
				return err
			}
			_, err = io.Copy(file, response.Body)
			return errors.Join(err, file.Close())
		}()
	}()
	return saved
}

func (b *bench) application(i int) *v1alpha1.Application {
	yes := true
	name := fmt.Sprintf("app-%04d", i)
	return &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: controlPlane},
		Spec: v1alpha1.ApplicationSpec{
			Project:     v1alpha1.DefaultAppProjectName,
			Source:      &v1alpha1.ApplicationSource{RepoURL: b.repo.URL(), Path: folder(i), TargetRevision: "HEAD"},
			Destination: v1alpha1.ApplicationDestination{Server: v1alpha1.InClusterServer, Namespace: name},
			SyncPolicy: &v1alpha1.SyncPolicy{
				Automated:   &v1alpha1.SyncPolicyAutomated{SelfHeal: &yes, Prune: &yes},
				SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"},
			},
		},
	}
}

func (b *bench) untilHealthy(ctx context.Context) (time.Duration, string, error) {
	began := time.Now()
	err := until(ctx, 5*time.Minute, "all Applications to be healthy", func() (bool, error) {
		list, err := b.apps.Applications(controlPlane).List(ctx, listAll)
		if err != nil {
			return false, err
		}
		for i := range list.Items {
			if list.Items[i].Status.Health.Status != v1alpha1.HealthStatusHealthy {
				return false, sleep(ctx, 100*time.Millisecond) // do not measure our own lists
			}
		}
		return true, nil
	})
	return time.Since(began), "after the first sync", err
}

// atRest waits until nothing happens any more, and then measures.
func (b *bench) atRest(ctx context.Context) (time.Duration, string, error) {
	if err := sleep(ctx, 5*time.Second); err != nil {
		return 0, "", err
	}
	before, err := b.program.cpu()
	if err != nil {
		return 0, "", err
	}
	if err := sleep(ctx, b.idle); err != nil {
		return 0, "", err
	}
	after, err := b.program.cpu()
	return b.idle, fmt.Sprintf("%.4f cores", (after-before).Seconds()/b.idle.Seconds()), err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// commitOne changes one folder, tells of it, and waits for the live object.
func (b *bench) commitOne(ctx context.Context) (time.Duration, string, error) {
	if err := b.commit(ctx, b.folderFiles(0, "2")); err != nil {
		return 0, "", err
	}
	began := time.Now()
	if err := b.tell(ctx, 0); err != nil {
		return 0, "", err
	}
	err := b.waitRevision(ctx, 0, "2")
	wall := time.Since(began)
	if err != nil {
		return 0, "", err
	}
	return wall, "until the live object", b.settle(ctx)
}

// commitNone changes a file that no Application reads, and waits until the
// refresh is answered.
func (b *bench) commitNone(ctx context.Context) (time.Duration, string, error) {
	if err := b.commit(ctx, map[string]string{"README.md": "Changed.\n"}); err != nil {
		return 0, "", err
	}
	began := time.Now()
	if err := b.refresh(ctx, 0); err != nil {
		return 0, "", err
	}
	err := until(ctx, time.Minute, "the refresh", func() (bool, error) {
		app, err := b.apps.Applications(controlPlane).Get(ctx, b.application(0).Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		_, waiting := app.Annotations[v1alpha1.AnnotationRefresh]
		return !waiting, nil
	})
	wall := time.Since(began)
	if err != nil {
		return 0, "", err
	}
	return wall, "", b.settle(ctx)
}

func (b *bench) commitAll(ctx context.Context) (time.Duration, string, error) {
	files := make(map[string]string, b.applications)
	for i := range b.applications {
		maps.Copy(files, b.folderFiles(i, "3"))
	}
	if err := b.commit(ctx, files); err != nil {
		return 0, "", err
	}
	began := time.Now()
	if err := b.tell(ctx, 0); err != nil {
		return 0, "", err
	}
	err := until(ctx, 5*time.Minute, "all live ConfigMaps", func() (bool, error) {
		list, err := b.dynamic.Resource(resourceOf["ConfigMap"]).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=web"})
		if err != nil {
			return false, err
		}
		changed := 0
		for i := range list.Items {
			if revision, _, _ := unstructured.NestedString(list.Items[i].Object, "data", "revision"); revision == "3" {
				changed++
			}
		}
		if changed < b.applications {
			return false, sleep(ctx, 50*time.Millisecond) // do not measure our own lists
		}
		return true, nil
	})
	if err != nil {
		return 0, "", err
	}
	wall := time.Since(began)
	return wall, fmt.Sprintf("%d objects changed", 2*b.applications), b.settle(ctx)
}

// selfHeal changes a live object by hand and waits until that is undone.
func (b *bench) selfHeal(ctx context.Context) (time.Duration, string, error) {
	deployments := b.dynamic.Resource(resourceOf["Deployment"]).Namespace(b.application(1).Name)
	changed, err := deployments.Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{FieldManager: "somebody"})
	if err != nil {
		return 0, "", err
	}
	began := time.Now()
	err = until(ctx, time.Minute, "the change to be put back", func() (bool, error) {
		live, err := deployments.Get(ctx, changed.GetName(), metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		replicas, _, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
		return replicas == 1, nil
	})
	wall := time.Since(began)
	if err != nil {
		return 0, "", err
	}
	return wall, "", b.settle(ctx)
}

// settle lets what a scenario caused come to an end, so that its processor
// time counts for it.
func (b *bench) settle(ctx context.Context) error { return sleep(ctx, 3*time.Second) }

func (b *bench) commit(ctx context.Context, files map[string]string) error {
	_, err := b.repo.Apply(ctx, gitserver.Change{Message: "Change what the scenario needs", Files: files})
	return err
}

func (b *bench) refresh(ctx context.Context, i int) error {
	_, err := b.apps.Applications(controlPlane).Patch(ctx, b.application(i).Name, types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"normal"}}}`), metav1.PatchOptions{})
	return err
}

func (b *bench) waitRevision(ctx context.Context, i int, revision string) error {
	maps := b.dynamic.Resource(resourceOf["ConfigMap"]).Namespace(b.application(i).Name)
	return until(ctx, 5*time.Minute, "the live ConfigMap", func() (bool, error) {
		live, err := maps.Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		found, _, _ := unstructured.NestedString(live.Object, "data", "revision")
		return found == revision, nil
	})
}
