package application

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/gobwas/glob"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/fairlead-cd/fairlead/api/client"
	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Namespaces says in which namespaces Applications are honoured: the control
// plane's own, and those that match one of the patterns.
type Namespaces struct {
	own     string
	matches []func(namespace string) bool
}

// NewNamespaces compiles the patterns: globs such as "team-*", or regular
// expressions between slashes. Spaces around them, as they are left when a list
// is split at its commas, do not count.
func NewNamespaces(own string, patterns []string) (Namespaces, error) {
	n := Namespaces{own: own}
	for _, pattern := range patterns {
		pattern = strings.TrimSpace(pattern)
		if pattern == "" {
			continue
		}
		if len(pattern) > 2 && pattern[0] == '/' && pattern[len(pattern)-1] == '/' {
			compiled, err := regexp.Compile(pattern[1 : len(pattern)-1])
			if err != nil {
				return Namespaces{}, fmt.Errorf("the pattern %q of application namespaces is no regular expression: %w", pattern, err)
			}
			n.matches = append(n.matches, compiled.MatchString)
			continue
		}
		compiled, err := glob.Compile(pattern)
		if err != nil {
			return Namespaces{}, fmt.Errorf("the pattern %q of application namespaces is no glob: %w", pattern, err)
		}
		n.matches = append(n.matches, compiled.Match)
	}
	return n, nil
}

// Allows says whether Applications of a namespace are honoured.
func (n Namespaces) Allows(namespace string) bool {
	if namespace == n.own {
		return true
	}
	for _, matches := range n.matches {
		if matches(namespace) {
			return true
		}
	}
	return false
}

// scope is the namespace to watch: the own one, or all.
func (n Namespaces) scope() string {
	if len(n.matches) == 0 {
		return n.own
	}
	return ""
}

// Watch keeps the Applications of the honoured namespaces and the AppProjects
// of the control plane in memory. It is safe for concurrent use; what it
// returns is shared and must not be modified.
type Watch struct {
	namespaces   Namespaces
	applications cache.SharedIndexInformer
	projects     cache.SharedIndexInformer
}

// NewWatch returns a Watch that is empty until [Watch.Run].
func NewWatch(c *client.Client, namespaces Namespaces) *Watch {
	w := &Watch{
		namespaces:   namespaces,
		applications: c.ApplicationInformer(namespaces.scope()),
		projects:     c.AppProjectInformer(namespaces.own),
	}
	if err := w.applications.AddIndexers(relations); err != nil {
		panic(err) // it has not been started, and no other index has these names
	}
	return w
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.projects.RunWithContext(ctx)
	}()
	w.applications.RunWithContext(ctx)
	<-done
}

// HasSynced says whether everything that existed at the start is there.
func (w *Watch) HasSynced() bool { return w.applications.HasSynced() && w.projects.HasSynced() }

// List returns all Applications in no particular order.
func (w *Watch) List() []*v1alpha1.Application {
	objects := w.applications.GetStore().List()
	apps := make([]*v1alpha1.Application, 0, len(objects))
	for _, object := range objects {
		if app, ok := object.(*v1alpha1.Application); ok && w.namespaces.Allows(app.Namespace) {
			apps = append(apps, app)
		}
	}
	return apps
}

// Get returns an Application, or false when there is none in a namespace that
// is honoured.
func (w *Watch) Get(key types.NamespacedName) (*v1alpha1.Application, bool) {
	object, exists, err := w.applications.GetStore().GetByKey(key.String())
	if err != nil || !exists || !w.namespaces.Allows(key.Namespace) {
		return nil, false
	}
	app, ok := object.(*v1alpha1.Application)
	return app, ok
}

// Project returns an AppProject by name.
func (w *Watch) Project(name string) (*v1alpha1.AppProject, bool) {
	key := types.NamespacedName{Namespace: w.namespaces.own, Name: name}
	object, exists, err := w.projects.GetStore().GetByKey(key.String())
	if err != nil || !exists {
		return nil, false
	}
	project, ok := object.(*v1alpha1.AppProject)
	return project, ok
}

// Projects returns all AppProjects in no particular order.
func (w *Watch) Projects() []*v1alpha1.AppProject {
	objects := w.projects.GetStore().List()
	projects := make([]*v1alpha1.AppProject, 0, len(objects))
	for _, object := range objects {
		if project, ok := object.(*v1alpha1.AppProject); ok {
			projects = append(projects, project)
		}
	}
	return projects
}

// OnApplication calls handle for every Application that appears (old is nil),
// changes, or goes (app is nil), in order. handle must be quick. The returned
// function ends that.
func (w *Watch) OnApplication(handle func(old, app *v1alpha1.Application)) (stop func(), err error) {
	return subscribe(w.applications, func(old, app *v1alpha1.Application) {
		present := app
		if present == nil {
			present = old
		}
		if w.namespaces.Allows(present.Namespace) {
			handle(old, app)
		}
	})
}

// OnProject is [Watch.OnApplication] for AppProjects.
func (w *Watch) OnProject(handle func(old, project *v1alpha1.AppProject)) (stop func(), err error) {
	return subscribe(w.projects, handle)
}

func subscribe[T any](informer cache.SharedIndexInformer, handle func(old, current *T)) (func(), error) {
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) {
			if current, ok := object.(*T); ok {
				handle(nil, current)
			}
		},
		UpdateFunc: func(before, after any) {
			old, ok := before.(*T)
			current, also := after.(*T)
			if ok && also {
				handle(old, current)
			}
		},
		DeleteFunc: func(object any) {
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			if old, ok := object.(*T); ok {
				handle(old, nil)
			}
		},
	})
	if informer.IsStopped() {
		return func() {}, nil // the process is stopping, and nothing changes any more
	}
	if err != nil {
		return nil, fmt.Errorf("subscribing to changes: %w", err)
	}
	return func() { _ = informer.RemoveEventHandler(registration) }, nil
}

// needsReconcile tells a change that somebody made to an Application from one
// of the status, which only the controller writes. A change of the phase
// counts, because "Terminating" is how an operation is stopped.
func needsReconcile(old, app *v1alpha1.Application) bool {
	return !equality.Semantic.DeepEqual(old.Spec, app.Spec) ||
		!equality.Semantic.DeepEqual(old.Operation, app.Operation) ||
		!maps.Equal(old.Annotations, app.Annotations) ||
		len(old.Finalizers) != len(app.Finalizers) ||
		old.DeletionTimestamp.IsZero() != app.DeletionTimestamp.IsZero() ||
		old.UID != app.UID ||
		terminating(old) != terminating(app)
}

func terminating(app *v1alpha1.Application) bool {
	state := app.Status.OperationState
	return state != nil && state.Phase == v1alpha1.OperationTerminating
}
