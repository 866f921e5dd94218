package application

import (
	"fmt"
	"strings"
	"sync"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// projects keeps the compiled rules of AppProjects, one for all Applications
// of a project.
type projects struct {
	mu       sync.Mutex
	compiled map[string]compiledProject
}

// compiledProject is a project with the versions of the objects that it was
// compiled from.
type compiledProject struct {
	*tenancy.Project
	identity string
}

// ProjectOf compiles the rules of the project that an Application belongs to.
func (w *Watch) ProjectOf(app *v1alpha1.Application, s *settings.Settings) (*tenancy.Project, error) {
	project, ok := w.Project(app.Spec.GetProject())
	if !ok {
		return nil, fmt.Errorf("application references project %s which does not exist", app.Spec.GetProject())
	}
	return tenancy.New(project, w.globals(project, s)...), nil
}

// globals returns the projects that one inherits from.
func (w *Watch) globals(project *v1alpha1.AppProject, s *settings.Settings) []*v1alpha1.AppProject {
	return tenancy.Globals(project, s.GlobalProjects, func(name string) *v1alpha1.AppProject {
		global, _ := w.Project(name)
		return global
	})
}

// get returns the compiled rules of a project, anew when it or a project that
// it inherits from changed.
func (p *projects) get(project *v1alpha1.AppProject, watch *Watch, s *settings.Settings) compiledProject {
	globals := watch.globals(project, s)
	var identity strings.Builder
	for _, part := range append([]*v1alpha1.AppProject{project}, globals...) {
		identity.WriteString(string(part.UID) + "/" + part.ResourceVersion + " ")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.compiled[project.Name]; ok && found.identity == identity.String() {
		return found
	}
	made := compiledProject{Project: tenancy.New(project, globals...), identity: identity.String()}
	if p.compiled == nil {
		p.compiled = make(map[string]compiledProject)
	}
	p.compiled[project.Name] = made
	return made
}
