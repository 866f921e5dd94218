package application

import (
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Indexes of the Applications by how they relate to each other.
const (
	byGroup      = "group"
	byDependency = "dependency"
	byRepository = "repository"
)

// relations keep the indexes, so that nobody has to look at all Applications to
// find the few that belong together.
var relations = cache.Indexers{
	byGroup: func(object any) ([]string, error) {
		app, ok := object.(*v1alpha1.Application)
		if !ok {
			return nil, nil
		}
		if s, grouped, _ := stageOf(app); grouped {
			return []string{app.Namespace + "/" + s.group}, nil
		}
		return nil, nil
	},
	byDependency: func(object any) ([]string, error) {
		app, ok := object.(*v1alpha1.Application)
		if !ok {
			return nil, nil
		}
		list, err := dependenciesOf(app)
		if err != nil {
			return nil, nil // it is told where the Application is reconciled
		}
		var keys []string
		for _, d := range list {
			if d.ofApplication() {
				keys = append(keys, d.app.String())
			}
		}
		return keys, nil
	},
	byRepository: func(object any) (keys []string, err error) {
		app, ok := object.(*v1alpha1.Application)
		if !ok {
			return nil, nil
		}
		for _, source := range app.Spec.GetSources() {
			keys = append(keys, settings.RepositoryKeys(source.RepoURL, source.Chart)...)
		}
		return keys, nil
	},
}

// OfRepository returns the Applications with a source in the repository of a key, see [settings.RepositoryKey].
func (w *Watch) OfRepository(key string) []*v1alpha1.Application { return w.related(byRepository, key) }

// group returns the Applications of a namespace that are in a group.
func (w *Watch) group(namespace, name string) []*v1alpha1.Application {
	return w.related(byGroup, namespace+"/"+name)
}

// dependents returns the Applications that depend on one.
func (w *Watch) dependents(on types.NamespacedName) []*v1alpha1.Application {
	return w.related(byDependency, on.String())
}

func (w *Watch) related(index, key string) (apps []*v1alpha1.Application) {
	objects, err := w.applications.GetIndexer().ByIndex(index, key)
	if err != nil {
		return nil // there is no such index only before there are Applications
	}
	for _, object := range objects {
		if app, ok := object.(*v1alpha1.Application); ok && w.namespaces.Allows(app.Namespace) {
			apps = append(apps, app)
		}
	}
	return apps
}
