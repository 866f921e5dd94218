package application

import (
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

// get returns the compiled rules of a project, anew when it or a project that
// it inherits from changed.
func (p *projects) get(project *v1alpha1.AppProject, watch *Watch, s *settings.Settings) compiledProject {
	globals := tenancy.Globals(project, s.GlobalProjects, func(name string) *v1alpha1.AppProject {
		global, _ := watch.Project(name)
		return global
	})
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
