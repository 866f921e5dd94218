package application

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Pushed fetches a repository that somebody says was pushed to, once for all of the Applications that this may concern,
// and has them look again when it holds something new. It returns those that another controller works on, which is not
// told. The key is that of [settings.RepositoryKey].
func (c *Controller) Pushed(ctx context.Context, key string, apps []*v1alpha1.Application) (others []*v1alpha1.Application) {
	var own []types.NamespacedName
	for _, app := range apps {
		if c.Clusters.elsewhere(app.Spec.Destination) {
			others = append(others, app)
		} else {
			own = append(own, keyOf(app))
		}
	}
	c.repositories.ask(ctx, key, own)
	return others
}

// ask polls what some Applications read from a repository, and wakes them when there is news for them.
func (r *repositories) ask(ctx context.Context, repository string, apps []types.NamespacedName) {
	var polls sync.WaitGroup
	defer polls.Wait()
	for polled, users := range r.readers(repository, apps) {
		polls.Go(func() {
			changed, err := r.poll(ctx, polled.origin)
			if ctx.Err() == nil {
				r.recordFor(polled.key, changed, err, users)
			}
		})
	}
}

// readers are what some Applications have polled of a repository, with those that do.
func (r *repositories) readers(repository string, apps []types.NamespacedName) map[poll][]types.NamespacedName {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := map[string]bool{} // by key into polled
	readers := map[poll][]types.NamespacedName{}
	for _, app := range apps {
		for _, key := range r.usedBy[app] {
			polled, ok := r.polled[key]
			if !ok {
				continue
			}
			is, asked := of[key]
			if !asked {
				is = slices.Contains(settings.RepositoryKeys(polled.origin.URL, polled.origin.Chart), repository)
				of[key] = is
			}
			if is {
				readers[polled.poll] = append(readers[polled.poll], app)
			}
		}
	}
	return readers
}
